#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our off-policy estimates against the Open Bandit Pipeline (obp) on the Open Bandit sample, given the same weights and reward predictions.

  compare_off_policy.py --program build/.../off_policy_reference [--data FOLDER]

Without obp or the data it says so and ends with 77 (skipped). Logs: campaign "men", 34 items, 3 positions.
  uniform on BTS       the log of Bernoulli Thompson sampling, evaluated policy uniform: few rounds carry most of the weight
  BTS on uniform       the uniform log, evaluated policy: how often BTS showed an item in that position
  one item on uniform  a deterministic policy, for replay
  both logs            several loggers: balanced and weighted
  slates               the i-th rows of the three positions side by side
Predicted rewards: smoothed click rates of the other log by item and position. Lambdas chosen by SLOPE and by the bound on the MSE are compared too.
"""
import argparse
import csv
import os
import subprocess
import sys
import tempfile

import obp_modules

ITEMS, POSITIONS = 34, 3
TOLERANCE = 1e-8
LAMBDAS = [0.0, 0.05, 0.5, 1.0, 2.0, 10.0, 100.0, float("inf")]
SMOOTH = [0.0, 0.05, 0.5, 1.0]


def default_data():
    share = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(os.environ.get("CAROUSEL_LAB_DATA") or os.path.join(share, "carousel-lab", "data"), "open-bandit")


def read_log(path, np):
    columns = {"item_id": [], "position": [], "click": [], "propensity_score": []}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name, values in columns.items():
                values.append(float(row[name]))
    return {"action": np.array(columns["item_id"], dtype=np.int64), "position": np.array(columns["position"], dtype=np.int64) - 1,
            "reward": np.array(columns["click"]), "pscore": np.array(columns["propensity_score"])}


def by_item_and_position(log, np):
    shows, clicks = np.zeros((ITEMS, POSITIONS)), np.zeros((ITEMS, POSITIONS))
    np.add.at(shows, (log["action"], log["position"]), 1)
    np.add.at(clicks, (log["action"], log["position"]), log["reward"])
    return shows, clicks


def write(folder, name, values, kind):
    values.astype(kind).tofile(os.path.join(folder, name))


def ours(program, arguments):
    text = subprocess.run([program] + arguments, check=True, capture_output=True, text=True).stdout
    return {(fields[0], fields[1]): float(fields[2]) for fields in (line.split() for line in text.splitlines())}


class Comparison:
    def __init__(self):
        self.worst, self.count = 0.0, 0

    def add(self, name, mine, theirs):
        difference = abs(mine - theirs)
        if not difference <= TOLERANCE:  # NaN as well
            print(f"  {name:28s} ours {mine:.12g}  obp {theirs:.12g}  DIFFERS by {difference:.1e}")
        self.worst = max(self.worst, difference if difference == difference else float("inf"))
        self.count += 1


def compare_rounds(title, program, log, policy, model, modules, np, result, deterministic=False, pscore_average=None, logger=None):
    """policy and model: items x positions."""
    e, multi, tuning = modules["estimators"], modules["estimators_multi"], modules["estimators_tuning"]
    n = len(log["reward"])
    action_dist, q_hat = np.repeat(policy[None], n, 0), np.repeat(model[None], n, 0)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "reward", log["reward"], np.float64)
        write(folder, "propensity", log["pscore"], np.float64)
        write(folder, "action", log["action"], np.int32)
        write(folder, "policy", policy.T[log["position"]], np.float64)
        write(folder, "predictions", model.T[log["position"]], np.float64)
        if pscore_average is not None:
            write(folder, "mixture", pscore_average, np.float64)
            write(folder, "logger", logger, np.uint8)
        mine = ours(program, ["rounds", folder, str(ITEMS)] + [repr(value) for value in LAMBDAS])
    inputs = dict(reward=log["reward"], action=log["action"], position=log["position"], pscore=log["pscore"], action_dist=action_dist,
                  estimated_rewards_by_reg_model=q_hat)
    checked = result.count

    def check(name, estimator, lambda_=0.0, **more):
        result.add(f"{name} {lambda_:g}", mine[(name, f"{lambda_:.17g}")], float(estimator.estimate_policy_value(**{**inputs, **more})))

    check("ips", e.InverseProbabilityWeighting())
    check("snips", e.SelfNormalizedInverseProbabilityWeighting())
    check("dm", e.DirectMethod())
    check("dr", e.DoublyRobust())
    check("sndr", e.SelfNormalizedDoublyRobust())
    for value in LAMBDAS:
        check("clipped-ips", e.InverseProbabilityWeighting(lambda_=value), value)
        check("switch-dr", e.SwitchDoublyRobust(lambda_=value), value)
        if value > 0 or (action_dist[np.arange(n), log["action"], log["position"]] > 0).all():  # obp divides 0 by 0
            check("dr-os", e.DoublyRobustWithShrinkage(lambda_=value), value)
    for value in SMOOTH[: 3 if deterministic else 4]:  # obp divides 0 by 0 where a weight is 0 and lambda 1
        check("sg-ips", e.SubGaussianInverseProbabilityWeighting(lambda_=value), value)
        check("sg-dr", e.SubGaussianDoublyRobust(lambda_=value), value)
    if deterministic:
        check("rm", e.ReplayMethod())
    if pscore_average is not None:
        check("balanced-ips", multi.MultiLoggersBalancedInverseProbabilityWeighting(), pscore_avg=pscore_average)
        check("weighted-ips", multi.MultiLoggersWeightedInverseProbabilityWeighting(), stratum_idx=logger)
        check("weighted-dr", multi.MultiLoggersWeightedDoublyRobust(), stratum_idx=logger)
    if not deterministic:
        for ours_name, base, lambdas in (("clipped-ips", tuning.InverseProbabilityWeightingTuning, LAMBDAS), ("switch-dr", tuning.SwitchDoublyRobustTuning, LAMBDAS),
                                         ("dr-os", tuning.DoublyRobustWithShrinkageTuning, LAMBDAS), ("sg-ips", tuning.SubGaussianInverseProbabilityWeightingTuning, SMOOTH),
                                         ("sg-dr", tuning.SubGaussianDoublyRobustTuning, SMOOTH)):
            for method in ("slope", "mse"):
                tuned = base(lambdas=list(lambdas), tuning_method=method)
                tuned.estimate_policy_value(**inputs)
                chosen = mine[(ours_name, method)]
                same = chosen == tuned.best_hyperparam  # infinity minus itself is no number
                result.add(f"{ours_name} lambda by {method}", 0.0 if same else chosen, 0.0 if same else tuned.best_hyperparam)
    print(f"{title}: {n} rounds, {int(log['reward'].sum())} clicks, IPS {mine[('ips', '0')]:.6f}, DR {mine[('dr', '0')]:.6f}; {result.count - checked} numbers compared")


def compare_slates(title, program, log, policy, model, modules, np, result):
    e = modules["estimators_slate"]
    rows = [np.flatnonzero(log["position"] == p) for p in range(POSITIONS)]
    n = min(len(r) for r in rows)
    order = np.stack([r[:n] for r in rows], 1).reshape(-1)  # slate after slate, slot after slot
    action, reward, pscore = log["action"][order], log["reward"][order], log["pscore"][order]
    position, slate = np.tile(np.arange(POSITIONS), n), np.repeat(np.arange(n), POSITIONS)
    target = policy[action, position]
    predicted, under = model[action, position], (policy * model).sum(0)[position]
    cascade, target_cascade = np.cumprod(pscore.reshape(n, -1), 1).reshape(-1), np.cumprod(target.reshape(n, -1), 1).reshape(-1)
    whole, target_whole = np.repeat(cascade[POSITIONS - 1::POSITIONS], POSITIONS), np.repeat(target_cascade[POSITIONS - 1::POSITIONS], POSITIONS)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "offsets", np.arange(n + 1) * POSITIONS, np.int64)
        for name, values in (("reward", reward), ("conditional", pscore), ("targetConditional", target), ("marginal", pscore), ("targetMarginal", target),
                             ("predicted", predicted), ("predictedUnderTarget", under)):
            write(folder, name, values, np.float64)
        mine = ours(program, ["slates", folder])
    inputs = dict(slate_id=slate, action=action, reward=reward, position=position, pscore=whole, evaluation_policy_pscore=target_whole,
                  pscore_item_position=pscore, evaluation_policy_pscore_item_position=target, pscore_cascade=cascade,
                  evaluation_policy_pscore_cascade=target_cascade, q_hat=np.tile(model.T.reshape(-1), n),
                  evaluation_policy_action_dist=np.tile(policy.T.reshape(-1), n))
    for name, estimator in (("sips", e.SlateStandardIPS(POSITIONS)), ("iips", e.SlateIndependentIPS(POSITIONS)), ("rips", e.SlateRewardInteractionIPS(POSITIONS)),
                            ("snsips", e.SelfNormalizedSlateStandardIPS(POSITIONS)), ("sniips", e.SelfNormalizedSlateIndependentIPS(POSITIONS)),
                            ("snrips", e.SelfNormalizedSlateRewardInteractionIPS(POSITIONS)), ("cascade-dr", e.SlateCascadeDoublyRobust(POSITIONS, ITEMS))):
        result.add(name, mine[(name, "0")], float(estimator.estimate_policy_value(**inputs)))
    print(f"{title}: {n} slates, SIPS {mine[('sips', '0')]:.6f}, RIPS {mine[('rips', '0')]:.6f}, IIPS {mine[('iips', '0')]:.6f}; 7 numbers compared")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", default=default_data())
    arguments = parser.parse_args()
    files = [os.path.join(arguments.data, policy, "men", "men.csv") for policy in ("random", "bts")]
    absent = [path for path in files if not os.path.exists(path)]
    if absent:
        print(f"skipped: no Open Bandit sample ({os.path.join(*absent[0].split(os.sep)[-3:])}); packaging/fetch.sh fetches it")
        return 77
    try:
        import numpy as np
        import warnings
        modules = obp_modules.load()
        version = obp_modules.version()
    except ImportError as error:
        print(f"skipped: {error}; install obp and scikit-learn for this Python ({sys.executable})")
        return 77
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)

    uniform_log, bts_log = (read_log(path, np) for path in files)
    uniform_shows, uniform_clicks = by_item_and_position(uniform_log, np)
    bts_shows, bts_clicks = by_item_and_position(bts_log, np)
    rate = lambda shows, clicks: (clicks + 1) / (shows + 200)
    model_of_uniform, model_of_bts = rate(uniform_shows, uniform_clicks), rate(bts_shows, bts_clicks)
    uniform = np.full((ITEMS, POSITIONS), 1 / ITEMS)
    bts = (bts_shows + 1) / (bts_shows + 1).sum(0)
    best = np.zeros((ITEMS, POSITIONS))
    best[model_of_bts.argmax(0), np.arange(POSITIONS)] = 1

    print(f"obp {version}")
    result = Comparison()
    with np.errstate(all="ignore"):
        compare_rounds("uniform on BTS", arguments.program, bts_log, uniform, model_of_uniform, modules, np, result)
        compare_rounds("BTS on uniform", arguments.program, uniform_log, bts, model_of_bts, modules, np, result)
        compare_rounds("one item on uniform", arguments.program, uniform_log, best, model_of_bts, modules, np, result, deterministic=True)
        both = {name: np.concatenate([uniform_log[name], bts_log[name]]) for name in uniform_log}
        n = [len(uniform_log["reward"]), len(bts_log["reward"])]
        logger = np.repeat([0, 1], n)
        other = np.where(logger == 0, bts[both["action"], both["position"]], 1 / ITEMS)
        own_share = np.where(logger == 0, n[0], n[1]) / sum(n)
        compare_rounds("both logs", arguments.program, both, bts, model_of_bts, modules, np, result,
                       pscore_average=own_share * both["pscore"] + (1 - own_share) * other, logger=logger)
        compare_slates("slates of the uniform log", arguments.program, uniform_log, bts, model_of_bts, modules, np, result)
        compare_slates("slates of the BTS log", arguments.program, bts_log, uniform, model_of_uniform, modules, np, result)
    print(f"{result.count} numbers, largest difference {result.worst:.1e}")
    if not result.worst <= TOLERANCE:
        print(f"FAILED: more than {TOLERANCE:.0e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
