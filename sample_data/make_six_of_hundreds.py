#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the sample set *Six of hundreds*: an invented shop, its customers, what they did and wrote, and a log of its carousel with known truth.

    python3 sample_data/make_six_of_hundreds.py              write sample_data/six_of_hundreds/
    python3 sample_data/make_six_of_hundreds.py --check      make it again and compare with what is there (exit code 1 when it differs)
    python3 sample_data/make_six_of_hundreds.py --describe   print the plausibility figures of SOURCE.md, computed from the written files

Python 3 standard library only. One seed; every random number comes from random.Random.random(), so the tables are the same on every machine.
The steps stand in the order in which they run: items, users, interactions, slates, truth, reviews. SOURCE.md explains columns and formulas.
"""
import argparse
import bisect
import gzip
import heapq
import io
import itertools
import json
import math
import random
import sys
from pathlib import Path

from shop_catalogue import BOOKS, BRANDS, CATEGORIES, MODELS, OWN_WORDS, STYLES, TRAITS
from shop_reviews import make_reviews

SEED = 6400
ITEMS, USERS, INTERACTIONS, SLATES = 400, 2000, 60000, 20000
DAY = 86400
START = 1772409600          # 2026-03-02 00:00 UTC, a Monday
DAYS, SLATE_DAYS = 120, 14  # the carousel is logged in the two weeks after the interactions end
WINDOW, SLATE = 6, 12       # two pages of six
THETA = [0.95, 0.86, 0.77, 0.69, 0.62, 0.55]  # P(a slot is looked at | its page is in view and nothing was clicked before)
SWIPE = 0.35                # P(swipe on | a page without a click)
A0, A1 = -3.3, 0.85         # attraction = sigmoid(A0 + A1 * affinity)
PRICE_WEIGHT = 0.9          # affinity loses this much per price level and unit of price sensitivity above 0.5
SOFTMAX_POWER = 0.7         # policy softmax_popularity: weight = (1 + interactions of the item) ** SOFTMAX_POWER
COMPANION = 0.45            # P(a purchase is followed by a visit for a companion product)


class Draw:
    """Random numbers from random() alone, the one method whose sequence Python promises to keep."""

    def __init__(self, stream):
        self.random = random.Random(f"{SEED}/{stream}").random

    def normal(self, mean=0.0, sd=1.0):
        return mean + sd * math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())

    def below(self, n):
        return int(self.random() * n)

    def pick(self, values):
        return values[self.below(len(values))]

    def weighted(self, weights):
        cumulative = list(itertools.accumulate(weights))
        return min(bisect.bisect_right(cumulative, self.random() * cumulative[-1]), len(cumulative) - 1)

    def some(self, values, n):
        rest, chosen = list(values), []
        while rest and len(chosen) < n:
            chosen.append(rest.pop(self.below(len(rest))))
        return chosen


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def clip(x, low, high):
    return max(low, min(high, x))


# ---------------------------------------------------------------------------------------------------------------- items
def article(word):
    return "an" if word[0] in "aeiou" and not word.startswith("usb") else "a"


def title_of(draw, brand, style, category, noun):
    if category == "books":
        first, second, subtitle = BOOKS[noun]
        return f"The {draw.pick(first)} {draw.pick(second)}: {subtitle}"
    name = " ".join(word if word in ("of", "and") else word[0].upper() + word[1:] for word in noun.split()).replace("Usb-c", "USB-C")
    adjective, model, trait = draw.pick(STYLES[style][0]), draw.pick(MODELS), draw.pick(TRAITS[category])
    if category == "pantry":
        return draw.pick([f"{brand} {adjective} {name}, {trait}", f"{brand} {name} {model}, {trait}"])
    return draw.pick([f"{brand} {model} {name}, {trait}", f"{brand} {adjective} {name} {trait}", f"{brand} {adjective} {model} {name}",
                      f"{brand} {name} {model} {draw.below(9) + 1}, {trait}"])


def description_of(draw, style, category, noun, detail):
    words, audience, places, _ = CATEGORIES[category]
    _, adjectives, closings, wishes, _, _ = STYLES[style]
    adjectives, closings = OWN_WORDS.get(category, {}).get(style, (adjectives, closings))
    adjective, who, wish, place, closing = draw.pick(adjectives), draw.pick(audience), draw.pick(wishes), draw.pick(places), draw.pick(closings)
    plural = noun.endswith("s") and "set" not in noun
    that = f"{noun} that {detail}"
    subject = f"{adjective} {that}" if plural else f"{article(adjective)} {adjective} {that}"
    opening = draw.pick([subject, f"for {who}: {subject}", f"from our {words}: {subject}"])
    second = draw.pick([closing, f"At its best {place}, for {who} who {wish}.", f"{closing[:-1]}; chosen by {who} who {wish}."])
    if plural:
        second = second.replace("At its best", "At their best")
    return f"{opening[0].upper()}{opening[1:]}. {second}"


def tidy_price(x):
    return round(x) - 0.05 if x < 20 else round(x) - 0.1 if x < 60 else float(round(x))


def make_items():
    draw = Draw("items")
    kinds = [(category, kind) for category, entry in CATEGORIES.items() for kind in entry[3]]
    base, extra = divmod(ITEMS, len(kinds))
    lucky = set(draw.some(range(len(kinds)), extra))
    items, titles = [], set()
    for index, (category, (noun, usual, details, _)) in enumerate(kinds):
        brands = [b for b, (where, _, _) in BRANDS.items() if category in where]
        for _ in range(base + (index in lucky)):
            brand = draw.pick(brands)
            _, house, factor = BRANDS[brand]
            style = house if draw.random() < 0.65 else draw.pick(list(STYLES))
            title = title_of(draw, brand, style, category, noun)
            while title in titles:
                title = title_of(draw, brand, style, category, noun)
            titles.add(title)
            price = tidy_price(usual * factor * math.exp(draw.normal(0, 0.18)))
            text = description_of(draw, style, category, noun, draw.pick(details))
            tags = [category, noun.replace(" ", "-").replace("'", "")] + draw.some(STYLES[style][5], 1 + draw.below(2))
            level = round(clip(math.log(price / usual) / 0.35, -2, 2), 3)
            items.append(dict(title=title, description=text, category=category, brand=brand, tags=tags, price=price, colour=draw.pick(STYLES[style][4]),
                              type=noun, style=style, level=level, quality=round(draw.normal(0, 0.3), 3),
                              visibility=math.exp(draw.normal(0, 0.85)), launched=START - DAY * (20 + draw.below(900))))
    for item in draw.some(items, 32):  # 20 newcomers with little history, then 12 that arrive on the last evening and have none
        newcomers = sum(i["launched"] > START for i in items)
        item["launched"] = START + DAY * (88 + newcomers) if newcomers < 20 else START + DAYS * DAY - 7200
    order = draw.some(range(ITEMS), ITEMS)  # ids carry no information about the category
    items = [items[i] for i in order]
    for number, item in enumerate(items):
        item["id"], item["code"] = f"p{number + 1:03d}", number
    return items


# ---------------------------------------------------------------------------------------------------------------- users
REGIONS = {"coast": ["outerwear"], "lakes": ["camping", "hiking"], "north": ["bedding", "outerwear", "hiking"], "south": ["garden", "pantry"], "city": ["coffee", "computing", "living"]}


def make_users():
    draw = Draw("users")
    categories, styles, users = list(CATEGORIES), list(STYLES), []
    for number in range(USERS):
        age = int(clip(draw.normal(41, 14), 18, 79))
        region = draw.pick(list(REGIONS))
        pull = [1.0 + (category in REGIONS[region]) for category in categories]
        for category, sign in (("audio", -1), ("computing", -1), ("cycling", -1), ("garden", 1), ("books", 1), ("bedding", 1)):
            pull[categories.index(category)] *= math.exp(sign * (age - 41) / 30)
        favourites = []
        while len(favourites) < 3:
            chosen = draw.weighted(pull)
            if chosen not in favourites:
                favourites.append(chosen)
        taste = [round(draw.normal(-0.45, 0.3), 2) for _ in categories]
        for rank, category in enumerate(favourites):
            taste[category] = round(draw.normal(1.9 - 0.3 * rank, 0.25), 2)
        liked = draw.some(range(len(styles)), 3)
        style = [round(draw.normal(0, 0.15), 2) for _ in styles]
        for index, strength in zip(liked, (1.0, 0.6, -0.8)):
            style[index] = round(draw.normal(strength, 0.15), 2)
        interests = [categories[c] for c in favourites if draw.random() < 0.85]  # what a person tells a shop: mostly true, never complete
        interests += [draw.pick(STYLES[styles[liked[0]]][5])] if draw.random() < 0.7 else []
        interests += [draw.pick(categories)] if draw.random() < 0.15 else []
        users.append(dict(id=f"u{number + 1:04d}", age=age, region=region, interests=list(dict.fromkeys(interests)), taste=taste, style=style,
                          sensitivity=round(clip(draw.normal(0.5 - (age - 41) / 200, 0.22), 0, 1), 2),
                          device=("phone", "desktop", "tablet")[draw.weighted([60, 30, 10])], activity=math.exp(draw.normal(0, 0.75))))
    return users


def affinity(user, item, categories, styles):
    return (user["taste"][categories[item["category"]]] + user["style"][styles[item["style"]]]
            - PRICE_WEIGHT * (user["sensitivity"] - 0.5) * item["level"] + item["quality"])


def affinities(users, items):
    categories, styles = {c: i for i, c in enumerate(CATEGORIES)}, {s: i for i, s in enumerate(STYLES)}
    return [[affinity(user, item, categories, styles) for item in items] for user in users]


# --------------------------------------------------------------------------------------------------------- interactions
def make_interactions(users, items, liking):
    """Visits in time order. A visit looks at one category (or, after a purchase, at a companion product) and walks view -> click -> purchase."""
    draw = Draw("interactions")
    categories = list(CATEGORIES)
    companions = {kind[0]: kind[3] for entry in CATEGORIES.values() for kind in entry[3]}
    by_category = {c: [i for i in items if i["category"] == c] for c in categories}
    by_type = {t: [i for i in items if i["type"] == t] for t in companions}
    mean_activity = sum(u["activity"] for u in users) / USERS
    visits, serial = [], itertools.count()

    def visit(when, user, noun=None):
        if when < START + DAYS * DAY:
            heapq.heappush(visits, (when, next(serial), user, noun))

    for number, user in enumerate(users):
        for _ in range(2 + int(5.6 * user["activity"] / mean_activity + draw.random())):
            hour = clip(draw.normal(19 if draw.random() < 0.65 else 12, 2.2), 6, 23.9)
            visit(START + DAY * draw.below(DAYS) + int(3600 * hour), number)
    rows, bought = [], set()

    def event(when, number, item, kind, value=1):
        if when < START + DAYS * DAY:
            rows.append((when, len(rows), number, item["code"], kind, value))

    while visits:
        when, _, number, noun = heapq.heappop(visits)
        user, likes = users[number], liking[number]
        shelf = by_type[noun] if noun else by_category[categories[draw.weighted([math.exp(1.1 * t) for t in user["taste"]])]]
        shelf = [i for i in shelf if i["launched"] <= when and ((number, i["code"]) not in bought or i["category"] == "pantry")]
        looks = 1 + draw.below(3) + (draw.random() < 0.35) * draw.below(5)
        while shelf and looks:
            looks -= 1
            item = shelf.pop(draw.weighted([i["visibility"] * math.exp(0.8 * likes[i["code"]]) for i in shelf]))
            liked = likes[item["code"]]
            event(when, number, item, "view")
            when += 8 + draw.below(60)
            if draw.random() >= sigmoid(-1.55 + 0.45 * liked):
                continue
            event(when, number, item, "click")
            when += 15 + draw.below(150)
            if draw.random() < sigmoid(-2.4 + 0.6 * liked):
                event(when - 5, number, item, "like")
            elif draw.random() < sigmoid(-1.6 - 0.7 * liked):
                event(when - 5, number, item, "dislike")
            if draw.random() >= sigmoid(-2.6 + 0.45 * liked + 0.9 * (noun is not None)):
                continue
            event(when, number, item, "purchase", item["price"])
            bought.add((number, item["code"]))
            later = when + DAY * 2 + draw.below(9 * DAY)
            pleasure = 3.1 + 0.55 * liked + draw.normal(0, 0.8)
            if draw.random() < 0.7:
                event(later, number, item, "rating", int(clip(round(pleasure), 1, 5)))
            if pleasure > 4.3 and draw.random() < 0.6:
                event(later + 40, number, item, "love")
            if draw.random() < COMPANION:
                visit(when + DAY + draw.below(7 * DAY), number, draw.pick(companions[item["type"]]))
            break
    surplus = len(rows) - INTERACTIONS
    if surplus < 0:
        sys.exit(f"only {len(rows)} interactions were simulated; {INTERACTIONS} are needed")
    clicked = {(r[2], r[3]) for r in rows if r[4] == "click"}
    idle = [index for index, r in enumerate(rows) if r[4] == "view" and (r[2], r[3]) not in clicked]
    dropped = set(draw.some(idle, surplus))  # round number: some views that led nowhere are left out
    return sorted(r for index, r in enumerate(rows) if index not in dropped)


# --------------------------------------------------------------------------------------------------------------- slates
def rank_uniform(draw, _weights):
    """A random permutation's first twelve. P(an item stands in a given slot) is exactly 1/N for every slot: that is what is logged."""
    pool = list(range(ITEMS))
    for slot in range(SLATE):
        other = slot + draw.below(ITEMS - slot)
        pool[slot], pool[other] = pool[other], pool[slot]
    return pool[:SLATE], [1 / ITEMS] * SLATE


