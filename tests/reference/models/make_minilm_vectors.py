# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentence vectors of all-MiniLM-L6-v2 computed in plain numpy, as golden values for tests/unit/scoring.

usage: make_minilm_vectors.py MODEL_FOLDER OUT.tsv      (needs numpy; the folder holds model.safetensors and vocab.txt)

Independent of the program. One line per text: the text, its token ids, its 384 values.
"""
import json
import math
import struct
import sys
import unicodedata

import numpy as np

TEXTS = [
    "This is an example sentence",
    "Each sentence is converted",
    "A two-person tent for rainy weekends, 2.1 kg",
    "Café Zürich: crème brûlée & 東京 noodles!",
    "The Shining (1980): Horror. A writer takes a winter job in an empty hotel and loses his mind while the snow closes the road.",
]
HEADS = 12


def weights(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {
        name: np.frombuffer(data[slice(*info["data_offsets"])], "<f4").reshape(info["shape"])
        for name, info in header.items()
        if name != "__metadata__" and info["dtype"] == "F32"
    }


def words(text):
    """Lower-case words without accents; punctuation and Chinese characters stand alone."""
    spread = []
    for c in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(c)
        if kind == "Mn" or (kind[0] == "C" and not c.isspace()):
            continue
        alone = kind[0] == "P" or (c.isascii() and c.isprintable() and not c.isalnum() and c != " ") or 0x4E00 <= ord(c) <= 0x9FFF
        spread.append(f" {c} " if alone else c)
    return "".join(spread).split()


def pieces(word, vocabulary):
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            part = ("##" if start else "") + word[start:end]
            if part in vocabulary:
                break
        else:
            return [vocabulary["[UNK]"]]
        found.append(vocabulary[part])
        start = end
    return found


def vector(w, ids):
    def norm(x, at):
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12) * w[at + ".weight"] + w[at + ".bias"]

    def linear(x, at):
        return x @ w[at + ".weight"].T + w[at + ".bias"]

    erf = np.vectorize(math.erf)
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    size = x.shape[1] // HEADS
    for layer in range(6):
        at = f"encoder.layer.{layer}."
        q, k, v = (linear(x, at + f"attention.self.{part}") for part in ("query", "key", "value"))
        mixed = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            scores = np.exp(q[:, part] @ k[:, part].T / math.sqrt(size))
            mixed.append(scores / scores.sum(axis=1, keepdims=True) @ v[:, part])
        x = norm(x + linear(np.concatenate(mixed, axis=1), at + "attention.output.dense"), at + "attention.output.LayerNorm")
        h = linear(x, at + "intermediate.dense")
        x = norm(x + linear(h * (1 + erf(h / math.sqrt(2))) / 2, at + "output.dense"), at + "output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def main(folder, out):
    w = weights(folder + "/model.safetensors")
    with open(folder + "/vocab.txt", encoding="utf-8") as lines:
        vocabulary = {line.rstrip("\n"): i for i, line in enumerate(lines)}
    with open(out, "w", encoding="utf-8") as table:
        table.write("# text\ttoken ids\t384 values\n")
        for text in TEXTS:
            ids = [vocabulary["[CLS]"], *(i for word in words(text) for i in pieces(word, vocabulary)), vocabulary["[SEP]"]]
            table.write(f"{text}\t{' '.join(map(str, ids))}\t{' '.join(f'{value:.7f}' for value in vector(w, ids))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
