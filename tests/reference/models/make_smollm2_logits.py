# SPDX-License-Identifier: GPL-3.0-or-later
"""Logits of SmolLM2-135M-Instruct computed in plain numpy, as golden values for tests/unit/scoring.

usage: make_smollm2_logits.py MODEL.gguf OUT.tsv      (needs numpy and regex)

Independent of the program: its own file reader, tokenizer and arithmetic, written from the format descriptions. The whole prompt is computed
at once in float32, without any cache. One line per prompt: name, token ids, then id:logit pairs after the last token (the 20 largest and
some fixed ids).
"""
import re
import struct
import sys

import numpy as np
import regex

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
FIXED_IDS = [0, 1, 2, 17, 198, 216, 260, 1000, 5345, 9999, 20000, 49151]


def chat(*turns):
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns) + "<|im_start|>assistant\n"


PROMPTS = {
    "capital": "The capital of France is",
    "question": chat(("system", SYSTEM), ("user", "What is the capital of France?")),
    "shop": chat(
        ("system", "You help a shop to choose what to show."),
        ("user", "The customer bought a tent, a gas stove and hiking boots.\nWould they like a sleeping bag for 3 seasons? Answer Yes or No."),
    ),
    "mixed": "Price: 12345.67 EUR  (was 20)\n\n\tCafé — naïve façade, 東京 and \U0001F600!",
    "long": "Films rated by one viewer, newest first:\n"
    + "".join(f"{i}. Film number {i * 37 % 101} of {1950 + i}, rated {i * 7 % 5 + 1} of 5\n" for i in range(1, 31))
    + "The viewer's favourite decade is",
}