def rank_softmax(draw, weights):
    """Plackett-Luce: slot by slot, an item that is still free with probability weight / sum of free weights; that conditional is logged."""
    cumulative, total = weights["cumulative"], weights["cumulative"][-1]
    chosen, propensity, left = [], [], total
    while len(chosen) < SLATE:
        item = min(bisect.bisect_right(cumulative, draw.random() * total), ITEMS - 1)
        if item in chosen:
            continue  # rejection leaves the free items with the right odds
        chosen.append(item)
        propensity.append(weights["each"][item] / left)
        left -= weights["each"][item]
    return chosen, propensity


POLICIES = {"uniform": rank_uniform, "softmax_popularity": rank_softmax}


def behave(draw, alpha):
    """The user: looks at slot k of a page with THETA[k], clicks with alpha, stops at the first click, swipes with SWIPE after a page without one."""
    reached, clicks = [0] * SLATE, [0] * SLATE
    for page in range(0, SLATE, WINDOW):
        for slot in range(page, page + WINDOW):
            reached[slot] = 1
        for place in range(WINDOW):
            if draw.random() < THETA[place] * alpha[page + place]:
                clicks[page + place] = 1
                return reached, clicks
        if draw.random() >= SWIPE:
            break
    return reached, clicks


def expected_clicks(alpha):
    """P(click) per slot under the same behaviour, in closed form."""
    figures, alive = [], 1.0
    for slot, a in enumerate(alpha):
        if slot and slot % WINDOW == 0:
            alive *= SWIPE
        p = THETA[slot % WINDOW] * a
        figures.append(alive * p)
        alive *= 1 - p
    return figures


