#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""sentence-transformers and onnxruntime, both fp32, as engines for bench_llm.py. The ONNX graph is exported here from the same weights.

  peer_encoder.py MODEL_FOLDER TASK.json THREADS BATCH WORK_FOLDER      commands on stdin, one JSON object on stdout for each:
    sentence-transformers | onnxruntime [vectors]
Tokenising is part of the time, batches are sorted by length, vectors are means over tokens, normalised.
"""
import json, os, sys, time, warnings

warnings.filterwarnings("ignore")
os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
import numpy as np
import onnxruntime
import torch
import transformers
import sentence_transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer

NAMES = ["input_ids", "attention_mask", "token_type_ids"]


class LastHidden(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.bert = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    def forward(self, ids, mask, types):
        return self.bert(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state


def exported(folder, path):
    if not os.path.exists(path):
        ids = torch.randint(5, 1000, (2, 9))
        axes = {name: {0: "texts", 1: "tokens"} for name in NAMES + ["hidden"]}
        torch.onnx.export(LastHidden(folder), (ids, torch.ones_like(ids), torch.zeros_like(ids)), path, input_names=NAMES, output_names=["hidden"],
                          dynamic_axes=axes, opset_version=17, dynamo=False)
    return path


def main():
    folder, texts, threads, batch, work = sys.argv[1], json.load(open(sys.argv[2]))["texts"], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    begin = time.perf_counter()
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    transformer = Transformer(folder)
    model = SentenceTransformer(modules=[transformer, Pooling(384), Normalize()], device="cpu")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(exported(folder, os.path.join(work, "encoder.onnx")), options, providers=["CPUExecutionProvider"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def with_onnx():
        rows = tokenizer(texts)["input_ids"]
        by_length = np.argsort([len(row) for row in rows], kind="stable")
        vectors = np.zeros((len(texts), 384), np.float32)
        for first in range(0, len(texts), batch):
            chosen = by_length[first : first + batch]
            longest = max(len(rows[i]) for i in chosen)
            ids = np.zeros((len(chosen), longest), np.int64)
            mask = np.zeros_like(ids)
            for at, i in enumerate(chosen):
                ids[at, : len(rows[i])] = rows[i]
                mask[at, : len(rows[i])] = 1
            hidden = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
            means = (hidden * mask[..., None]).sum(1)
            vectors[chosen] = means / np.linalg.norm(means, axis=1, keepdims=True)
        return vectors

    engines = {"sentence-transformers": lambda: model.encode(texts, batch_size=batch, show_progress_bar=False), "onnxruntime": with_onnx}
    tokens = float(np.mean([len(row) for row in tokenizer(texts)["input_ids"]]))
    versions = f"sentence-transformers {sentence_transformers.__version__}, onnxruntime {onnxruntime.__version__}"
    print(json.dumps({"seconds": time.perf_counter() - begin, "tokens": tokens, "versions": versions}), flush=True)
    for line in sys.stdin:
        words = line.split()
        begin = time.perf_counter()
        vectors = engines[words[0]]()
        answer = {"seconds": time.perf_counter() - begin}
        if len(words) > 1:
            answer["vectors"] = np.asarray(vectors, np.float64).tolist()
        print(json.dumps(answer), flush=True)


main()
