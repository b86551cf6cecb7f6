# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives malformed and mutated model files to the readers of src/llm: every malformed file is refused by its rule, and nothing is accepted that the
strict readers beside this file refuse. Under sanitizers a crash or a report of theirs ends the program and this check.

usage: check_model_files.py --program build/release/tests/model_file_verdicts [--mutants 600] [--seed 1] [--memory 600]
all of it: CAROUSEL_MUTANTS=10000 (or --mutants 10000) with the program of the asan preset
"""
import argparse
import os
import random
import struct
import subprocess
import sys

import malformed_gguf
import malformed_safetensors
from strict_readers import Refused, read_gguf, read_safetensors

SMALLEST = {"g": 147, "s": 86}
NUMBERS = [0, 1, 2, 3, 4, 7, 8, 13, 31, 32, 63, 64, 255, 256, 0x7FFF, 0xFFFF, 0x10000, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
WORDS = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"0", b"-1", b"1e3", b"null", b"\\u0000", b"\xff", b" ", b"18446744073709551616", b'"dtype":"F32",', b'"shape":[],', b"__metadata__"]


def mutate(source, data, words):
    data = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 3, 5))):
        # Numbers of the head matter more than weights, which are mostly at the end.
        at = source.randrange(max(1, len(data) // source.choice((1, 2, 4, 8)))) if data else 0
        choice = source.randrange(9)
        if choice == 0 and data:
            data[at] = source.randrange(256)
        elif choice == 1 and data:
            data[at] ^= 1 << source.randrange(8)
        elif choice == 2:
            data[at:at + 8] = struct.pack("<Q", source.choice(NUMBERS))
        elif choice == 3:
            data[at:at + 4] = struct.pack("<I", source.choice(NUMBERS) & 0xFFFFFFFF)
        elif choice == 4:
            del data[at:at + source.randrange(1, 40)]
        elif choice == 5:
            data[at:at] = source.choice(words)
        elif choice == 6:
            piece = data[at:at + source.randrange(1, 60)]
            to = source.randrange(len(data) + 1)
            data[to:to] = piece
        elif choice == 7:
            del data[source.randrange(len(data) + 1):]
        elif data:
            piece = source.choice(words)
            data[at:at + len(piece)] = piece
    return bytes(data)


def keep_length_true(source, data):
    """Half of the safetensors mutants state a length that fits, so that what lies behind it is reached."""
    if len(data) < 8 or source.randrange(2):
        return data
    return struct.pack("<Q", max(0, data.rfind(b"}") - 7)) + data[8:]


def mutants(count, seed):
    seeds = {"g": [data for _, data in malformed_gguf.sound() if len(data) < 4096] + [malformed_gguf.tiny_llama()] * 6,
             "s": [data for _, data in malformed_safetensors.sound()]}
    for kind, files in seeds.items():
        source = random.Random(f"{seed} {kind}")
        for number in range(count):
            words = WORDS if kind == "s" else [struct.pack("<Q", value) for value in NUMBERS] + [struct.pack("<I", value & 0xFFFFFFFF) for value in NUMBERS]
            data = mutate(source, source.choice(files), words)
            yield kind, f"mutant {number}", keep_length_true(source, data) if kind == "s" else data


class Program:
    def __init__(self, path):
        options = "quarantine_size_mb=16:allocator_may_return_null=0:detect_leaks=1"
        environment = dict(os.environ, ASAN_OPTIONS=options, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def verdict(self, kind, data):
        self.process.stdin.write(kind.encode() + struct.pack("<Q", len(data)) + data)
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def finish(self):
        self.process.stdin.close()
        last = self.process.stdout.readline().decode().split()
        return self.process.wait(), int(last[1]) if len(last) == 2 and last[0] == "peak" else -1


def reference_refuses(kind, data):
    try:
        (read_gguf if kind == "g" else read_safetensors)(data)
    except Refused as reason:
        return str(reason)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--mutants", type=int, default=int(os.environ.get("CAROUSEL_MUTANTS", "600")))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", type=int, default=600, help="MB that the program may take at most")
    arguments = parser.parse_args()
    program, wrong = Program(arguments.program), []

    def check(kind, title, data, code):
        verdict = program.verdict(kind, data)
        reason = reference_refuses(kind, data)
        if code and verdict != code:
            wrong.append(f"{kind} '{title}': {verdict or 'a crash'} instead of {code}")
        if code and reason is None:
            wrong.append(f"{kind} '{title}': the strict reader accepts it")
        if code is None and verdict.startswith("accepted") and reason is not None:
            wrong.append(f"{kind} '{title}': accepted, though the strict reader refuses it ({reason})")
        if code is None and not verdict.startswith("accepted") and reason is None:
            wrong.append(f"{kind} '{title}': {verdict or 'a crash'}, though the strict reader accepts it")
        if not verdict:
            with open("crash_input.bin", "wb") as stream:
                stream.write(data)
            sys.exit("\n".join(wrong + ["the program ended; its input is in crash_input.bin"]))
        return verdict

    counts = {}
    for kind, module in (("g", malformed_gguf), ("s", malformed_safetensors)):
        cases = module.cases()
        if len({data for _, data, _ in cases}) != len(cases):
            titles = {}
            for title, data, _ in cases:
                titles.setdefault(data, []).append(title)
            wrong.append(f"the same file comes twice: {[t for t in titles.values() if len(t) > 1]}")
        if len(cases) < SMALLEST[kind]:
            wrong.append(f"only {len(cases)} malformed files of kind {kind}")
        for title, data, code in cases:
            check(kind, title, data, code)
        for title, data in module.sound():
            if not check(kind, title, data, None).startswith("accepted"):
                wrong.append(f"{kind} '{title}': a sound file is refused")
        counts[kind] = len(cases)
    usable = check("g", "tiny decoder", malformed_gguf.tiny_llama(), None)
    if usable != "accepted decoder:yes bpe:yes pieces:CL-2060":
        wrong.append(f"the tiny decoder cannot be used: {usable}")
    accepted = {"g": 0, "s": 0}
    for kind, title, data in mutants(arguments.mutants, arguments.seed):
        accepted[kind] += check(kind, title, data, None).startswith("accepted")
    status, peak = program.finish()
    if status != 0:
        wrong.append(f"the program ended with {status}")
    if not 0 < peak < arguments.memory:
        wrong.append(f"the program took {peak} MB; {arguments.memory} are allowed")
    print(f"{counts['g']} malformed GGUF and {counts['s']} malformed safetensors files; of {arguments.mutants} mutants each, {accepted['g']} and {accepted['s']} were "
          f"still sound; peak {peak} MB")
    print("\n".join(wrong[:40]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
