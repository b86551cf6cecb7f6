# SPDX-License-Identifier: GPL-3.0-or-later
"""Written reviews of *Six of hundreds*: who writes about what, in which mood, in which words. Words: review_words.py; formulas: SOURCE.md.

Everything is drawn from the one stream that is handed in, so that the reviews change nothing in the other files.
"""
import math
from collections import Counter

from review_words import (AGAIN, ASIDES, ASPECT_HEADLINES, ASPECTS, CARES, COMMON, FEATURES, HEADLINES, LIKED_STYLES, OCCASIONS, PURSES, VERDICTS)
from shop_catalogue import CATEGORIES, STYLES

REVIEWS = 6000
OPINION = ["rating", "love", "purchase", "dislike", "like"]  # events that make a person write, the most telling first
WRITES = 0.9                # P(an opinion without a rating is written down)
CONCERN, SALIENCE = 1.0, 0.9  # how much the customer's aspects and the product's own features decide on what is written about


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def capital(text):
    return text[0].upper() + text[1:]


def features_of(item):
    return [f for f in FEATURES[item["category"]] + COMMON if f[2] is None or item["type"] in f[2]]


def make_minds(draw, users, items):
    """Hidden and persistent: which aspects a customer cares for; which features of a product strike people, and how good they are."""
    concerns = []
    for _ in users:
        weights = [draw.normal(0, 0.4) for _ in ASPECTS]
        first, second = draw.some(range(len(ASPECTS)), 2)
        weights[first] += 2.2
        weights[second] += 1.2
        concerns.append(weights)
    made = [[(draw.normal(0, 1), draw.normal(0, 1)) for _ in features_of(item)] for item in items]  # (salience, soundness)
    return concerns, made


def occasions_of(draw, events):
    """(time, user, item, event) of what is reviewed: every rating, most other opinions, and clicked pairs up to the round number."""
    ratings, best, clicked = [], {}, {}
    for when, _, user, item, kind, value in events:
        pair = (user, item)
        if kind == "rating":
            ratings.append((when, user, item, kind, value))
        if kind in OPINION and (pair not in best or OPINION.index(kind) < OPINION.index(best[pair][3])):
            best[pair] = (when, user, item, kind, value)
        if kind == "click":
            clicked.setdefault(pair, (when, user, item, kind, value))
    others = [o for o in best.values() if o[3] != "rating" and draw.random() < WRITES]
    lookers = [o for pair, o in clicked.items() if pair not in best]
    return ratings + others + draw.some(lookers, REVIEWS - len(ratings) - len(others))


def stars_of(draw, kind, value, liked):
    """A rating's own stars; else as the simulator makes ratings, moved by what the customer had said with one click."""
    if kind == "rating":
        return int(value)
    pleasure = 3.1 + 0.55 * liked + draw.normal(0, 0.8) - 1.2 * (kind == "dislike")
    if kind == "love":
        pleasure = max(pleasure, 4.31)
    return int(max(1, min(5, round(pleasure))))


def personal(draw, user, concern):
    styles = list(STYLES)
    choice = draw.random()
    if choice < 0.5:
        return draw.pick(CARES[ASPECTS[max(range(len(ASPECTS)), key=lambda a: concern[a])]])
    if choice < 0.75 and abs(user["sensitivity"] - 0.5) > 0.15:
        return draw.pick(PURSES[user["sensitivity"] > 0.5])
    return draw.pick(LIKED_STYLES[styles[max(range(len(styles)), key=lambda s: user["style"][s])]])


def write(draw, user, item, concern, made, stars, liking_of_style):
    """(headline, text, feature word)"""
    features = features_of(item)
    rivals = Counter(f[1] for f in features)  # an aspect with many words is not written about more often
    index = draw.weighted([math.exp(CONCERN * concern[ASPECTS.index(f[1])] + SALIENCE * made[n][0]) / rivals[f[1]] for n, f in enumerate(features)])
    word, aspect, _, praise, blame = features[index]
    soundness = 1.3 * (stars - 3.2) + 0.9 * made[index][1]
    soundness += {"price": -0.8 * item["level"], "looks": 0.8 * liking_of_style}.get(aspect, 0)
    good = draw.random() < sigmoid(soundness)
    opening = draw.pick(["The {word} {clause}.", "The {word} {clause}.", "I must say that the {word} {clause}.", "For me the {word} {clause}."])
    block = [opening.format(word=word, clause=praise if good else blame)]
    if draw.random() < 0.3:
        block.append(draw.pick(AGAIN[good]))
    pieces = [block]
    place = draw.pick(CATEGORIES[item["category"]][2])
    for sentence in draw.some(OCCASIONS, (draw.random() < 0.75) + (draw.random() < 0.15)):
        pieces.append([sentence.format(place=place)])
    if draw.random() < 0.55:
        pieces.append([personal(draw, user, concern)])
    if draw.random() < 0.3:
        other = draw.pick([f[0] for f in features if f[0] != word])
        pieces.append([draw.pick(ASIDES).format(word=other)])
    verdict = [draw.pick(VERDICTS[stars])]
    while sum(map(len, pieces)) > 4:
        pieces.pop()
    pieces = draw.some(pieces, len(pieces))  # any order: the first sentence is not the summary
    pieces.insert(len(pieces) if draw.random() < 0.7 else draw.below(len(pieces)), verdict)
    mood = "low" if stars <= 2 else "middle" if stars == 3 else "high"
    fitting = good == (mood == "high") and mood != "middle"
    shapes = ASPECT_HEADLINES[aspect][good] if fitting and draw.random() < 0.4 else HEADLINES[good, mood]
    headline = capital(draw.pick(shapes).format(word=word, Word=capital(word)))
    return headline, " ".join(s for piece in pieces for s in piece), word


def make_reviews(draw, users, items, liking, events, end):
    """Rows (time, user, item, stars, headline, text, feature word) in time order; none is later than `end`."""
    concerns, made = make_minds(draw, users, items)
    styles, rows = list(STYLES), []
    for when, user, item, kind, value in occasions_of(draw, events):
        stars = stars_of(draw, kind, value, liking[user][item])
        later = when + (20 + draw.below(900) if kind == "rating" else 3600 + draw.below(6 * 86400))
        words = write(draw, users[user], items[item], concerns[user], made[item], stars, users[user]["style"][styles.index(items[item]["style"])])
        rows.append((min(later, max(when + 1, end - 1 - draw.below(600))), len(rows), user, item, stars, *words))
    return [(when, *rest) for when, _, *rest in sorted(rows)]