def make_slates(attraction, weights):
    draw, rows = Draw("slates"), []
    begin = START + DAYS * DAY
    times = sorted(begin + draw.below(SLATE_DAYS * DAY) for _ in range(SLATES))
    for number, when in enumerate(times):
        user, policy = draw.below(USERS), "uniform" if draw.random() < 0.5 else "softmax_popularity"
        slate, propensity = POLICIES[policy](draw, weights)
        reached, clicks = behave(draw, [attraction[user][i] for i in slate])
        rows += [(number, user, when, policy, slot, slate[slot], propensity[slot], reached[slot], clicks[slot]) for slot in range(SLATE)]
    return rows


# ---------------------------------------------------------------------------------------------------------------- truth
def mean_figures(rows):
    n = len(rows)
    slots = [sum(r[s] for r in rows) / n for s in range(SLATE)]
    totals = [sum(r) for r in rows]
    mean = sum(totals) / n
    error = math.sqrt(sum((t - mean) ** 2 for t in totals) / (n - 1) / n)
    return dict(clicks_per_slate=round(mean, 6), standard_error=round(error, 6), clicks_per_slot=[round(s, 6) for s in slots])


def make_truth(users, items, attraction, weights):
    draw, policies = Draw("truth"), {}
    for name, rank in POLICIES.items():  # users in turn, rankings drawn, clicks in closed form: only the ranking is sampled
        sampled = [expected_clicks([attraction[n % USERS][i] for i in rank(draw, weights)[0]]) for n in range(40000)]
        policies[name] = dict(mean_figures(sampled), how="40,000 drawn rankings, clicks in closed form")
    top = sorted(range(ITEMS), key=lambda i: (-weights["each"][i], i))[:SLATE]
    policies["popularity_top"] = dict(mean_figures([expected_clicks([row[i] for i in top]) for row in attraction]), standard_error=0,
                                      how="exact mean over users", items=[items[i]["id"] for i in top])
    policies["attraction_top"] = dict(mean_figures([expected_clicks(sorted(row, reverse=True)[:SLATE]) for row in attraction]), standard_error=0,
                                      how="exact mean over users; each user's twelve most attractive items, best first")
    return dict(
        seed=SEED, window=WINDOW, slate=SLATE, theta=THETA, swipe=SWIPE, candidates=ITEMS,
        behaviour="slot k of a page in view is looked at with theta[k]; a slot looked at is clicked with attraction(user, item); the first click ends "
                  "the visit; after a page without a click the user swipes on with probability swipe",
        attraction="1 / (1 + exp(-(a0 + a1 * affinity)))", a0=A0, a1=A1,
        affinity="users[u].taste[category] + users[u].style[style] - price_weight * (users[u].price_sensitivity - 0.5) * items[i].price_level + items[i].quality",
        price_weight=PRICE_WEIGHT, users_of_slates="drawn uniformly from all users, policy by a fair coin",
        softmax_popularity=f"weight = (1 + interactions of the item in the .inter file) ** {SOFTMAX_POWER}; slots filled in order without replacement",
        companion_probability=COMPANION, companions={k[0]: k[3] for entry in CATEGORIES.values() for k in entry[3]},
        policies=policies, categories=list(CATEGORIES), styles=list(STYLES),
        items={i["id"]: dict(category=i["category"], type=i["type"], style=i["style"], price_level=i["level"], quality=i["quality"]) for i in items},
        users={u["id"]: dict(taste=u["taste"], style=u["style"], price_sensitivity=u["sensitivity"]) for u in users})


