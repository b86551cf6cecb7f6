#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""transformers on torch as an engine for bench_llm.py: the prefix once, its past_key_values repeated for a batch of candidates of similar length,
only the last hidden state times the two answers' rows of the head.

  peer_transformers.py MODEL.gguf TASK.json THREADS      commands on stdin, one JSON object on stdout for each:
    check | score fp32|bf16 P BATCH | naive fp32|bf16 P CANDIDATES | decode fp32|bf16 P TOKENS
Start it with MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ raised: large activations are otherwise mapped anew in every layer.
"""
import copy, json, os, sys, time, warnings

warnings.filterwarnings("ignore")
os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
import torch
import transformers

PAD = 0


class Engine:
    def __init__(self, path, task, threads):
        torch.set_num_threads(threads)
        transformers.logging.set_verbosity_error()
        folder, name = os.path.split(path)
        exact = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
        self.models = {"fp32": exact, "bf16": copy.deepcopy(exact).to(torch.bfloat16)}
        self.heads = {key: model.lm_head.weight[task["answerIds"]] for key, model in self.models.items()}
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
        self.task = task

    def check(self):
        """Prompts whose ids differ from those of the reference tokenizer, the text as one piece; control tokens spelled out."""
        wrong = []
        for number, prompt in enumerate(self.task["prompts"]):
            ids = prompt["sharedIds"] + prompt["branchIds"][0]
            text = self.tokenizer.decode(ids)
            written = prompt["shared"] + prompt["branches"][0] + prompt["tail"]
            if written not in text or self.tokenizer(text, add_special_tokens=False)["input_ids"] != ids:
                wrong.append(number)
        return wrong

    @staticmethod
    def padded(rows):
        longest = max(map(len, rows))
        ids = torch.full((len(rows), longest), PAD)
        mask = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        return ids, mask

    def answers(self, hidden, mask, dtype):
        last = hidden[torch.arange(len(hidden)), mask.sum(1) - 1]
        logits = (last @ self.heads[dtype].T).float()
        return logits[:, 0] - logits[:, 1]

    @torch.inference_mode()
    def score(self, dtype, number, batch):
        prompt, body = self.task["prompts"][number], self.models[dtype].model
        shared, rows = prompt["sharedIds"], prompt["branchIds"]
        prefix = body(input_ids=torch.tensor([shared]), use_cache=True).past_key_values
        by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        scores = torch.zeros(len(rows))
        for begin in range(0, len(rows), batch):
            chosen = by_length[begin : begin + batch]
            ids, mask = self.padded([rows[i] for i in chosen])
            past = copy.deepcopy(prefix)
            past.batch_repeat_interleave(len(chosen))
            seen = torch.cat([torch.ones(len(chosen), len(shared), dtype=torch.long), mask], 1)
            hidden = body(input_ids=ids, attention_mask=seen, past_key_values=past, use_cache=True).last_hidden_state
            scores[chosen] = self.answers(hidden, mask, dtype)
        return scores.tolist()

    @torch.inference_mode()
    def naive(self, dtype, number, count):
        prompt, body = self.task["prompts"][number], self.models[dtype].model
        ids, mask = self.padded([prompt["sharedIds"] + row for row in prompt["branchIds"][:count]])
        return self.answers(body(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state, mask, dtype).tolist()

    @torch.inference_mode()
    def decode(self, dtype, number, tokens):
        model = self.models[dtype]
        out = model(input_ids=torch.tensor([self.task["prompts"][number]["sharedIds"]]), use_cache=True, logits_to_keep=1)
        begin = time.perf_counter()
        for _ in range(tokens):
            out = model(input_ids=out.logits[:, -1].argmax(-1, keepdim=True), past_key_values=out.past_key_values, use_cache=True)
        return time.perf_counter() - begin


def main():
    path, task, threads = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
    begin = time.perf_counter()
    engine = Engine(path, task, threads)
    print(json.dumps({"seconds": time.perf_counter() - begin, "versions": f"transformers {transformers.__version__}, torch {torch.__version__}"}), flush=True)
    for line in sys.stdin:
        words = line.split()
        begin, answer = time.perf_counter(), {}
        if words[0] == "check":
            answer["wrong"] = engine.check()
        elif words[0] == "decode":
            answer["seconds"] = engine.decode(words[1], int(words[2]), int(words[3]))
        else:
            answer["scores"] = (engine.score if words[0] == "score" else engine.naive)(words[1], int(words[2]), int(words[3]))
        answer.setdefault("seconds", time.perf_counter() - begin)
        print(json.dumps(answer), flush=True)


main()
