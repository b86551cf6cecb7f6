# SPDX-License-Identifier: GPL-3.0-or-later
"""What policies would truly earn in the invented shop, from sample_data/six_of_hundreds/truth.json: the numbers that the unit tests of
off-policy evaluation compare with. Slates are drawn, clicks follow in closed form from the users' behaviour. Needs Python 3 with NumPy.

    python3 tests/reference/off_policy_truth/exact_values.py [--temperature 200] [--draws 40]

The evaluated policies: items by the number of their interactions, or by the user's true attraction; those the user has met left out, tied
items at their mean rank, weights exp(-(rank - 1) / temperature) without replacement. Users are weighted as in the log (slates)."""
import argparse
import collections
import gzip
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "sample_data" / "six_of_hundreds"


def rows(name):
    with gzip.open(FOLDER / f"six_of_hundreds.{name}.gz", "rt", encoding="utf-8") as file:
        columns = [cell.split(":")[0] for cell in next(file).rstrip("\n").split("\t")]
        for line in file:
            yield dict(zip(columns, line.rstrip("\n").split("\t")))


def attractions(truth):
    """users x items: probability of a click on an item that is looked at."""
    categories, styles = list(truth["categories"]), list(truth["styles"])
    items = truth["items"]
    category = np.array([categories.index(i["category"]) for i in items.values()])
    style = np.array([styles.index(i["style"]) for i in items.values()])
    level = np.array([i["price_level"] for i in items.values()])
    quality = np.array([i["quality"] for i in items.values()])
    out = []
    for user in truth["users"].values():
        affinity = (np.array(user["taste"])[category] + np.array(user["style"])[style]
                    - truth["price_weight"] * (user["price_sensitivity"] - 0.5) * level + quality)
        out.append(1 / (1 + np.exp(-(truth["a0"] + truth["a1"] * affinity))))
    return list(truth["users"]), list(items), np.array(out)


def clicks(truth, attraction):
    """slates x slots attractions -> slates x slots expected clicks: the first click ends the visit, a page without one is swiped on."""
    window, slots = truth["window"], attraction.shape[1]
    alive, out = np.ones(len(attraction)), np.zeros_like(attraction)
    for slot in range(slots):
        if slot and slot % window == 0:
            alive = alive * truth["swipe"]
        out[:, slot] = alive * truth["theta"][slot % window] * attraction[:, slot]
        alive = alive - out[:, slot]
    return out


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--temperature", type=float, nargs="*", default=[100, 200, 400])
    arguments.add_argument("--draws", type=int, default=40, help="slates per user")
    arguments.add_argument("--seed", type=int, default=7)
    arguments = arguments.parse_args()
    truth = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))
    users, items, attraction = attractions(truth)
    at_user, at_item = {u: k for k, u in enumerate(users)}, {i: k for k, i in enumerate(items)}
    popularity, seen = collections.Counter(), collections.defaultdict(set)
    for row in rows("inter"):
        popularity[at_item[row["item_id"]]] += 1
        seen[at_user[row["user_id"]]].add(at_item[row["item_id"]])
    sessions = collections.Counter(at_user[row["user_id"]] for row in rows("slates") if row["slot"] == "0")
    count = np.array([popularity[i] for i in range(len(items))])
    random = np.random.default_rng(arguments.seed)
    for order, temperature in [(o, t) for o in ("popularity", "attraction") for t in arguments.temperature]:
        mean, variance, first, weights = 0.0, 0.0, 0.0, sum(sessions.values())
        for user, share in sessions.items():
            free = np.array([i for i in range(len(items)) if i not in seen[user]])
            score = count[free] if order == "popularity" else attraction[user][free]
            above = (score[None, :] > score[:, None]).sum(axis=1)  # rank 1 is the best; tied items share the mean of their ranks
            rank = above + (1 + (score[None, :] == score[:, None]).sum(axis=1)) / 2
            keys = -(rank - 1) / temperature + random.gumbel(size=(arguments.draws, len(free)))
            slate = free[np.argsort(-keys, axis=1)[:, :truth["slate"]]]
            earned = clicks(truth, attraction[user][slate])
            mean += share * earned.sum() / arguments.draws / weights
            first += share * earned[:, 0].mean() / weights
            variance += (share / weights) ** 2 * earned.sum(axis=1).var(ddof=1) / arguments.draws
        print(f"{order}, temperature {temperature:g}: {mean:.5f} clicks per slate (standard error {variance ** 0.5:.5f}), first slot {first:.5f}")


if __name__ == "__main__":
    main()
