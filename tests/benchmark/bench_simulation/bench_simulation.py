#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated carousels a second against a plain NumPy loop over visits (the way simulators in Python are written: one user, one slate, one draw after the
other), and 10,000 bootstrap draws of 100,000 users against NumPy. The click rates of both simulators must agree within four standard errors, and the
bootstrap means to four digits, or no ratio is printed.

  bench_simulation.py --program build/.../bench_simulation [--users N] [--rounds N]
Goals: 1,000,000 carousels a second and 50 times the loop on two cores; bootstrap 20 times NumPy.
"""
import argparse
import json
import math
import subprocess
import tempfile
import time

import numpy as np

THETA = np.array([0.95, 0.86, 0.77, 0.69, 0.62, 0.55])
SWIPE, BUY, WINDOW, SLOTS = 0.35, 0.15, 6, 12


def loop(users, items, user_vectors, item_vectors, item_bias, rankings, visits, rng):
    """Visit by visit, as a person would write it; clicked items leave the next slates of the user."""
    clicked = [set() for _ in range(users)]
    clicks = done = 0
    start = time.perf_counter()
    while done < visits:
        for u in range(users):
            if done == visits:
                break
            done += 1
            slate = [i for i in rankings[u] if i not in clicked[u]][:SLOTS]
            attraction = 1 / (1 + np.exp(-(-5 + item_bias[slate] + item_vectors[slate] @ user_vectors[u])))
            for page in range(0, SLOTS, WINDOW):
                if page and rng.random() >= SWIPE:
                    break
                hit = rng.random(WINDOW) < THETA * attraction[page:page + WINDOW]
                if hit.any():
                    clicked[u].add(slate[page + int(hit.argmax())])
                    rng.random()  # the purchase
                    clicks += 1
                    break
    return clicks, done, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    users, items, rank, length = arguments.users, 400, 8, 60
    rng = np.random.default_rng(3)
    user_vectors = rng.normal(0, 1, (users, rank)).astype(np.float32)
    item_vectors = rng.normal(0, 0.35, (items, rank)).astype(np.float32)
    item_bias = rng.normal(0, 0.3, items).astype(np.float32)
    rankings = np.argsort(-(user_vectors @ item_vectors.T + item_bias), axis=1)[:, :length].astype(np.int32)
    outcome = rng.poisson(1.3, 100_000).astype(np.float64)
    with tempfile.TemporaryDirectory() as folder:
        user_vectors.tofile(folder + "/user_vectors.f32")
        item_vectors.tofile(folder + "/item_vectors.f32")
        item_bias.tofile(folder + "/item_bias.f32")
        rankings.tofile(folder + "/rankings.i32")
        outcome.tofile(folder + "/outcome.f64")
        ours, python, numpy_bootstrap = [], [], []
        for repetition in range(3):  # in turn, so that all see the same minutes
            ours.append(json.loads(subprocess.run([arguments.program, folder, str(users), str(items), str(rank), str(length), str(arguments.rounds)],
                                                  check=True, capture_output=True, text=True).stdout))
            # The loop's visits are first rounds of some users: compared with ours of one round.
            python.append(loop(min(users, 6000), items, user_vectors, item_vectors, item_bias, rankings.tolist(), 6000, np.random.default_rng(repetition)))
            start = time.perf_counter()
            draws = 100  # a hundredth of the work, scaled: 10,000 would take minutes
            means = [outcome[rng.integers(0, outcome.size, outcome.size)].mean() for _ in range(draws)]
            numpy_bootstrap.append((time.perf_counter() - start) * 10_000 / draws)
        first = json.loads(subprocess.run([arguments.program, folder, str(users), str(items), str(rank), str(length), "1"], check=True, capture_output=True, text=True).stdout)
    rate, loop_rate = first["clicks"] / first["visits"], sum(p[0] for p in python) / sum(p[1] for p in python)
    error = math.sqrt(loop_rate * (1 - loop_rate) / sum(p[1] for p in python))
    print(f"click rate of first visits: ours {rate:.4f}, loop {loop_rate:.4f} (standard error {error:.4f})")
    assert abs(rate - loop_rate) < 4 * error, "the two do not simulate the same"
    for mean in ("bootstrapMean", "groupedMean"):
        assert abs(ours[0][mean] - outcome.mean()) < 1e-3, "the bootstrap's mean is off"
    speed = sorted(o["visits"] / o["seconds"] for o in ours)[1]
    loop_speed = sorted(p[1] / p[2] for p in python)[1]
    print(f"carousels a second: ours {speed:,.0f}, NumPy loop {loop_speed:,.0f}: {speed / loop_speed:.0f} times (goals 1,000,000 and 50)")
    bootstrap, peer = sorted(o["bootstrapSeconds"] for o in ours)[1], sorted(numpy_bootstrap)[1]
    print(f"10,000 bootstrap draws of 100,000 users: ours {bootstrap:.2f} s, NumPy {peer:.2f} s (100 draws, scaled): {peer / bootstrap:.1f} times (goal 20)")
    grouped = sorted(o["groupedSeconds"] for o in ours)[1]
    print(f"the same where values repeat, users of equal values drawn together: {grouped:.3f} s, {peer / grouped:.0f} times")


if __name__ == "__main__":
    main()