class Gguf:
    SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def __init__(self, path):
        self.data = np.memmap(path, dtype=np.uint8, mode="r")
        self.at = 0
        assert bytes(self.data[:4]) == b"GGUF" and self.take("4xI") == 3
        tensors, keys = self.take("Q"), self.take("Q")
        self.meta = {}
        for _ in range(keys):
            key = self.text()
            self.meta[key] = self.value(self.take("I"))
        self.tensors = {}
        for _ in range(tensors):
            name = self.text()
            dims = [self.take("Q") for _ in range(self.take("I"))]
            self.tensors[name] = (dims[::-1], self.take("I"), self.take("Q"))
        self.base = -(-self.at // 32) * 32

    def take(self, code):
        size = struct.calcsize("<" + code)
        (value,) = struct.unpack("<" + code, bytes(self.data[self.at : self.at + size]))
        self.at += size
        return value

    def text(self):
        length = self.take("Q")
        self.at += length
        return bytes(self.data[self.at - length : self.at]).decode("utf-8")

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, count = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(count)]
        return self.take(self.SCALARS[kind])

    def floats(self, name):
        shape, kind, offset = self.tensors[name]
        count = int(np.prod(shape))
        raw = self.data[self.base + offset :]
        if kind == 0:  # F32
            return np.frombuffer(raw[: 4 * count].tobytes(), "<f4").reshape(shape)
        if kind == 3:  # Q4_1: scale and minimum as halves, then 32 nibbles, the low ones first
            blocks = np.asarray(raw[: count // 32 * 20]).reshape(-1, 20)
            scale, minimum = blocks[:, :4].copy().view("<f2").astype(np.float32).T
            nibbles = np.concatenate([blocks[:, 4:] & 15, blocks[:, 4:] >> 4], axis=1).astype(np.float32)
            return (nibbles * scale[:, None] + minimum[:, None]).reshape(shape)
        assert kind == 8  # Q8_0: scale as a half, then 32 signed bytes
        blocks = np.asarray(raw[: count // 32 * 34]).reshape(-1, 34)
        return (blocks[:, 2:].copy().view(np.int8) * blocks[:, :2].copy().view("<f2").astype(np.float32)).reshape(shape)


class Tokenizer:
    PIECES = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

    def __init__(self, meta):
        tokens = meta["tokenizer.ggml.tokens"]
        self.ids = {token: i for i, token in enumerate(tokens)}
        self.ranks = {tuple(merge.split(" ")): i for i, merge in enumerate(meta["tokenizer.ggml.merges"])}
        control = [token for token, kind in zip(tokens, meta["tokenizer.ggml.token_type"]) if kind == 3]
        self.control = re.compile("(" + "|".join(map(re.escape, control)) + ")")
        visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = [b for b in range(256) if b not in visible]
        self.letters = {b: chr(b) for b in visible} | {b: chr(256 + i) for i, b in enumerate(hidden)}

    def merge(self, piece):
        parts = [self.letters[b] for b in piece.encode("utf-8")]
        while len(parts) > 1:
            rank, at = min((self.ranks.get(pair, len(self.ranks)), i) for i, pair in enumerate(zip(parts, parts[1:])))
            if rank == len(self.ranks):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return [self.ids[part] for part in parts]

    def encode(self, text):
        ids = []
        for i, stretch in enumerate(self.control.split(text)):
            if i % 2:
                ids.append(self.ids[stretch])
                continue
            for part in regex.split(r"(\p{N})", stretch):  # each digit alone
                for piece in self.PIECES.findall(part):
                    ids += self.merge(piece)
        return ids


def normalised(x, weight, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight


def rotated(x, base):
    """Turns neighbouring pairs of x [tokens, heads, size] by angles that grow with the position."""
    tokens, _, size = x.shape
    angle = np.arange(tokens)[:, None] * base ** (-np.arange(0, size, 2) / size)
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angle)[:, None, :]
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape).astype(np.float32)


def last_logits(file, ids):
    key = lambda name: file.meta["llama." + name]
    heads, shared, width = key("attention.head_count"), key("attention.head_count_kv"), key("embedding_length")
    size, epsilon, base, tokens = width // heads, key("attention.layer_norm_rms_epsilon"), key("rope.freq_base"), len(ids)
    embedding = file.floats("token_embd.weight")
    future = np.triu(np.ones((tokens, tokens), bool), 1)
    x = embedding[ids]
    for block in range(key("block_count")):
        weight = lambda name: file.floats(f"blk.{block}.{name}.weight")
        h = normalised(x, weight("attn_norm"), epsilon)
        q = rotated((h @ weight("attn_q").T).reshape(tokens, heads, size), base)
        k = rotated((h @ weight("attn_k").T).reshape(tokens, shared, size), base)
        v = (h @ weight("attn_v").T).reshape(tokens, shared, size)
        mixed = np.empty((tokens, heads, size), np.float32)
        for head in range(heads):
            scores = q[:, head] @ k[:, head // (heads // shared)].T / np.float32(np.sqrt(size))
            scores[future] = -np.inf
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            mixed[:, head] = scores / scores.sum(axis=1, keepdims=True) @ v[:, head // (heads // shared)]
        x = x + mixed.reshape(tokens, width) @ weight("attn_output").T
        h = normalised(x, weight("ffn_norm"), epsilon)
        gate = h @ weight("ffn_gate").T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ weight("ffn_up").T)) @ weight("ffn_down").T
    return normalised(x[-1], file.floats("output_norm.weight"), epsilon) @ embedding.T


def main(model, out):
    file = Gguf(model)
    tokenizer = Tokenizer(file.meta)
    with open(out, "w", encoding="utf-8") as table:
        table.write("# prompt\ttoken ids\tid:logit of the next token\n")
        for name, prompt in PROMPTS.items():
            ids = tokenizer.encode(prompt)
            logits = last_logits(file, ids)
            shown = list(np.argsort(-logits)[:20]) + FIXED_IDS
            table.write(f"{name}\t{' '.join(map(str, ids))}\t{' '.join(f'{i}:{logits[i]:.5f}' for i in shown)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
