#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scorer outside the program: popularity with a twist. Python 3 standard library only; copy it and change learn() and score().

    [[strategy]]                                            in a study's file
    name = "Mine"
    [strategy.scorer]
    plugin = "external"
    command = "python3 docs/external_scorer.py"

An item scores by how many users liked it; the twist: what the user has already met is worth a share of that only. The options are that
share as JSON, for example {"again": 0.25}; without options it is 0.5. Messages for people go to standard error.
"""
import json
import sys


def learn(items, histories, options):
    """Whatever score() needs, from the catalogue and every user's training history."""
    again = json.loads(options)["again"] if options else 0.5
    likes = {item["id"]: 0 for item in items}
    for history in histories.values():
        for item in {event["item"] for event in history if event["liked"]}:
            likes[item] += 1
    return likes, again


def score(model, user, history, candidates):
    likes, again = model
    met = {event["item"] for event in history}
    return {item: likes[item] * (again if item in met else 1) for item in candidates}


def main():
    catalogue, histories, model = None, {}, None
    for text in sys.stdin:
        line = json.loads(text)
        if line["type"] == "catalogue":
            catalogue = line
        elif line["type"] == "history":
            histories[line["user"]] = line["history"]
        elif line["type"] == "fit":
            model = learn(catalogue["items"], histories, catalogue["options"])
            print(json.dumps({"ready": True}), flush=True)
        elif line["type"] == "score":
            scores = score(model, line["user"], line["history"], line["candidates"])
            print(json.dumps({"scores": scores}), flush=True)


if __name__ == "__main__":
    main()
