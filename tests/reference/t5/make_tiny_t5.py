#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes two tiny T5 models with random weights (v1.0: ReLU and tied head, v1.1: gated GELU and a head of its own) and what transformers computes
with them: encoder states, logits of a given answer, the greedy answer and the best beams.

    make_tiny_t5.py FOLDER      needs torch, transformers and safetensors; written with torch 2.8.0 and transformers 5.23.0

Numbers are written with nine figures. Ids stand for themselves: the models have no tokenizer.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

SOURCES = [[5, 9, 3, 1], [7, 1], [4, 8, 15, 16, 23, 12, 6, 3, 19, 22, 11, 2, 5, 14, 17, 20, 9, 21, 13, 10, 18, 7, 4, 6, 8, 1]]
TARGET = [6, 14, 3, 3, 20, 9, 11, 5, 17, 8, 1]
NEW_TOKENS = 12


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def answer_of(row):
    """Without the decoder's start, up to the end token."""
    ids = row.tolist()[1:]
    return ids[: ids.index(1) + 1] if 1 in ids else ids


def make(folder, name, seed, **config):
    torch.manual_seed(seed)
    sizes = dict(vocab_size=24, d_model=10, d_kv=6, d_ff=14, num_heads=2, num_layers=3, num_decoder_layers=2, relative_attention_num_buckets=8,
                 relative_attention_max_distance=20, dropout_rate=0.0, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(T5Config(**sizes, **config)).eval()
    if not config["tie_word_embeddings"]:  # transformers 5 builds a tied head whatever the configuration says
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():  # wider than fresh weights, so that answers differ from each other
        for key, weight in model.named_parameters():
            weight.copy_(torch.randn_like(weight) * (0.1 if "layer_norm" in key else 0.6) + (1.0 if "layer_norm" in key else 0.0))
        model.shared.weight.mul_(2)
    out = folder / name
    out.mkdir(parents=True, exist_ok=True)
    tied = config["tie_word_embeddings"]
    state = {key: value.contiguous() for key, value in model.state_dict().items()
             if "embed_tokens" not in key and not (tied and key == "lm_head.weight")}
    save_file(state, out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps({"model_type": "t5", **sizes, **config}, indent=1) + "\n")

    longest = max(map(len, SOURCES))
    ids = torch.tensor([source + [0] * (longest - len(source)) for source in SOURCES])
    mask = torch.tensor([[1] * len(source) + [0] * (longest - len(source)) for source in SOURCES])
    answer = {"sources": SOURCES, "target": TARGET, "newTokens": NEW_TOKENS, "cases": []}
    with torch.no_grad():
        states = model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        start = torch.tensor([[0] + TARGET[:-1]] * len(SOURCES))
        logits = model(input_ids=ids, attention_mask=mask, decoder_input_ids=start).logits
        for row, source in enumerate(SOURCES):
            one, alone = torch.tensor([source]), torch.ones(1, len(source), dtype=torch.long)
            greedy = model.generate(one, attention_mask=alone, max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1)
            case = {"states": numbers(states[row, :len(source)]), "logits": numbers(logits[row]), "greedy": answer_of(greedy[0]), "beams": []}
            for penalty in (1.0, 0.0):
                found = model.generate(one, attention_mask=alone, max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=4, num_return_sequences=4,
                                       length_penalty=penalty, early_stopping="never", return_dict_in_generate=True, output_scores=True)
                case["beams"].append({"lengthPenalty": penalty, "answers": [answer_of(found_row) for found_row in found.sequences],
                                      "scores": numbers(found.sequences_scores)})
            answer["cases"].append(case)
    (out / "expected.json").write_text(json.dumps(answer) + "\n")
    print(name, sum(value.numel() for value in state.values()), "values")


def buckets(folder):
    distances = torch.arange(-300, 301)
    table = {"first": -300}
    for key, both, number, farthest in (("bothWays32to128", True, 32, 128), ("back32to128", False, 32, 128), ("bothWays8to20", True, 8, 20),
                                        ("back8to20", False, 8, 20)):
        table[key] = T5Attention._relative_position_bucket(distances, bidirectional=both, num_buckets=number, max_distance=farthest).tolist()
    (folder / "buckets.json").write_text(json.dumps(table) + "\n")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    make(target, "v1_0", 1, feed_forward_proj="relu", tie_word_embeddings=True)
    make(target, "v1_1", 2, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    buckets(target)
