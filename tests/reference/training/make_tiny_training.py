#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains adapters on two decoders of a few thousand weights with transformers and PEFT, and writes what comes out.

    make_tiny_training.py OUT.tsv                 golden values for tests/unit/scoring/test_lora_decoder.cpp
    make_tiny_training.py --check FOLDER ...      reads adapters that `models tune` wrote for the tiny llama, and prints a loss

Needs torch, transformers and peft (made with 2.8.0, 5.23.0, 0.21.2). Weights, adapter, tokens and targets are functions of integers, the same
as in tests/unit/scoring/tiny_decoder.h; no file of a model is involved.
"""
import math
import sys

import numpy
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model

BLOCKS, WIDTH, HEADS, KEY_VALUE_HEADS, HEAD, INNER, VOCABULARY = 2, 64, 2, 1, 32, 96, 102
MODULES = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
RATES = [0.01, 0.02, 0.02, 0.015, 0.01, 0.005]


def noise(tensor, count):
    x = (numpy.uint64(tensor) * numpy.uint64(0x9E3779B9) + numpy.arange(1, count + 1, dtype=numpy.uint64)) & numpy.uint64(0xFFFFFFFF)
    for _ in range(2):
        x = ((x ^ (x >> numpy.uint64(16))) * numpy.uint64(0x45D9F3B)) & numpy.uint64(0xFFFFFFFF)
    x ^= x >> numpy.uint64(16)
    return x.astype(numpy.float64) / 2147483648.0 - 1


def unpaired(rows):
    """Rows of a GGUF file of the Llama family (neighbours are turned together) -> the order of transformers (halves)."""
    heads = rows.shape[0] // HEAD
    return rows.reshape(heads, HEAD // 2, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def tiny(architecture, seed=0):
    qwen = architecture == "qwen2"
    number = seed * 1000
    state = {}

    def add(name, rows, columns, scale, middle):
        nonlocal number
        values = (middle + scale * noise(number, rows * columns)).astype(numpy.float32)
        state[name] = values.reshape(rows, columns) if rows > 1 else values
        number += 1

    def matrix(name, rows, columns):
        add(name, rows, columns, 1.7 / math.sqrt(columns), 0)

    add("model.embed_tokens.weight", VOCABULARY, WIDTH, 0.4, 0)
    add("model.norm.weight", 1, WIDTH, 0.2, 1)
    if qwen:
        matrix("lm_head.weight", VOCABULARY, WIDTH)
    for block in range(BLOCKS):
        at = f"model.layers.{block}."
        add(at + "input_layernorm.weight", 1, WIDTH, 0.2, 1)
        matrix(at + "self_attn.q_proj.weight", HEADS * HEAD, WIDTH)
        matrix(at + "self_attn.k_proj.weight", KEY_VALUE_HEADS * HEAD, WIDTH)
        matrix(at + "self_attn.v_proj.weight", KEY_VALUE_HEADS * HEAD, WIDTH)
        matrix(at + "self_attn.o_proj.weight", WIDTH, HEADS * HEAD)
        add(at + "post_attention_layernorm.weight", 1, WIDTH, 0.2, 1)
        matrix(at + "mlp.gate_proj.weight", INNER, WIDTH)
        matrix(at + "mlp.up_proj.weight", INNER, WIDTH)
        matrix(at + "mlp.down_proj.weight", WIDTH, INNER)
        if qwen:
            add(at + "self_attn.q_proj.bias", 1, HEADS * HEAD, 0.3, 0)
            add(at + "self_attn.k_proj.bias", 1, KEY_VALUE_HEADS * HEAD, 0.3, 0)
            add(at + "self_attn.v_proj.bias", 1, KEY_VALUE_HEADS * HEAD, 0.3, 0)
        else:
            for name in ("q_proj", "k_proj"):
                state[at + f"self_attn.{name}.weight"] = unpaired(state[at + f"self_attn.{name}.weight"])
    sizes = dict(vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=BLOCKS, num_attention_heads=HEADS,
                 num_key_value_heads=KEY_VALUE_HEADS, max_position_embeddings=512, rms_norm_eps=1e-5, rope_theta=10000.0,
                 tie_word_embeddings=not qwen, attn_implementation="eager")
    if qwen:
        model = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**sizes))
    else:
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(head_dim=HEAD, **sizes))
    missing, unexpected = model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in state.items()}, strict=False)
    assert not unexpected and all("lm_head" in name and not qwen for name in missing), (missing, unexpected)
    model.tie_weights()
    return model.float().eval()


def sequences():
    """Three prompts with two targets each: (tokens, [(row, token, weight)])."""
    out = []
    for i, length in enumerate((9, 17, 30)):
        tokens = [int((value + 1) / 2 * VOCABULARY) for value in noise(900 + i, length)]
        out.append((tokens, [(length - 3, 20 + i, 0.25), (length - 1, 50 + i, 0.5)]))
    return out


def loss_of(model):
    total = 0
    for tokens, targets in sequences():
        logits = model(input_ids=torch.tensor([tokens])).logits[0]
        for row, token, weight in targets:
            total = total - weight * torch.log_softmax(logits[row], 0)[token]
    return total


def adapted(model):
    config = LoraConfig(r=3, lora_alpha=6, lora_dropout=0.0, target_modules=[m.split(".")[1] for m in MODULES], task_type="CAUSAL_LM")
    model = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" not in name:
                continue
            block = int(name.split(".layers.")[1].split(".")[0])
            module = next(i for i, m in enumerate(MODULES) if m in name)
            part = 0 if "lora_A" in name else 1
            values = noise(600 + block * 14 + module * 2 + part, parameter.numel()) * (0.3 if part == 0 else 0.2)
            parameter.copy_(torch.from_numpy(values.astype(numpy.float32)).reshape(parameter.shape))
    return model


def write(path):
    lines = [f"# Made by make_tiny_training.py with torch {torch.__version__}, transformers {transformers.__version__} and PEFT; see there.",
             "# architecture, what, values"]
    for architecture in ("llama", "qwen2"):
        model = tiny(architecture)
        tokens = sequences()[1][0]

        def row(what, values, name=architecture):
            lines.append(f"{name}\t{what}\t" + " ".join(f"{float(v):.9g}" for v in torch.as_tensor(values).detach().tolist()))

        row("tokens", tokens)
        row("base logits", model(input_ids=torch.tensor([tokens])).logits[0, -1])
        model = adapted(model)
        row("first logits", model(input_ids=torch.tensor([tokens])).logits[0, -1])
        trained = [p for p in model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.05)
        losses, norms = [], []
        for rate in RATES:
            optimiser.zero_grad()
            loss = loss_of(model)
            loss.backward()
            norms.append(torch.nn.utils.clip_grad_norm_(trained, 1.0))
            losses.append(loss.detach())
            optimiser.param_groups[0]["lr"] = rate
            optimiser.step()
        losses.append(loss_of(model).detach())
        row("losses", losses)
        row("gradient norms", norms)
        row("last logits", model(input_ids=torch.tensor([tokens])).logits[0, -1])
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def check(folders):
    for folder in folders:
        model = PeftModel.from_pretrained(tiny("llama"), folder).eval()
        with torch.no_grad():
            print(f"{folder}: loss of the fixed sequences {float(loss_of(model)):.6f} (without the adapter {float(loss_of(tiny('llama'))):.6f})")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--check":
        check(sys.argv[2:])
    elif len(sys.argv) == 2:
        write(sys.argv[1])
    else:
        sys.exit(__doc__)
