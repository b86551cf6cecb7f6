#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics at speed: 10,000 users x 100 items, nDCG@10 + MRR + MAP, against NumPy (argsort on a dense array, no ids to join) and ranx (warm,
its Qrels and Run already built). Ours joins user and item ids in every repetition. The three must agree to 1e-6, or no ratio is printed.

  bench_metrics.py --program build/.../bench_metrics [--no-ranx]
Goals: at least 50 times ranx and 15 times NumPy. Needs numpy, and ranx unless --no-ranx.
"""
import argparse, json, os, subprocess, sys, tempfile, time
import numpy as np

USERS, ITEMS, CATALOGUE = 10_000, 100, 5_000


def median_seconds(work, repetitions):
    """Medians of wall time and of processor time (all threads)."""
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
    parser.add_argument("--no-ranx", action="store_true")
    arguments = parser.parse_args()
    rng = np.random.default_rng(5)
    scores = rng.random((USERS, ITEMS), dtype=np.float32)
    relevant = rng.random((USERS, ITEMS)) < 0.05
    relevant[relevant.sum(1) == 0, 0] = True
    items = np.stack([rng.choice(CATALOGUE, ITEMS, replace=False) for _ in range(USERS)]).astype(np.int32)
    users = rng.permutation(USERS * 10)[:USERS].astype(np.int64)
    sample = rng.random(100_000, dtype=np.float32)
    truth_order = rng.permutation(USERS)

    with tempfile.TemporaryDirectory() as folder:
        def save(name, array):
            array.tofile(os.path.join(folder, name))
        save("run.users", users)
        save("run.offsets", np.arange(USERS + 1, dtype=np.int64) * ITEMS)
        save("run.items", items)
        save("run.scores", scores)
        save("truth.users", users[truth_order])
        save("truth.offsets", np.concatenate([[0], np.cumsum(relevant[truth_order].sum(1))]).astype(np.int64))
        save("truth.items", np.concatenate([items[u][relevant[u]] for u in truth_order]).astype(np.int32))
        save("sample", sample)

        def ours():
            return json.loads(subprocess.run([arguments.program, folder], check=True, capture_output=True, text=True).stdout)

        first = ours()

        def dense():
            order = np.argsort(-scores, 1, kind="stable")
            gain = np.take_along_axis(relevant, order, 1)
            discount = 1 / np.log2(np.arange(2, 12))
            ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(relevant.sum(1), 10)]
            ndcg = (gain[:, :10] * discount).sum(1) / ideal
            hits = np.cumsum(gain, 1)
            average = (hits / np.arange(1, ITEMS + 1) * gain).sum(1) / relevant.sum(1)
            return ndcg.mean(), (1 / (1 + gain.argmax(1))).mean(), average.mean()

        peers = {"NumPy": (median_seconds(dense, 11), dense(), 15)}

        def resample():
            draw = np.random.default_rng(1)
            return [sample[draw.integers(0, len(sample), len(sample))].mean() for _ in range(100)]

        bootstrap = [5 * seconds for seconds in median_seconds(resample, 1)]
        if not arguments.no_ranx:
            import ranx
            truth = ranx.Qrels({f"u{users[u]}": {f"i{i}": 1 for i in items[u][relevant[u]]} for u in range(USERS)})
            run = ranx.Run({f"u{users[u]}": dict(zip((f"i{i}" for i in items[u]), scores[u].astype(float).tolist())) for u in range(USERS)})
            names = ["ndcg@10", "mrr", "map"]
            values = ranx.evaluate(truth, run, names)
            peers["ranx"] = (median_seconds(lambda: ranx.evaluate(truth, run, names), 7), [values[n] for n in names], 50)
        second = ours()

    mine = {key: (first[key] + second[key]) / 2 for key in first}
    print(f"{USERS:,} users x {ITEMS} items, id joins included, {first['threads']} threads, {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    print(f"ours: nDCG@10 + MRR + MAP {mine['both'] * 1e3:.2f} ms wall, {mine['bothProcessor'] * 1e3:.2f} ms processor (wall before the peers {first['both'] * 1e3:.2f}, after {second['both'] * 1e3:.2f})")
    reached = True
    for name, ((wall, processor), values, goal) in peers.items():
        worst = max(abs(a - b) for a, b in zip(values, (first["ndcg"], first["mrr"], first["map"])))
        if worst > 1e-6:
            print(f"{name}: the values differ by {worst:.1e}; no ratio")
            return 1
        print(f"{name}: {wall * 1e3:.1f} ms wall, {processor * 1e3:.1f} ms processor; ratio {wall / mine['both']:.0f} wall (goal {goal}), {processor / mine['bothProcessor']:.0f} processor; "
              f"values agree to {worst:.0e}")
        reached = reached and wall / mine["both"] >= goal
    print(f"bootstrap, 500 resamples of 100,000 users: ours {mine['bootstrap500']:.3f} s, NumPy {bootstrap[0]:.2f} s; ratio {bootstrap[0] / mine['bootstrap500']:.0f} wall (goal 20), "
          f"{bootstrap[1] / mine['bootstrap500Processor']:.0f} processor")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
