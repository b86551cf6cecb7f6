#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logits of tiny decoders of the Llama, Qwen2 and Mistral types, computed by PyTorch and transformers in fp64.

    python make_tiny_decoder_logits.py tiny_decoders.tsv      (an environment with torch and transformers)

The weights are no file: both this program and the test fill them by a rule (weight() below), tensor by tensor, so that only the
configuration, the prompt and the logits are kept. Written with transformers 5.23 and torch 2.8.
"""
import json
import sys

import numpy as np
import torch
import transformers

COMMON = {"vocab_size": 96, "num_hidden_layers": 2, "rms_norm_eps": 1e-5, "max_position_embeddings": 256, "hidden_act": "silu"}
CASES = {
    # Grouped heads, heads wider than the model, a head of its own.
    "llama-grouped": ("llama", {"hidden_size": 96, "intermediate_size": 80, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "rope_theta": 500000.0, "tie_word_embeddings": False}),
    # Heads of 24 values, one key/value head each.
    "llama-narrow-heads": ("llama", {"hidden_size": 72, "intermediate_size": 64, "num_attention_heads": 3, "num_key_value_heads": 3, "rope_theta": 10000.0, "tie_word_embeddings": True}),
    # Biases on queries, keys and values; one key/value head for all.
    "qwen2-biases": ("qwen2", {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 2, "num_key_value_heads": 1, "rope_theta": 1000000.0, "tie_word_embeddings": True, "use_sliding_window": False}),
    "mistral": ("mistral", {"hidden_size": 128, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 64, "rope_theta": 10000.0, "tie_word_embeddings": False, "sliding_window": None}),
}
CLASSES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM),
}
TOKENS = [(7 * i * i + 3 * i + 11) % 96 for i in range(70)]


def weight(name, shape):
    """Multiples of 2^-16 in a range that depends on the tensor: exact in every number format used here."""
    salt = 2166136261
    for byte in name.encode():
        salt = ((salt ^ byte) * 16777619) % 2**32
    index = np.arange(np.prod(shape), dtype=np.uint64)
    mixed = (index * 2654435761 + salt) % 2**32
    mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 2**32
    centred = ((mixed >> 16).astype(np.float64) - 32768) / 65536  # [-1/2, 1/2)
    if name.endswith("norm.weight"):
        return (1 + centred / 2).reshape(shape)
    return (centred * (1 if "embed" in name or "bias" in name else 0.5)).reshape(shape)


def logits_of(kind, options):
    make_config, make_model = CLASSES[kind]
    model = make_model(make_config(**COMMON, **options, attn_implementation="eager")).double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weight(name, tuple(parameter.shape))))
        if options["tie_word_embeddings"]:
            model.tie_weights()
        # Cosines and sines are made in fp32 by default; the rest is fp64.
        return model(torch.tensor([TOKENS])).logits[0].numpy()


def main(out):
    with open(out, "w", encoding="utf-8") as table:
        table.write("# case\tconfig.json\ttoken ids\tlogits after the last token\tlogits after token 30\n")
        for name, (kind, options) in CASES.items():
            config = dict(COMMON, **options, model_type=kind, architectures=[CLASSES[kind][1].__name__], torch_dtype="float32")
            logits = logits_of(kind, options)
            shown = lambda row: " ".join(f"{x:.6f}" for x in row)
            table.write("\t".join([name, json.dumps(config, sort_keys=True), " ".join(map(str, TOKENS)), shown(logits[-1]), shown(logits[29])]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
