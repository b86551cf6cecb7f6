#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our A/B statistics against scipy, and against formulas written out in NumPy where scipy has none (ratio metric, CUPED, regression adjustment).

  compare_ab_test.py --program build/.../ab_test_reference
Ends with 77 (skipped) where scipy is missing.
"""
import argparse
import json
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from scipy import stats
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(11)
    cases = []
    for c in range(60):
        n, m = int(rng.integers(3, 400)), int(rng.integers(3, 400))
        x = rng.integers(1, 12, n).astype(np.float32).astype(float)
        y = rng.integers(1, 12, m).astype(np.float32).astype(float)
        skew = c % 3 == 0
        a = (rng.exponential(1, n) if skew else rng.normal(5, 2, n)) + 0.3 * x
        b = (rng.exponential(1.2, m) if skew else rng.normal(5.4, 3, m)) + 0.3 * y
        p = rng.random(int(rng.integers(1, 9))) ** 2
        n1, n2 = int(rng.integers(20, 5000)), int(rng.integers(20, 5000))
        wins = rng.integers(0, 3, 80)
        losses = rng.integers(0, 3, 80)
        cases.append({"a": a.tolist(), "b": b.tolist(), "x": x.tolist(), "y": y.tolist(), "p": p.tolist(), "n1": n1, "n2": n2,
                      "s1": int(rng.binomial(n1, 0.2)), "s2": int(rng.binomial(n2, 0.23)), "counts": rng.integers(400, 600, 3).tolist(),
                      "wins": wins.tolist(), "losses": losses.tolist(), "variance": float(rng.uniform(0.5, 9)), "n": int(rng.integers(100, 20000)), "effect": float(rng.uniform(0.01, 0.4))})
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(json.dumps(case) for case in cases))
        file.flush()
        lines = subprocess.run([arguments.program, file.name], check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(lines) == len(cases)
    worst = {}

    def same(name, ours, theirs):
        error = abs(ours - theirs) / max(1.0, abs(theirs))
        worst[name] = max(worst.get(name, 0), error)
        assert error < TOLERANCE, f"{name}: ours {ours}, theirs {theirs}"

    z95 = stats.norm.ppf(0.975)
    for case, line in zip(cases, lines):
        ours = json.loads(line)
        a, b, x, y = (np.array(case[k]) for k in "abxy")
        welch = stats.ttest_ind(b, a, equal_var=False)
        interval = welch.confidence_interval(0.95)
        for name, value in (("statistic", welch.statistic), ("p", welch.pvalue), ("degrees", welch.df), ("low", interval.low), ("high", interval.high)):
            same("welch " + name, ours["welch"][name], value)
        s1, s2, n1, n2 = case["s1"], case["s2"], case["n1"], case["n2"]
        pooled = (s1 + s2) / (n1 + n2)
        z = (s2 / n2 - s1 / n1) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        same("shares p", ours["shares"]["p"], 2 * stats.norm.sf(abs(z)))
        # z squared is Pearson's chi-squared without correction
        same("shares chi", ours["shares"]["statistic"] ** 2, stats.chi2_contingency([[s1, n1 - s1], [s2, n2 - s2]], correction=False).statistic)
        error = np.sqrt(s1 / n1 * (1 - s1 / n1) / n1 + s2 / n2 * (1 - s2 / n2) / n2)
        same("shares high", ours["shares"]["high"], s2 / n2 - s1 / n1 + z95 * error)

        def ratio(top, bottom):
            r = top.mean() / bottom.mean()
            return r, ((top - r * bottom).var(ddof=1)) / (len(top) * bottom.mean() ** 2)  # residuals: the delta method in one line
        (rc, vc), (rt, vt) = ratio(a, x), ratio(b, y)
        same("ratio difference", ours["ratio"]["difference"], rt - rc)
        same("ratio error", ours["ratio"]["se"], np.sqrt(vc + vt))
        theta = (((x - x.mean()) * (a - a.mean())).sum() + ((y - y.mean()) * (b - b.mean())).sum()) / (((x - x.mean()) ** 2).sum() + ((y - y.mean()) ** 2).sum())
        adjusted = stats.ttest_ind(b - theta * y, a - theta * x, equal_var=False)
        same("cuped p", ours["cuped"]["p"], adjusted.pvalue)
        centre = np.concatenate([x, y]).mean()
        intercepts, between, variances = [], [], []
        for outcome, covariate in ((a, x), (b, y)):
            slope, intercept = np.polyfit(covariate - centre, outcome, 1)
            intercepts.append(intercept)
            between.append(slope)
            variances.append(((outcome - intercept - slope * (covariate - centre)) ** 2).sum() / (len(outcome) - 2) / len(outcome))
        all_x = np.concatenate([x, y]) - centre
        error = np.sqrt(sum(variances) + (between[1] - between[0]) ** 2 * (all_x ** 2).sum() / len(all_x) ** 2)
        same("regression difference", ours["lin"]["difference"], intercepts[1] - intercepts[0])
        same("regression error", ours["lin"]["se"], error)
        for ours_p, theirs_p in zip(ours["bh"], stats.false_discovery_control(case["p"])):
            same("Benjamini-Hochberg", ours_p, theirs_p)
        order = np.argsort(case["p"], kind="stable")
        steps = np.minimum(1, np.maximum.accumulate(np.array(case["p"])[order] * (len(order) - np.arange(len(order)))))
        for place, value in zip(order, steps):
            same("Holm", ours["holm"][place], value)
        chi = stats.chisquare(case["counts"])
        same("sample ratio", ours["srm"][1], chi.pvalue)
        wins, losses = np.array(case["wins"]), np.array(case["losses"])
        test = stats.binomtest(int((wins > losses).sum()), int((wins != losses).sum()), 0.5)
        bounds = test.proportion_ci(0.95, method="exact")
        for name, mine, theirs in (("p", ours["sign"][0], test.pvalue), ("low", ours["sign"][1], bounds.low), ("high", ours["sign"][2], bounds.high)):
            same("sign test " + name, mine, theirs)
        error = np.sqrt(4 * case["variance"] / case["n"])
        away = case["effect"] / error
        same("power", ours["power"], stats.norm.sf(z95 - away) + stats.norm.sf(z95 + away))
        error = np.sqrt(4 * case["variance"] / ours["size"])
        same("sample size", stats.norm.sf(z95 - case["effect"] / error) + stats.norm.sf(z95 + case["effect"] / error), 0.8)
        error = np.sqrt(4 * case["variance"] / case["n"])
        same("detectable effect", stats.norm.sf(z95 - ours["mde"] / error) + stats.norm.sf(z95 + ours["mde"] / error), 0.8)
    print(f"{len(cases)} cases agree; largest relative differences:")
    for name, error in worst.items():
        print(f"  {name:24} {error:.1e}")


if __name__ == "__main__":
    main()
