#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our A/B statistics against statsmodels: Welch's test and interval, two shares, Clopper and Pearson's interval, power and sample sizes, corrections.

  compare_statsmodels.py --program build/.../ab_test_reference
Ends with 77 (skipped) where statsmodels is missing.
"""
import argparse
import json
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import NormalIndPower, tt_ind_solve_power
    from statsmodels.stats.proportion import confint_proportions_2indep, power_proportions_2indep, proportion_confint, proportions_ztest
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-6
FROM_NORMAL = 1e-3  # power: ours is normal, t's differs by less than this from 2000 users on


def cases():
    rng = np.random.default_rng(29)
    for c in range(60):
        n, m = int(rng.integers(3, 400)), int(rng.integers(3, 400))
        a = rng.exponential(1, n) if c % 3 == 0 else rng.normal(5, 2, n)
        b = rng.exponential(1.2, m) if c % 3 == 0 else rng.normal(5.4, 3, m)
        n1, n2 = int(rng.integers(20, 5000)), int(rng.integers(20, 5000))
        yield {"a": a.tolist(), "b": b.tolist(), "x": np.ones(n).tolist(), "y": np.ones(m).tolist(), "p": (rng.random(int(rng.integers(1, 12))) ** 2).tolist(),
               "n1": n1, "n2": n2, "s1": int(rng.binomial(n1, 0.2)), "s2": int(rng.binomial(n2, 0.23)), "counts": [500, 510, 490],
               "wins": rng.integers(0, 3, 80).tolist(), "losses": rng.integers(0, 3, 80).tolist(), "variance": float(rng.uniform(0.5, 9)),
               "n": int(rng.integers(100, 20000)), "effect": float(rng.uniform(0.03, 0.4))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    arguments = parser.parse_args()
    given = list(cases())
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(json.dumps(case) for case in given))
        file.flush()
        lines = subprocess.run([arguments.program, file.name], check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(lines) == len(given)
    worst = {}

    def same(name, ours, theirs, tolerance=TOLERANCE):
        error = abs(ours - theirs) / max(1.0, abs(theirs))
        worst[name] = max(worst.get(name, 0), error)
        assert error < tolerance, f"{name}: ours {ours}, theirs {theirs}"

    for case, line in zip(given, lines):
        ours = json.loads(line)
        means = CompareMeans(DescrStatsW(np.array(case["b"])), DescrStatsW(np.array(case["a"])))
        statistic, p, degrees = means.ttest_ind(usevar="unequal")
        low, high = means.tconfint_diff(alpha=0.05, usevar="unequal")
        for name, value in (("statistic", statistic), ("p", p), ("degrees", degrees), ("low", low), ("high", high)):
            same("Welch " + name, ours["welch"][name], value)

        s1, s2, n1, n2 = case["s1"], case["s2"], case["n1"], case["n2"]
        statistic, p = proportions_ztest([s2, s1], [n2, n1])  # pooled variance, as ours
        same("shares statistic", ours["shares"]["statistic"], statistic)
        same("shares p", ours["shares"]["p"], p)
        low, high = confint_proportions_2indep(s2, n2, s1, n1, method="wald", compare="diff", alpha=0.05)  # unpooled
        same("shares low", ours["shares"]["low"], low)
        same("shares high", ours["shares"]["high"], high)
        wins, losses = np.array(case["wins"]), np.array(case["losses"])
        low, high = proportion_confint(int((wins > losses).sum()), int((wins != losses).sum()), alpha=0.05, method="beta")  # Clopper and Pearson
        same("share of wins low", ours["sign"][1], low)
        same("share of wins high", ours["sign"][2], high)

        size = case["effect"] / np.sqrt(case["variance"])
        normal = NormalIndPower()
        same("power", ours["power"], normal.power(size, case["n"] / 2, 0.05, ratio=1, alternative="two-sided"))
        same("sample size", ours["size"], 2 * normal.solve_power(effect_size=size, alpha=0.05, power=0.8, ratio=1, alternative="two-sided"))
        # Its power at our effect: its own search for the effect stops at an error of some 1e-6.
        same("detectable effect", normal.power(ours["mde"] / np.sqrt(case["variance"]), case["n"] / 2, 0.05, ratio=1, alternative="two-sided"), 0.8)
        if case["n"] >= 2000 and ours["power"] < 0.999:  # far out, its distribution of t is not a number
            same("power, t instead of normal", ours["power"], tt_ind_solve_power(effect_size=size, nobs1=case["n"] / 2, alpha=0.05, ratio=1, alternative="two-sided"), FROM_NORMAL)
        # Fleiss's size of an arm: at it, the upper half of the test has the wanted power exactly.
        per_arm = ours["sharesSize"]
        power = power_proportions_2indep(0.03, 0.2, per_arm, ratio=1, alpha=0.025, alternative="larger").power
        same("sample size of shares", power, 0.8)

        for name, method in (("holm", "holm"), ("bh", "fdr_bh"), ("bonferroni", "bonferroni")):
            for mine, theirs in zip(ours[name], multipletests(case["p"], method=method)[1]):
                same(method, mine, theirs)
    print(f"{len(given)} cases agree; largest relative differences:")
    for name, error in worst.items():
        print(f"  {name:28} {error:.1e}")


if __name__ == "__main__":
    main()
