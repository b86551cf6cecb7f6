#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language models of this program beside llama.cpp, transformers, sentence-transformers and onnxruntime, in turns in the same minutes.

  tests/benchmark/bench_llm/make_peers.sh PEERS                          once
  PEERS/venv/bin/python tests/benchmark/bench_llm/bench_llm.py --build build/release --peers PEERS [--parts score,decode,encoder,start] [--json FILE]

Every engine gets the same token ids: users with 300 tokens of history, 50 candidates of about 30 tokens. Every prompt is a repetition with texts of its
own; all engines score prompt 0, then all score prompt 1, and so on. llama.cpp and transformers run with the best settings known for this task:
llama.cpp with the file converted to BF16, sequences that share the prefix's cells, 25 candidates a batch; transformers with the prefix's
past_key_values repeated, 25 (bf16) or 10 (fp32) candidates a batch and malloc's thresholds raised. Ours tokenises within its time, the peers do not.
The reference of agreement is transformers in fp32 on the same dequantised weights. Speeds are units per second: smallest, median, largest
(repetitions). Ctrl+C ends the scoring early and reports what there is. Exit code 1 when a goal is missed.
"""
import argparse, json, signal, subprocess, sys, tempfile
from pathlib import Path

import numpy as np
from engines import MALLOC, Engine, Rate, agreement, peak_and_first_score, wall_seconds

HERE = Path(__file__).resolve().parent
THREADS, GROUP, UBATCH = 2, 25, 512
BATCH = {"bf16": 25, "fp32": 10}
SEVERAL, NAIVE, DECODED, PREFILLED, ENCODED = 5, 3, 128, 512, 64  # repetitions of what takes long; sizes
CHAT, ENCODER = "smollm2-135m-instruct", "all-minilm-l6-v2"


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.build, self.peers = Path(arguments.build).resolve(), Path(arguments.peers).resolve()
        self.python = self.peers / "venv/bin/python"
        self.cli = self.build / "bin/carousel-lab-cli"
        self.rates, self.scores, self.facts, self.verdicts = {}, {}, {}, []
        self.task_file = folder / "task.json"
        subprocess.run([self.cli, "bench", "llm", "--model", CHAT, "--prompts", str(arguments.prompts), "--write-task", self.task_file], check=True,
                       stdout=subprocess.DEVNULL)
        self.task = json.loads(self.task_file.read_text())
        self.model = Path(self.task["model"])

    def rate(self, key):
        return self.rates.setdefault(key, Rate())

    def median(self, key):
        return self.rates[key].median

    def ours(self, model, compute):
        engine = Engine(f"ours {compute}", [self.build / "bin/bench_llm", model, compute])
        self.facts[f"open ours {compute} {model}"] = engine.opened["seconds"]
        self.facts["libraries"] = engine.opened["versions"]
        return engine

    def llama(self, file):
        ids = self.folder / "task.txt"
        if not ids.exists():
            def row(values):
                return f"{len(values)} " + " ".join(map(str, values))
            lines = [row(self.task["answerIds"]), str(len(self.task["prompts"]))]
            for prompt in self.task["prompts"]:
                lines += [row(prompt["sharedIds"]), str(len(prompt["branchIds"]))] + [row(ids) for ids in prompt["branchIds"]]
            ids.write_text("\n".join(lines) + "\n")
        return Engine("llama.cpp", [self.peers / "peer_llama", "serve", file, ids, THREADS, GROUP, UBATCH])

    def converted(self, kind):
        file = self.peers / f"{self.model.stem}.{kind}.gguf"
        if not file.exists():
            subprocess.run([self.peers / "peer_llama", "quantise", self.model, file, kind], check=True, stdout=subprocess.DEVNULL)
        return file

    def transformers(self):
        engine = Engine("transformers", [self.python, HERE / "peer_transformers.py", self.model, self.task_file, THREADS], MALLOC)
        print(engine.opened["versions"])
        wrong = engine.ask("check")["wrong"]
        if wrong:
            raise SystemExit(f"the token ids of prompts {wrong} differ from those of transformers' tokenizer: nothing is compared")
        return engine

    # -- candidates ---------------------------------------------------------------------------------------------------------------
    def scoring(self):
        count = len(self.task["prompts"])
        hf, bf16, shipped = self.transformers(), self.llama(self.converted("bf16")), self.llama(self.model)
        ours = {compute: self.ours(CHAT, compute) for compute in self.arguments.compute}
        for engine in ours.values():
            engine.ask("task", count, len(self.task["prompts"][0]["branchIds"]))
        turns = [(f"ours {compute}", engine, lambda p: ["score", p], 1) for compute, engine in ours.items()]
        turns += [("llama.cpp BF16", bf16, lambda p: ["score", p], 1),
                  ("transformers bf16", hf, lambda p: ["score", "bf16", p, BATCH["bf16"]], 1),
                  ("transformers fp32", hf, lambda p: ["score", "fp32", p, BATCH["fp32"]], 1)]
        rare = max(1, count // SEVERAL)
        turns += [("llama.cpp Q4_1, as shipped", shipped, lambda p: ["score", p], rare),
                  ("llama.cpp Q4_1, whole prompts", shipped, lambda p: ["naive", p, NAIVE], rare)]
        turns += [(f"ours {compute}, whole prompts", engine, lambda p: ["naive", p], rare) for compute, engine in ours.items()]
        for _, engine, words, _ in turns:
            engine.ask(*words(count - 1)) # warm
        self.decoding(ours, bf16, shipped)
        try:
            for prompt in range(count):
                for key, engine, words, every in turns:
                    if prompt % every == 0:
                        self.turn(key, engine.ask(*words(prompt)), prompt)
        except KeyboardInterrupt:
            print("interrupted: what was measured until then")
        for engine in [hf, bf16, shipped, *ours.values()]:
            engine.close()
        reference = self.scores["transformers fp32"]
        self.scores = {key: {p: row for p, row in got.items() if p in reference} for key, got in self.scores.items()}
        self.facts["agreement"] = {key: agreement([reference[p] for p in got], list(got.values())) for key, got in self.scores.items() if key != "transformers fp32"}
        self.facts["spread"] = float(np.mean([np.std(scores) for scores in reference.values()]))

    def turn(self, key, answer, prompt):
        self.rate(key).add(len(answer.get("scores", [0])), answer["seconds"])
        if "scores" in answer and "whole" not in key:
            self.scores.setdefault(key, {})[prompt] = answer["scores"]
        if "cachedTokens" in answer:
            self.facts["kept tokens"] = max(answer["cachedTokens"], self.facts.get("kept tokens", 0))

    def decoding(self, ours, bf16, shipped):
        llama = {"BF16": bf16, "Q4_1": shipped}
        for engine in [*ours.values(), *llama.values()]:
            engine.ask("prefill", PREFILLED)
        for turn in range(SEVERAL):
            for compute, engine in ours.items():
                answer = engine.ask("prefill", PREFILLED)
                self.rate(f"prefill, ours {compute}").add(answer["units"], answer["seconds"])
                answer = engine.ask("decode", turn % len(self.task["prompts"]), DECODED)
                self.rate(f"decode, ours {compute}").add(answer["units"], answer["seconds"])
            for kind, engine in llama.items():
                self.rate(f"prefill, llama.cpp {kind}").add(PREFILLED, engine.ask("prefill", PREFILLED)["seconds"])
                self.rate(f"decode, llama.cpp {kind}").add(DECODED, engine.ask("decode", turn % len(self.task["prompts"]), DECODED)["seconds"])

    # -- texts --------------------------------------------------------------------------------------------------------------------
    def encoding(self):
        folder = self.model.parent.parent / ENCODER
        peer = Engine("encoder peers", [self.python, HERE / "peer_encoder.py", folder, self.task_file, THREADS, ENCODED, self.folder], MALLOC)
        print(f"{peer.opened['versions']}; {peer.opened['tokens']:.1f} tokens a text")
        ours = {compute: self.ours(ENCODER, compute) for compute in ("fp32", "bf16")}
        turns = [(f"texts, ours {compute} encoder", engine, ["embed"]) for compute, engine in ours.items()]
        turns += [(f"texts, {name} fp32", peer, [name]) for name in ("sentence-transformers", "onnxruntime")]
        vectors = {key: np.array(engine.ask(*words, "vectors")["vectors"]) for key, engine, words in turns} # and warm
        for _ in range(SEVERAL):
            for key, engine, words in turns:
                self.rate(key).add(len(self.task["texts"]), engine.ask(*words)["seconds"])
        for engine in [peer, *ours.values()]:
            engine.close()
        reference = vectors["texts, sentence-transformers fp32"]
        self.facts["cosine"] = {key: float((reference * rows).sum(1).min()) for key, rows in vectors.items()}

    # -- start and memory ---------------------------------------------------------------------------------------------------------
    def starting(self):
        self.facts["start plain"] = wall_seconds([self.cli, "plugins", "list"])
        self.facts["start scoring"] = wall_seconds([self.cli, "--quiet", "bench", "llm", "--first-score", "--model", CHAT, "--compute", self.fast()])
        self.facts["first"] = peak_and_first_score(self.cli, CHAT, self.fast())

    def fast(self):
        return self.arguments.compute[0]

    # -- words --------------------------------------------------------------------------------------------------------------------
    def holds(self, what, value, bar, goal=None, at_most=False, gate=""):
        reached = value <= bar if at_most else value >= bar
        side = "at most" if at_most else "at least"
        further = "" if goal is None else f", goal {goal}: {'reached' if value >= goal else 'not reached'}"
        self.verdicts.append({"what": what, "value": value, "bar": bar, "goal": goal, "reached": reached})
        print(f"{'reached' if reached else 'MISSED '}  {what}: {value:.3g} ({side} {bar}{further}){gate}")

    def report(self):
        print(f"\n{self.facts.get('libraries', '')}\n{'units per second':46s} smallest   median  largest")
        for key, rate in self.rates.items():
            print(f"{key:44s} {rate}")
        if "agreement" in self.facts:
            print(f"\nagreement with transformers fp32, spread of scores within a prompt {self.facts['spread']:.3f}; Kendall tau-b: mean, lowest")
            for key, a in self.facts["agreement"].items():
                print(f"{key:34s} {a['prompts']:3d} prompts   Spearman {a['spearman']:.4f}   tau {a['kendall']:.4f} {a['kendallLowest']:.4f}   largest difference {a['largest']:.5f}")
        print()
        if "agreement" in self.facts:
            self.scoring_verdicts()
        if "cosine" in self.facts:
            bf16, fp32 = "texts, ours bf16 encoder", "texts, ours fp32 encoder"
            cosine = self.facts["cosine"]
            self.holds("encoder bf16 / sentence-transformers fp32", self.median(bf16) / self.median("texts, sentence-transformers fp32"), 2.5, gate=f"; smallest cosine {cosine[bf16]:.5f}")
            self.holds("encoder fp32 / onnxruntime fp32", self.median(fp32) / self.median("texts, onnxruntime fp32"), 1.05, gate=f"; smallest cosine {cosine[fp32]:.7f}")
        if "first" in self.facts:
            first = self.facts["first"]
            self.holds("start of a command that does not score, s", self.facts["start plain"], 0.05, at_most=True)
            self.holds("start to end of a command that scores, s", self.facts["start scoring"], 1.2, at_most=True)
            self.holds(f"model opened ({self.fast()}), s", first["openSeconds"], 0.5, at_most=True)
            self.holds(f"most memory while scoring ({self.fast()}), MB", first["scoringPeakBytes"] / 1e6, 750, at_most=True)

    def scoring_verdicts(self):
        agreements, fast, exact = self.facts["agreement"], self.fast(), self.arguments.exact
        tau, apart = agreements[f"ours {fast}"]["kendall"], agreements[f"ours {exact}"]["largest"]
        gate = f"; tau {tau:.3f} over {agreements[f'ours {fast}']['prompts']} prompts"
        self.holds(f"agreement of the fast mode ({fast}), Kendall tau", tau, 0.90)
        speed = self.median(f"ours {fast}")
        self.holds("fast / llama.cpp BF16", speed / self.median("llama.cpp BF16"), 1.6, 1.8, gate=gate)
        self.holds("fast / transformers bf16", speed / self.median("transformers bf16"), 1.35, 1.6, gate=gate)
        self.holds(f"agreement of the exact mode ({exact}), largest difference", apart, 0.002, at_most=True)
        self.holds("exact / transformers fp32", self.median(f"ours {exact}") / self.median("transformers fp32"), 1.4, 2, gate=f"; differs by {apart:.5f} at most")
        self.holds("fast / llama.cpp on the shipped Q4_1", speed / self.median("llama.cpp Q4_1, as shipped"), 4.5, gate=gate)
        self.holds("fast / llama.cpp Q4_1, a whole prompt for each", speed / self.median("llama.cpp Q4_1, whole prompts"), 35, gate=gate)
        best = max((key for key in self.rates if key.startswith("decode, ours")), key=self.median)
        self.holds(f"{best} / llama.cpp Q4_1", self.median(best) / self.median("decode, llama.cpp Q4_1"), 0.8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="the program's build folder")
    parser.add_argument("--peers", required=True, help="what make_peers.sh made")
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--compute", default="bf16,int16,fp32", type=lambda text: text.split(","), help="of ours; the first one is the fast mode")
    parser.add_argument("--exact", default="int16", help="of ours; the exact mode, one of --compute")
    parser.add_argument("--parts", default="start,score,encoder", type=lambda text: text.split(","))
    parser.add_argument("--json", help="write every figure here")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler) # ignored from the start where a script runs this in the background
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, Path(folder))
        for part, work in (("start", bench.starting), ("score", bench.scoring), ("encoder", bench.encoding)):
            if part in arguments.parts:
                work()
        bench.report()
    if arguments.json:
        rates = {key: rate.values for key, rate in bench.rates.items()}
        Path(arguments.json).write_text(json.dumps({"rates": rates, "facts": bench.facts, "verdicts": bench.verdicts}, indent=1))
    return 0 if all(verdict["reached"] for verdict in bench.verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
