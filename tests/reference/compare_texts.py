#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our metrics of written answers against sacrebleu and rouge_score, pair by pair and for whole corpora, on the same tokens.

  compare_texts.py --program build/.../text_reference

412 pairs, random and edge cases (empty answer, one word, repeats, only signs, equal texts). Needs the Python packages sacrebleu, rouge_score and
regex; without them it says so and ends with 77 (skipped). Where definitions agree:
  tokens         the definition of text_tokens.h written again with the regex package's Unicode classes
  BLEU-1 to -4   corpus: sacrebleu, tokenize none, smooth none; one answer: smooth add-k with k = 1, effective order off
  ROUGE-1 -2 -L  rouge_score, no stemmer, the given tokens
  FMR, FCR, DIV, distinct, exact match, length: written again here in a few lines from the papers' formulas
"""
import argparse, itertools, logging, math, os, subprocess, sys, tempfile, unicodedata

FEATURES = ["zip", "price", "seams", "toe box", "Ärmel", "never used"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    arguments = parser.parse_args()
    try:
        import regex
        from rouge_score import rouge_scorer
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        print(f"skipped: {error}; install sacrebleu, rouge_score and regex for this Python ({sys.executable})")
        return 77

    logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it advises on effective order for each sentence

    def tokens_of(text):
        return regex.findall(r"[\p{L}\p{M}\p{N}]+|[\p{P}\p{S}]", unicodedata.normalize("NFC", text).lower())

    def holds(text, words):
        return any(text[i:i + len(words)] == words for i in range(len(text) - len(words) + 1))

    class Given:
        def tokenize(self, text):
            return text.split()

    with tempfile.TemporaryDirectory() as folder:
        texts, out = os.path.join(folder, "texts.tsv"), os.path.join(folder, "ours.tsv")
        subprocess.run([arguments.program, "make", texts], check=True)
        subprocess.run([arguments.program, "evaluate", texts, out], check=True)
        pairs = [line.split("\t") for line in open(texts, encoding="utf-8", newline="\n").read().split("\n") if line]
        lines = [line.split("\t") for line in open(out, encoding="utf-8", newline="\n").read().split("\n") if line]
    header, rows = lines[0], [line for line in lines[1:] if line[0] != "corpus" or len(line) != 5]
    corpora = [line for line in lines[1:] if line[0] == "corpus" and len(line) == 5]
    assert len(rows) == len(pairs) >= 400, (len(rows), len(pairs))

    worst = {}

    def check(name, own, other, where):
        difference = abs(float(own) - other)
        if not difference <= arguments.tolerance:  # also when one is no number
            print(f"{name} of {where}: ours {own}, theirs {other}")
            difference = max(difference, 1.0) if math.isfinite(difference) else math.inf
        worst[name] = max(worst.get(name, 0.0), difference)

    smoothed = [BLEU(max_ngram_order=n, tokenize="none", smooth_method="add-k", smooth_value=1, effective_order=False, force=True) for n in range(1, 5)]
    plain = [BLEU(max_ngram_order=n, tokenize="none", smooth_method="none", effective_order=False, force=True) for n in range(1, 5)]
    rouge = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False, tokenizer=Given())
    answers, references = [], []
    for (answer, reference, feature), row in zip(pairs, rows):
        own = dict(zip(header, row))
        a, r = tokens_of(answer), tokens_of(reference)
        if own["answer"].split() != a or own["reference"].split() != r:
            print(f"tokens of {answer!r}: ours {own['answer'].split()}, theirs {a}; of {reference!r}: ours {own['reference'].split()}, theirs {r}")
            worst["tokens"] = math.inf
        answers.append(a)
        references.append(r)
        for n in range(4):
            check(f"bleu{n + 1} of one", own[f"bleu{n + 1}"], smoothed[n].sentence_score(" ".join(a), [" ".join(r)]).score / 100, (answer, reference))
        scores = rouge.score(" ".join(r), " ".join(a))
        for name in ("rouge1", "rouge2", "rougeL"):
            check(name, own[name.lower()], scores[name].fmeasure, (answer, reference))
        check("exact", own["exact"], float(a == r), (answer, reference))
        check("words", own["words"], len(a), answer)
        if feature:
            check("fmr", own["fmr"], float(holds(a, tokens_of(feature))), (answer, feature))
        elif own["fmr"] != "nan":
            worst["fmr"] = math.inf

    wanted = [tokens_of(f) for f in FEATURES]
    for _, first, last, name, value in corpora:
        first, last = int(first), int(last)
        a, r = answers[first:last], references[first:last]
        if name.startswith("bleu"):
            theirs = plain[int(name[4]) - 1].corpus_score([" ".join(t) for t in a], [[" ".join(t) for t in r]]).score / 100
        elif name.startswith("distinct"):
            n = int(name[8])
            theirs = len({tuple(t[i:i + n]) for t in a for i in range(len(t) - n + 1)}) / sum(map(len, a))
        elif name in ("fcr", "div"):
            found = [{i for i, f in enumerate(wanted) if holds(t, f)} for t in a]
            both = list(itertools.combinations(found, 2))
            theirs = len(set().union(*found)) / len(wanted) if name == "fcr" else sum(len(x & y) for x, y in both) / len(both)
        elif name.startswith("rouge"):
            key = name.replace("l", "L")
            theirs = sum(rouge.score(" ".join(y), " ".join(x))[key].fmeasure for x, y in zip(a, r)) / len(a)
        else:
            continue
        check(name + " of a corpus", value, theirs, f"pairs {first} to {last}")
    for name, difference in sorted(worst.items()):
        print(f"{name:24s} largest difference {difference:.1e}")
    print(f"{len(pairs)} pairs, {len({(c[1], c[2]) for c in corpora})} corpora")
    expected = {f"bleu{n} of one" for n in range(1, 5)} | {f"{m} of a corpus" for m in ("bleu1", "bleu4", "rougel", "fcr", "div", "distinct1", "distinct2")}
    if not expected <= set(worst) or max(worst.values()) > arguments.tolerance:
        print(f"FAILED: {max(worst.values()):.1e} is more than {arguments.tolerance:.0e}, or something was not compared")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