# ---------------------------------------------------------------------------------------------------------------- files
def number(x):
    return str(int(x)) if float(x).is_integer() else f"{x:.6g}"


def table(header, rows):
    return ("\n".join(["\t".join(header)] + ["\t".join(row) for row in rows]) + "\n").encode()


def make_tables():
    items, users = make_items(), make_users()
    liking = affinities(users, items)
    events = make_interactions(users, items, liking)
    seen = [0] * ITEMS
    for row in events:
        seen[row[3]] += 1
    each = [(1 + n) ** SOFTMAX_POWER for n in seen]
    weights = dict(each=each, cumulative=list(itertools.accumulate(each)))
    attraction = [[sigmoid(A0 + A1 * a) for a in row] for row in liking]
    slates = make_slates(attraction, weights)
    reviews = make_reviews(Draw("reviews"), users, items, liking, events, START + DAYS * DAY)
    truth = json.dumps(make_truth(users, items, attraction, weights), separators=(",", ":"), ensure_ascii=False)
    return {
        "inter": table(["user_id:token", "item_id:token", "event:token", "value:float", "timestamp:float"],
                       [(users[u]["id"], items[i]["id"], kind, number(value), str(when)) for when, _, u, i, kind, value in events]),
        "item": table(["item_id:token", "title:token", "description:token", "category:token", "brand:token", "tags:token_seq", "price:float",
                       "colour:token", "launched:float"],
                      [(i["id"], i["title"], i["description"], i["category"], i["brand"], " ".join(i["tags"]), f"{i['price']:.2f}", i["colour"],
                        str(i["launched"])) for i in items]),
        "user": table(["user_id:token", "age:float", "region:token", "interests:token_seq", "price_sensitivity:float", "device:token"],
                      [(u["id"], str(u["age"]), u["region"], " ".join(u["interests"]), f"{u['sensitivity']:.2f}", u["device"]) for u in users]),
        "slates": table(["slate_id:token", "user_id:token", "timestamp:float", "policy:token", "slot:float", "item_id:token", "propensity:float",
                         "reached:float", "click:float"],
                        [(f"s{n + 1:05d}", users[u]["id"], str(when), policy, str(slot), items[i]["id"], f"{p:.6g}", str(r), str(c))
                         for n, u, when, policy, slot, i, p, r, c in slates]),
        "review": table(["user_id:token", "item_id:token", "rating:float", "timestamp:float", "headline:token", "text:token", "feature:token"],
                        [(users[u]["id"], items[i]["id"], str(stars), str(when), headline, text, word)
                         for when, u, i, stars, headline, text, word in reviews]),
        "truth": truth.replace('},"', '},\n"').encode() + b"\n",
    }


def path_of(folder, name):
    return folder / ("truth.json" if name == "truth" else f"six_of_hundreds.{name}.gz")


def packed(data):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def main():
    parser = argparse.ArgumentParser(description="Make, check or describe the sample set Six of hundreds.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent / "six_of_hundreds")
    parser.add_argument("--check", action="store_true", help="compare with the files that are there")
    parser.add_argument("--describe", action="store_true", help="print plausibility figures of the files that are there")
    options = parser.parse_args()
    if options.describe:
        from describe_six_of_hundreds import describe
        print(describe(options.folder))
        return 0
    tables = make_tables()
    if options.check:
        differing = []
        for name, data in tables.items():
            path = path_of(options.folder, name)
            there = path.read_bytes() if path.exists() else b""
            if (gzip.decompress(there) if path.suffix == ".gz" and there else there) != data:
                differing.append(path.name)
        print("differs: " + ", ".join(differing) if differing else "the files equal what this program makes")
        return 1 if differing else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, data in tables.items():
        path = path_of(options.folder, name)
        path.write_bytes(data if name == "truth" else packed(data))
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
