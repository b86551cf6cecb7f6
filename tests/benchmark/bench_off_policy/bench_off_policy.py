#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Off-policy estimates at speed: 1,000,000 rounds x 10 actions against the Open Bandit Pipeline (obp), IPS, SNIPS and DR, point estimates and
intervals with 1,000 bootstrap draws. Both sides start from the same arrays: reward, logged action, propensity, the target policy's probabilities of
all actions and predicted rewards of all actions. The values must agree to 1e-8 and the intervals' ends to 15 % of their width (the
draws are random on either side: one in a thousand ends is off by more than a tenth), or no ratio is printed.

  bench_off_policy.py --program build/.../bench_off_policy [--rounds N] [--actions N] [--draws N]
Goals: IPS and SNIPS at least 5 times obp, DR at least 10 times, intervals at least 10 times. obp takes the real 1,000 draws once; with --draws N it
takes N and its time is scaled, which the printed line then says. obp redraws terms whose self-normalisation is fixed; ours redraws the ratio.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "reference", "off_policy"))
import obp_modules

import numpy as np

DRAWS = 1000


def median_seconds(work, repetitions):
    """Medians of wall time and of processor time (all threads); with one repetition nothing is warmed up."""
    if repetitions > 1:
        work()
    wall, processor = [], []
    for _ in range(repetitions):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return float(np.median(wall)), float(np.median(processor))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=1_000_000)
    parser.add_argument("--actions", type=int, default=10)
    parser.add_argument("--draws", type=int, default=DRAWS)
    arguments = parser.parse_args()
    n, actions = arguments.rounds, arguments.actions
    rng = np.random.default_rng(7)

    def policies(scale):
        weight = np.exp(rng.normal(0, scale, (n, actions)))
        return weight / weight.sum(1, keepdims=True)

    logged, target = policies(0.8), policies(0.8)
    action = (logged.cumsum(1) < rng.random((n, 1))).sum(1).clip(0, actions - 1)
    rate = 0.02 + 0.06 * rng.random(actions)
    reward = (rng.random(n) < rate[action]).astype(float)
    predictions = np.clip(rate + rng.normal(0, 0.01, (n, actions)), 0, 1)
    pscore = logged[np.arange(n), action]
    del logged
    print(f"obp {obp_modules.version()}; {n:,} rounds x {actions} actions, {int(reward.sum()):,} rewards, {os.cpu_count()} cores")
    estimators = obp_modules.load()["estimators"]
    with tempfile.TemporaryDirectory() as folder:
        for name, values, kind in (("reward", reward, np.float64), ("propensity", pscore, np.float64), ("action", action, np.int32),
                                   ("policy", target, np.float64), ("predictions", predictions, np.float64)):
            values.astype(kind).tofile(os.path.join(folder, name))

        def ours():
            return json.loads(subprocess.run([arguments.program, folder, str(actions)], check=True, capture_output=True, text=True).stdout)

        first = ours()
        inputs = dict(reward=reward, action=action, pscore=pscore, action_dist=target[:, :, None], position=np.zeros(n, dtype=int))
        peers = {}
        for name, estimator, model in (("ips", estimators.InverseProbabilityWeighting(), False),
                                       ("snips", estimators.SelfNormalizedInverseProbabilityWeighting(), False), ("dr", estimators.DoublyRobust(), True)):
            given = {**inputs, "estimated_rewards_by_reg_model": predictions[:, :, None]} if model else inputs
            value = float(estimator.estimate_policy_value(**given))
            point = median_seconds(lambda: estimator.estimate_policy_value(**given), 7)
            interval = {}
            bootstrap = median_seconds(lambda: interval.update(estimator.estimate_interval(**given, n_bootstrap_samples=arguments.draws, random_state=1)), 1)
            peers[name] = (value, point, interval, [seconds * DRAWS / arguments.draws for seconds in bootstrap])
        second = ours()

    print(f"ours: {first['threads']} threads; times are the mean of a run before and one after obp; load {os.getloadavg()[0]:.1f}")
    reached = True
    for name, goal in (("ips", 5), ("snips", 5), ("dr", 10)):
        value, point, interval, bootstrap = peers[name]
        mine = {key: (first[name][key] + second[name][key]) / 2 for key in first[name]}
        difference = abs(mine["value"] - value)
        ends = [v for k, v in interval.items() if k != "mean"]
        width = ends[1] - ends[0]
        apart = max(abs(mine["low"] - ends[0]), abs(mine["high"] - ends[1])) / width
        if difference > 1e-8:
            print(f"{name}: the values differ by {difference:.1e}; no ratio")
            return 1
        ratio = point[0] / mine["wall"]
        reached = reached and ratio >= goal
        print(f"{name:5s} point     ours {mine['wall'] * 1e3:8.2f} ms wall {mine['processor'] * 1e3:8.2f} processor; obp {point[0] * 1e3:8.1f} wall {point[1] * 1e3:8.1f} "
              f"processor; ratio {ratio:.1f} wall (goal {goal}), {point[1] / mine['processor']:.1f} processor; values agree to {difference:.0e}")
        # Fewer draws, rougher ends; and obp holds the denominator of SNIPS fixed, which widens its interval.
        if apart > (0.15 * np.sqrt(DRAWS / arguments.draws) if name != "snips" else 1):
            print(f"{name}: the intervals differ by {apart:.2f} of their width; no ratio")
            return 1
        ratio = bootstrap[0] / mine["intervalWall"]
        reached = reached and ratio >= 10
        scaled = "" if arguments.draws == DRAWS else f" (scaled from {arguments.draws} draws)"
        print(f"{name:5s} interval  ours {mine['intervalWall']:8.3f} s  wall {mine['intervalProcessor']:8.3f} processor; obp {bootstrap[0]:8.2f} wall {bootstrap[1]:8.2f} "
              f"processor{scaled}; ratio {ratio:.1f} wall (goal 10), {bootstrap[1] / mine['intervalProcessor']:.1f} processor; ours {mine['low']:.6f} to {mine['high']:.6f}, "
              f"obp {ends[0]:.6f} to {ends[1]:.6f}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
