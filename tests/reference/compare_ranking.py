#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our ranking metrics against ranx and pytrec_eval, user by user, where the definitions agree.

  compare_ranking.py --program build/.../ranking_reference [--run FILE --qrels FILE]

Without --run a random run of 200 users is made (binary and graded truth). Needs the Python packages ranx and pytrec_eval; without them it
says so and ends with 77 (skipped). Where definitions agree:
  nDCG@10   gain linear, discount log2(1 + rank), ideal over all relevant items: all three
  MRR       no cut: trec_eval recip_rank, ranx mrr, ours at a k beyond every list; with cut: ranx mrr@10
  MAP       no cut, divided by |R|: trec_eval map, ranx map, ours at a k beyond every list (min(|R|, k) = |R|)
  MAP@10    trec_eval map_cut and ranx map@10 divide by |R|, we divide by min(|R|, 10): compared where |R| <= 10, and after
            rescaling by |R| / 10 elsewhere
  recall, precision, hit rate at 10: all three
"""
import argparse, json, math, os, subprocess, sys, tempfile


def read_trec(path, value_field):
    table = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.split()
            if fields:
                table.setdefault(fields[0], {})[fields[2]] = float(fields[value_field])
    return table


def compare(program, run_file, qrels_file, folder, ranx, pytrec_eval):
    out = os.path.join(folder, "ours.json")
    subprocess.run([program, "evaluate", run_file, qrels_file, out], check=True)
    ours = json.load(open(out, encoding="utf-8"))
    run = read_trec(run_file, 4)
    qrels = {u: {i: int(v) for i, v in items.items()} for u, items in read_trec(qrels_file, 3).items()}
    users = [u for u in qrels if u in run and any(v > 0 for v in qrels[u].values())]
    for user in run:
        assert len(set(run[user].values())) == len(run[user]), f"user {user} has ties: outside tools break them by id"

    trec = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "recip_rank", "map", "map_cut.10", "recall.10", "P.10", "success.10"}).evaluate(run)
    q = ranx.Qrels({u: qrels[u] for u in users})
    r = ranx.Run({u: run[u] for u in users})
    names = ["ndcg@10", "mrr", "mrr@10", "map", "map@10", "recall@10", "precision@10", "hit_rate@10"]
    ranx.evaluate(q, r, names)
    scores = {name: dict(r.scores[name]) for name in names}

    relevant = {u: sum(v > 0 for v in qrels[u].values()) for u in users}
    map_scale = {u: min(relevant[u], 10) / relevant[u] for u in users}
    checks = [("ndcg@10", "ndcg_cut_10", "ndcg@10", None), ("mrr@1000", "recip_rank", "mrr", None), ("mrr@10", None, "mrr@10", None),
              ("map@1000", "map", "map", None), ("map@10", "map_cut_10", "map@10", map_scale), ("recall@10", "recall_10", "recall@10", None),
              ("precision@10", "P_10", "precision@10", None), ("hr@10", "success_10", "hit_rate@10", None)]
    worst = 0.0
    for mine, in_trec, in_ranx, scale in checks:
        for tool, value in (("pytrec_eval", lambda u: trec[u][in_trec] if in_trec else None), ("ranx", lambda u: scores[in_ranx][u] if in_ranx else None)):
            differences = []
            total = ours_total = 0.0
            for user in users:
                theirs = value(user)
                if theirs is None:
                    continue
                own = ours[mine]["perUser"][user] * (scale[user] if scale else 1)
                differences.append(abs(own - theirs))
                total += theirs
                ours_total += own
            if not differences:
                continue
            if not scale and len(differences) == len(ours[mine]["perUser"]):
                ours_total = ours[mine]["mean"] * len(differences)  # the mean as printed, summed in double
            mean_difference = abs(total - ours_total) / len(differences)
            largest = max(max(differences), mean_difference)
            worst = max(worst, largest)
            print(f"{mine:14s} {tool:12s} ours {ours_total / len(differences):.9f}  theirs {total / len(differences):.9f}  largest difference of a user {max(differences):.1e}")
    print(f"{len(users)} users, largest difference {worst:.1e}")
    return worst if users and math.isfinite(worst) else math.inf


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--run")
    parser.add_argument("--qrels")
    parser.add_argument("--tolerance", type=float, default=1e-6)
    arguments = parser.parse_args()
    try:
        import pytrec_eval
        import ranx
    except ImportError as error:
        print(f"skipped: {error}; install ranx and pytrec_eval for this Python ({sys.executable})")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        if arguments.run:
            pairs = [(arguments.run, arguments.qrels)]
        else:
            subprocess.run([arguments.program, "make", folder], check=True)
            pairs = [(os.path.join(folder, "random.run"), os.path.join(folder, name)) for name in ("binary.qrels", "graded.qrels")]
        results = []
        for run_file, qrels_file in pairs:
            print(f"--- {os.path.basename(run_file)} against {os.path.basename(qrels_file)}")
            results.append(compare(arguments.program, run_file, qrels_file, folder, ranx, pytrec_eval))
    if max(results) > arguments.tolerance:
        print(f"FAILED: {max(results):.1e} is more than {arguments.tolerance:.0e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
