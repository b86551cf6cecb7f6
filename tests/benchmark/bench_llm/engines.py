# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines as processes that stay open: a line in, a JSON object out. And how measurements are put together."""
import json, math, os, statistics, subprocess, time

import numpy as np

# Raised so that glibc keeps large buffers; a setting every user of torch on a CPU may make. Ours runs without.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "4294967296", "MALLOC_TOP_PAD_": "268435456"}


class Engine:
    def __init__(self, name, words, environment=None):
        self.name = name
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        self.opened = self.reply()

    def reply(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.reply()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Rate:
    """Units per second of repetitions, in the order they were run."""

    def __init__(self):
        self.values = []

    def add(self, units, seconds):
        self.values.append(units / seconds)

    @property
    def median(self):
        return statistics.median(self.values)

    def __str__(self):
        return f"{min(self.values):8.2f} {self.median:8.2f} {max(self.values):8.2f}   ({len(self.values)})"


def ranks(values):
    """Ranks from 0, ties share their mean."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2)[place]


def agreement(reference, scores):
    """Per prompt, then over prompts: Spearman, Kendall's tau-b, their lowest, and the largest difference."""
    spearman, kendall, largest = [], [], 0.0
    for a, b in zip(reference, scores):
        a, b = np.array(a), np.array(b)
        largest = max(largest, float(np.abs(a - b).max()))
        i, j = np.triu_indices(len(a), 1)
        x, y = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
        kendall.append(float((x * y).sum() / math.sqrt((x != 0).sum() * (y != 0).sum())))
        spearman.append(float(np.corrcoef(ranks(a), ranks(b))[0, 1]))
    return {"prompts": len(kendall), "spearman": statistics.mean(spearman), "kendall": statistics.mean(kendall), "kendallLowest": min(kendall), "largest": largest}


def wall_seconds(words, repetitions=5):
    """Median wall time of a command, the first run left out."""
    taken = []
    for _ in range(repetitions + 1):
        begin = time.perf_counter()
        subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[1:])


def peak_and_first_score(cli, model, compute):
    """What bench llm says of a process of its own: seconds to open and to the first score, memory while scoring."""
    words = [str(cli), "--json", "--quiet", "bench", "llm", "--model", model, "--compute", compute, "--prompts", "3", "--repetitions", "1"]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)["data"]["computeTypes"][0]
