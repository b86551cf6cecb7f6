# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes blocks.tsv beside this file: random stored blocks of each GGUF type and what the package `gguf` makes of them.

usage: make_block_goldens.py      (needs the packages gguf and numpy)

Each line: type, a tab, the stored bytes in hex, a tab, the values as the hex of their 32 bits with blanks between. Scales are ordinary, negative,
subnormal and zero half floats; all other bytes are random.
"""
import os
import random

import gguf
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
# name: positions of half floats in a block, blocks written
TYPES = {"F16": ([0], 24), "BF16": ([], 24), "Q8_0": ([0], 4), "Q4_0": ([0], 4), "Q4_1": ([0, 2], 4), "Q5_0": ([0], 4), "Q5_1": ([0, 2], 4),
         "Q4_K": ([0, 2], 3), "Q6_K": ([208], 3)}
HALVES = [0x2E66, 0xAE66, 0x3C00, 0x0001, 0x83FF, 0x0000, 0x1234, 0x9ABC, 0x4ABC, 0x7BFF, 0x0400, 0xB111]


def main():
    rng = random.Random(20)
    lines = []
    for name, (halves, count) in TYPES.items():
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        for number in range(count):
            block = bytearray(rng.randrange(256) for _ in range(size))
            for place, at in enumerate(halves):
                block[at:at + 2] = HALVES[(number + 5 * place) % len(HALVES)].to_bytes(2, "little")
            if name == "BF16":
                block[1] = block[1] & 0xBF  # finite
            stored = numpy.frombuffer(bytes(block), numpy.uint8)
            if name == "F16":
                values = stored.view(numpy.float16).astype(numpy.float32)
            else:
                values = gguf.quants.dequantize(stored, kind).astype(numpy.float32).reshape(-1)
            assert len(values) == elements, (name, len(values), elements)
            lines.append(f"{name}\t{bytes(block).hex()}\t" + " ".join(f"{v:08x}" for v in values.view(numpy.uint32).tolist()))
    with open(os.path.join(HERE, "blocks.tsv"), "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")


main()
