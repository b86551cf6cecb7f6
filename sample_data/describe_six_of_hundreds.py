# SPDX-License-Identifier: GPL-3.0-or-later
"""Plausibility figures of *Six of hundreds*, counted from the written files and not from the simulator's memory."""
import collections
import gzip
import json
import re


def rows_of(folder, name):
    with gzip.open(folder / f"six_of_hundreds.{name}.gz", "rt", encoding="utf-8", newline="") as file:
        header = [cell.split(":")[0] for cell in next(file).rstrip("\n").split("\t")]
        return [dict(zip(header, line.rstrip("\n").split("\t"))) for line in file]


def markdown(header, rows):
    lines = [header, ["---"] * len(header)] + rows
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def share(part, whole):
    return f"{100 * part / whole:.1f} %"


def describe_events(events, items, users, truth):
    kinds = collections.Counter(e["event"] for e in events)
    counts = collections.Counter(e["item_id"] for e in events)
    ordered = sorted((counts[i["item_id"]] for i in items), reverse=True)
    per_user = sorted(collections.Counter(e["user_id"] for e in events).values())
    pairs = {k: {(e["user_id"], e["item_id"]) for e in events if e["event"] == k} for k in kinds}
    kind_of = {i: fields["type"] for i, fields in truth["items"].items()}
    bought = collections.defaultdict(list)
    for event in events:
        if event["event"] == "purchase":
            bought[event["user_id"]].append(kind_of[event["item_id"]])
    after = [(a, b) for row in bought.values() for a, b in zip(row, row[1:])]
    followed = sum(b in truth["companions"][a] for a, b in after)
    frequency = collections.Counter(kind for row in bought.values() for kind in row)
    total = sum(frequency.values())
    expected = sum(sum(frequency[c] for c in truth["companions"][a]) / total for a, _ in after)
    favourites = {u: sorted(range(len(f["taste"])), key=lambda c: -f["taste"][c])[:3] for u, f in truth["users"].items()}
    at_home = sum(truth["categories"].index(truth["items"][e["item_id"]]["category"]) in favourites[e["user_id"]] for e in events)
    stars = collections.Counter(int(e["value"]) for e in events if e["event"] == "rating")
    first, last = int(events[0]["timestamp"]), int(events[-1]["timestamp"])
    facts = [
        ["users, items, interactions", f"{len(users):,}, {len(items)}, {len(events):,}"],
        ["first to last interaction", f"{(last - first) / 86400:.1f} days"],
        ["viewed user-item pairs that are clicked", share(len(pairs["view"] & pairs["click"]), len(pairs["view"]))],
        ["viewed user-item pairs that are bought", share(len(pairs["view"] & pairs["purchase"]), len(pairs["view"]))],
        ["interactions per user: least, median, most", f"{per_user[0]}, {per_user[len(per_user) // 2]}, {per_user[-1]}"],
        ["interactions of the most popular item, of the median item", f"{ordered[0]}, {ordered[len(ordered) // 2]}"],
        ["share of interactions on the most popular 20 % of the items", share(sum(ordered[:len(ordered) // 5]), len(events))],
        ["items with fewer than 20 interactions, with none", f"{sum(n < 20 for n in ordered)}, {sum(n == 0 for n in ordered)}"],
        ["interactions in the user's three favourite categories (of 14)", share(at_home, len(events))],
        ["next purchase is a companion product: seen, by chance", f"{share(followed, len(after))}, {share(expected, len(after))}"],
        ["stars 1 to 5", ", ".join(str(stars[s]) for s in range(1, 6))],
    ]
    return "\n\n".join([markdown(["events", "rows", "share"], [[k, f"{n:,}", share(n, len(events))] for k, n in kinds.most_common()]),
                        markdown(["fact", "value"], facts)])


def describe_slates(rows, truth):
    size, window = truth["slate"], truth["window"]
    slates = [rows[n:n + size] for n in range(0, len(rows), size)]
    parts = []
    table = []
    for slot in range(size):
        line = [slot + 1]
        for policy in ("uniform", "softmax_popularity"):
            shown = [s[slot] for s in slates if s[0]["policy"] == policy]
            reached, clicks = sum(r["reached"] == "1" for r in shown), sum(r["click"] == "1" for r in shown)
            line += [share(reached, len(shown)), share(clicks, len(shown)), share(clicks, reached),
                     share(truth["policies"][policy]["clicks_per_slot"][slot], 1)]
        table.append(line)
    parts.append(markdown(["position", "uniform: reached", "click", "click if reached", "true click", "softmax_popularity: reached", "click", "click if reached", "true click"], table))
    facts = []
    for policy in ("uniform", "softmax_popularity"):
        mine = [s for s in slates if s[0]["policy"] == policy]
        clicked = [any(r["click"] == "1" for r in s) for s in mine]
        idle = [s for s in mine if not any(r["click"] == "1" for r in s[:window])]
        swiped = sum(s[window]["reached"] == "1" for s in idle)
        behind = sum(any(r["click"] == "1" for r in s[window:]) for s in mine)
        facts.append([policy, f"{len(mine):,}", f"{sum(clicked) / len(mine):.4f}", f"{truth['policies'][policy]['clicks_per_slate']:.4f}",
                      share(swiped, len(idle)), share(behind, sum(clicked))])
    for policy in ("popularity_top", "attraction_top"):
        facts.append([policy + " (not logged)", "", "", f"{truth['policies'][policy]['clicks_per_slate']:.4f}", "", ""])
    parts.append(markdown(["policy", "slates", "clicks per slate", "true clicks per slate", "swipe after a page without click", "clicks behind the fold"], facts))
    weights = sorted((float(r["propensity"]) for r in rows if r["policy"] == "softmax_popularity"), reverse=True)
    parts.append(f"softmax_popularity propensities: from {weights[-1]:.6f} to {weights[0]:.6f} (uniform: {1 / truth['candidates']:.4f}).")
    return "\n\n".join(parts)


def words_of(text):
    return re.findall(r"[a-z]+|[^\sa-z]", text.lower())


def describe_reviews(rows, events):
    rated = {(e["user_id"], e["item_id"]) for e in events if e["event"] == "rating"}
    bought = {(e["user_id"], e["item_id"]) for e in events if e["event"] in ("purchase", "like", "love", "dislike")} - rated
    pairs = [(r["user_id"], r["item_id"]) for r in rows]
    sentences = [re.split(r"(?<=\.) ", r["text"]) for r in rows]
    lengths, short = [len(r["text"].split()) for r in rows], [len(r["headline"].split()) for r in rows]
    stars = collections.Counter(r["rating"] for r in rows)
    per_item = collections.defaultdict(collections.Counter)
    for r in rows:
        per_item[r["item_id"]][r["feature"]] += 1
    told = [(r["feature"], per_item[r["item_id"]] - collections.Counter([r["feature"]])) for r in rows]
    told = [(feature, others) for feature, others in told if others]
    hits = sum(others.most_common(1)[0][0] == feature for feature, others in told)
    facts = [
        ["reviews; of rated pairs, of other opinions, of pairs only clicked",
         f"{len(rows):,}; {sum(p in rated for p in pairs):,}, {sum(p in bought for p in pairs):,}, {sum(p not in rated and p not in bought for p in pairs):,}"],
        ["users and items with a review", f"{len({p[0] for p in pairs}):,}, {len(per_item)}"],
        ["stars 1 to 5", ", ".join(f"{stars[str(s)]:,}" for s in range(1, 6))],
        ["words per text: least, mean, most", f"{min(lengths)}, {sum(lengths) / len(lengths):.1f}, {max(lengths)}"],
        ["words per headline: least, mean, most", f"{min(short)}, {sum(short) / len(short):.1f}, {max(short)}"],
        ["sentences per text, 2 to 5", ", ".join(f"{sum(len(s) == n for s in sentences):,}" for n in range(2, 6))],
        ["distinct words of texts and headlines", f"{len({w for r in rows for w in words_of(r['headline'] + ' ' + r['text'])}):,}"],
        ["distinct texts, headlines, feature words", f"{len({r['text'] for r in rows}):,}, {len({r['headline'] for r in rows}):,}, {len({r['feature'] for r in rows})}"],
        ["feature word stands in the first sentence", share(sum(r["feature"] in words_of(s[0]) for r, s in zip(rows, sentences)), len(rows))],
        ["feature word is the most frequent one of the item's other reviews", share(hits, len(told))],
    ]
    return markdown(["reviews", "value"], facts)


def describe(folder):
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    events, items, users = rows_of(folder, "inter"), rows_of(folder, "item"), rows_of(folder, "user")
    return "\n\n".join([describe_events(events, items, users, truth), describe_slates(rows_of(folder, "slates"), truth),
                        describe_reviews(rows_of(folder, "review"), events)])
