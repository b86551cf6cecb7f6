#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of language models for the tests: deterministic answers in the shape of vLLM, SGLang, llama-server, Ollama or a plain OpenAI service,
and every fault that a test asks for. Standard library only; listens on 127.0.0.1 on ports of the system's choosing, prints them as JSON.

    POST /__set {"personality", "fault", "times", "skip", "easy"}   fault: the next `times` scoring requests after `skip` (-1: all) go wrong
    GET  /__state                                  what was asked since the last /__set, also on the port that redirects lead to

The truth behind every shape: the share of "Yes" after a prompt is a hash of the prompt's text, so that all ways of scoring must agree.
"""
import base64
import hashlib
import json
import math
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

YES, NO, SPACE_YES, SPACE_NO = 1, 2, 3, 4
WORDS = {"Yes": YES, "No": NO, " Yes": SPACE_YES, " No": SPACE_NO}
TEXTS = {v: k for k, v in WORDS.items()}
FIRST_BYTE = 10  # tokens are bytes above this
CONTEXT = 4096
MODEL = "test-model"

lock = threading.Lock()
state = {"personality": "vllm", "fault": "", "times": 0, "skip": 0, "easy": True}
seen = {"requests": 0, "scoring": 0, "faults": 0, "other_port": 0, "key_on_other_port": 0, "keys": [], "prompts": []}


def tokens_of(text):
    return [WORDS[text]] if text in WORDS else [b + FIRST_BYTE for b in text.encode()]


def text_of(ids):
    return b"".join(TEXTS[i].encode() if i in TEXTS else bytes([i - FIRST_BYTE]) for i in ids).decode(errors="replace")


def laid_out(messages, open_reply=True):
    return "".join(f"<{m['role']}>{m['content']}</>" for m in messages) + ("<assistant>" if open_reply else "")


def share(text):
    if state["easy"] and "2+2=4" in text:
        return 0.97
    if state["easy"] and "2+2=5" in text:
        return 0.04
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
    return 0.02 + 0.96 * number


def answers(text):
    """Probability of each first token, most probable first."""
    p = share(text)
    rest = {"Maybe": 0.04, "It": 0.03, "The": 0.02, "I": 0.005, "A": 0.004}
    table = {"Yes": 0.9 * p, "No": 0.9 * (1 - p), **rest}
    return sorted(table.items(), key=lambda entry: -entry[1])


def ids_for(word):
    return WORDS.get(word, 500 + len(word))


class Fault(Exception):
    """Ends the request in a way of its own."""


def chat_choice(index, text, top, personality, bias):
    table = answers(text)
    if bias:
        table = [(w, p * (1e40 if str(ids_for(w)) in bias else 1)) for w, p in table]
        total = sum(p for _, p in table)
        table = sorted([(w, max(p / total, 1e-30)) for w, p in table], key=lambda e: -e[1])
    entries = []
    for word, p in table[:top]:
        entry = {"token": word, "logprob": math.log(p), "bytes": list(word.encode())}
        if personality == "llama-server":
            entry["id"] = ids_for(word)
        entries.append(entry)
    return {"index": index, "message": {"role": "assistant", "content": table[0][0]}, "finish_reason": "length",
            "logprobs": {"content": [{**entries[0], "top_logprobs": entries}]}}


def legacy_choice(index, ids, body):
    table = answers(text_of(ids))
    top = {}
    for word, p in table[: int(body.get("logprobs") or 1)]:
        top[f"token_id:{ids_for(word)}" if body.get("return_tokens_as_token_ids") else word] = math.log(p)
    for wanted in body.get("logprob_token_ids", []):
        for word, p in table:
            if ids_for(word) == wanted:
                top[f"token_id:{wanted}"] = math.log(p)
    return {"index": index, "text": table[0][0], "finish_reason": "length",
            "logprobs": {"tokens": [table[0][0]], "token_logprobs": [math.log(table[0][1])], "top_logprobs": [top], "text_offset": [0]}}


def echo_choice(index, ids):
    values = [None]
    for at in range(1, len(ids)):
        word = TEXTS.get(ids[at])
        table = dict(answers(text_of(ids[:at]))) if word else {}
        values.append(math.log(table[word]) if word in table else -0.001 * ids[at])
    return {"index": index, "text": text_of(ids), "finish_reason": "length",
            "logprobs": {"tokens": [str(i) for i in ids], "token_logprobs": values, "top_logprobs": [None] + [{} for _ in ids[1:]], "text_offset": [0] * len(ids)}}


def usage(prompt, answer):
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer, "prompt_tokens_details": {"cached_tokens": prompt // 2}}


def vector(text):
    digest = hashlib.sha256(text.encode()).digest()
    return [((digest[i] - 127.5) / 64.0) for i in range(8)]


# ---- faults on a reply that was fine -------------------------------------------------------------------------------------------------------
def entries_of(reply):
    for key in ("choices", "data", "scores"):
        if isinstance(reply, dict) and isinstance(reply.get(key), list):
            return reply[key]
    return reply if isinstance(reply, list) else None


def each_number(reply, change):
    """Applies `change` to the log-probabilities of the answers in the last entry, whatever the shape; probabilities where there are those."""
    entry = entries_of(reply)[-1]
    if isinstance(entry, list):  # /v1/score
        entry[0] = change(entry[0], True)
    elif "score" in entry:
        entry["score"] = change(entry["score"], True)
    elif "meta_info" in entry:
        for triple in entry["meta_info"]["output_token_ids_logprobs"][0]:
            triple[0] = change(triple[0], False)
    elif entry.get("logprobs"):
        log = entry["logprobs"]
        if "content" in log:
            for one in log["content"][0]["top_logprobs"]:
                one["logprob"] = change(one["logprob"], False)
        elif log["top_logprobs"][0] is None:  # echo
            log["token_logprobs"][-1] = change(log["token_logprobs"][-1], False)
        else:
            for key in log["top_logprobs"][0]:
                log["top_logprobs"][0][key] = change(log["top_logprobs"][0][key], False)


def spoil(fault, reply):
    """Faults of the content. Returns the reply, or text to send instead of JSON."""
    entries = entries_of(reply)
    if fault == "missing_choices":
        for key in ("choices", "data", "scores"):
            reply.pop(key, None) if isinstance(reply, dict) else None
        return {} if isinstance(reply, list) else reply
    if fault == "too_few":
        entries.pop()
    elif fault == "too_many":
        entries.append(json.loads(json.dumps(entries[-1])))
    elif fault == "duplicate_index":
        for entry in entries:
            if isinstance(entry, dict):
                entry["index"] = 0
                entry.get("meta_info", {})["id"] = "p0"
        if len(entries) == 1:
            entries.append(json.loads(json.dumps(entries[0])))
    elif fault == "index_out_of_range":
        for entry in entries:
            if isinstance(entry, dict):
                entry["index"] = entry.get("index", 0) + 7
                entry.get("meta_info", {})["id"] = "p9999"
            elif isinstance(entry, list):
                entry.append(0.1)
    elif fault == "no_index":
        for entry in entries:
            if isinstance(entry, dict):
                entry.pop("index", None)
                entry.get("meta_info", {}).pop("id", None)
            elif isinstance(entry, list):
                entry.pop()
    elif fault == "other_order":
        if not isinstance(entries[0], list):
            entries.reverse()
    elif fault == "finish_missing":
        for entry in entries:
            entry.pop("finish_reason", None) if isinstance(entry, dict) else entry.clear()
            if "meta_info" in entry:
                entry["meta_info"].pop("output_token_ids_logprobs")
            if "score" in entry:
                entry.pop("score")
    elif fault == "finish_filter":
        for entry in entries:
            if isinstance(entry, dict):
                entry["finish_reason"] = "content_filter"
                entry.pop("score", None)
                entry.get("meta_info", {}).pop("output_token_ids_logprobs", None)
            else:
                entry.clear()
    elif fault == "logprob_positive":
        each_number(reply, lambda x, probability: 1.5 if probability else 0.7)
    elif fault == "logprob_null":
        each_number(reply, lambda x, probability: None)
    elif fault == "logprob_text":
        each_number(reply, lambda x, probability: "0.")
    elif fault == "logprob_nan_text":
        each_number(reply, lambda x, probability: "NaN")
    elif fault == "logprob_huge":
        each_number(reply, lambda x, probability: -5.0 if probability else 1e300)
    elif fault == "mass_above_one":
        each_number(reply, lambda x, probability: 1.2 if probability else -0.05)
    elif fault == "no_logprobs":
        for entry in entries:
            if isinstance(entry, dict):
                entry.pop("logprobs", None)
                entry.pop("score", None)
                entry.get("meta_info", {}).pop("output_token_ids_logprobs", None)
            else:
                entry.clear()
    elif fault == "empty_logprobs":
        for entry in entries:
            if isinstance(entry, dict):
                if "logprobs" in entry:
                    entry["logprobs"] = {"content": []}
                entry.pop("score", None)
                if "meta_info" in entry:
                    entry["meta_info"]["output_token_ids_logprobs"] = []
            else:
                entry.clear()
    elif fault == "negative_usage":
        if isinstance(reply, dict):
            reply["usage"]["prompt_tokens"] = -5
        else:
            return {"error": {"message": "negative", "code": 500}}
    elif fault == "no_usage":
        if isinstance(reply, dict):
            reply.pop("usage", None)
    elif fault == "error_in_200":
        return {"error": {"message": "CUDA out of memory", "type": "server_error"}}
    elif fault == "model_renamed":
        if isinstance(reply, dict):
            reply["model"] = "another"
    elif fault == "extra_fields":
        if isinstance(reply, dict):
            reply["surprise"] = {"a": [1, {"b": None}]}
    elif fault in ("label_missing", "labels_missing"):
        for entry in entries:
            log = entry.get("logprobs") if isinstance(entry, dict) else None
            if fault == "label_missing" and log and "content" in log:  # beyond the end of the list, as with a small K: only what is likelier is told
                listed = log["content"][0]["top_logprobs"]
                no = [t["logprob"] for t in listed if t["token"] == "No"]
                kept = [t for t in listed if t["logprob"] > no[0]] if no else listed
                if kept:
                    log["content"][0].update({"top_logprobs": kept, "token": kept[0]["token"], "logprob": kept[0]["logprob"]})
                continue
            drop = ("No", f"token_id:{NO}") + (("Yes", f"token_id:{YES}") if fault == "labels_missing" else ())
            if log and "content" in log:
                log["content"][0]["top_logprobs"] = [t for t in log["content"][0]["top_logprobs"] if t["token"] not in drop]
                if fault == "labels_missing":
                    log["content"][0].update({"token": "Maybe", "logprob": math.log(0.04)})
                else:
                    keep = [t for t in log["content"][0]["top_logprobs"]]
                    log["content"][0].update({k: keep[0][k] for k in ("token", "logprob")})
            elif log and log["top_logprobs"][0] is None:
                log["token_logprobs"][-1] = None
            elif log:
                log["top_logprobs"] = [{k: v for k, v in log["top_logprobs"][0].items() if k not in drop}]
            elif isinstance(entry, dict) and "meta_info" in entry:
                triples = entry["meta_info"]["output_token_ids_logprobs"][0]
                entry["meta_info"]["output_token_ids_logprobs"][0] = [t for t in triples if t[1] not in ((NO, YES) if fault == "labels_missing" else (NO,))]
            elif isinstance(entry, dict) and "score" in entry:
                entry["score"] = None
            elif isinstance(entry, list):
                entry.pop()
    text = json.dumps(reply)
    if fault == "nan_literal":
        return text[:-1] + ', "x": NaN}' if text.endswith("}") else text[:-1] + ", NaN]"
    if fault == "infinity_literal":
        return text[:-1] + ', "x": -Infinity}' if text.endswith("}") else text[:-1] + ", Infinity]"
    if fault == "overflow_number":
        return text[:-1] + ', "x": 1e999}' if text.endswith("}") else text[:-1] + ", 1e999]"
    if fault == "duplicate_keys":
        return text[:-1] + ', "x": 1, "x": 2}' if text.endswith("}") else '{"a": 1, "a": 2}'
    if fault == "deep_nesting":
        return '{"x": ' + "[" * 5000 + "]" * 5000 + "}"
    if fault == "cut_json":
        return text[: len(text) * 2 // 3]
    if fault == "scalar":
        return "0."
    if fault == "text_line":
        return "Yes"
    return reply


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; each reply would wait 40 ms for an acknowledgement

    def log_message(self, *args):
        pass

    def send(self, status, reply, content_type="application/json", headers=(), length=None):
        data = reply if isinstance(reply, bytes) else (reply if isinstance(reply, str) else json.dumps(reply)).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, message, headers=()):
        shapes = {"vllm": {"object": "error", "message": message, "type": "BadRequest", "code": status}, "ollama": {"error": message},
                  "tgi": {"error": message, "error_type": "x"}}
        self.send(status, shapes.get(state["personality"], {"error": {"message": message, "type": "error", "code": status}}), headers=headers)

    def close_now(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        raise Fault()

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (Fault, BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_GET(self):
        if self.path == "/__state":
            with lock:
                return self.send(200, seen)
        with lock:
            seen["requests"] += 1
            seen["keys"].append(self.headers.get("Authorization", ""))
        kind = state["personality"]
        routes = {"vllm": {"/version": {"version": "0.33.0"}}, "sglang": {"/get_model_info": {"model_path": MODEL, "version": "0.5"}},
                  "llama-server": {"/props": {"total_slots": 2, "build_info": "b1", "default_generation_settings": {"n_ctx": CONTEXT}}},
                  "ollama": {"/api/version": {"version": "0.12"}}, "tgi": {"/info": {"model_id": MODEL, "version": "3"}}, "openai": {}}[kind]
        if state["fault"] in ALWAYS and state["times"] < 0 and state["skip"] <= 0:
            return self.fail_whole(state["fault"])
        if self.path == "/v1/models":
            return self.send(200, {"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": CONTEXT}]})
        if self.path in routes:
            return self.send(200, routes[self.path])
        return self.refuse(404, "Not Found")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        if self.path == "/__set":
            with lock:
                state.update({"fault": "", "times": 0, "skip": 0, "easy": True, **body})
                seen.update({"requests": 0, "scoring": 0, "faults": 0, "other_port": 0, "key_on_other_port": 0, "keys": [], "prompts": []})
            return self.send(200, {})
        with lock:
            seen["requests"] += 1
            seen["keys"].append(self.headers.get("Authorization", ""))
        try:
            reply = self.answer(body)
        except KeyError as error:
            return self.refuse(404, f"Not Found {error}")
        if reply is None:
            return None
        text = json.dumps(body)
        probing = "2+2=" in text or "Say Yes." in text or body.get("input") == ["carousel"] or self.is_probe_tokens(body)
        scoring = self.path not in ("/tokenize", "/extras/tokenize") and not probing
        fault = ""
        if scoring:
            with lock:
                seen["scoring"] += 1
                seen["prompts"].append(hashlib.sha256(text.encode()).hexdigest())
                if state["fault"]:
                    if state["skip"] > 0:
                        state["skip"] -= 1
                    elif state["times"] != 0:
                        state["times"] -= 1 if state["times"] > 0 else 0
                        fault = state["fault"]
                        seen["faults"] += 1
        if not fault:
            return self.send(200, reply)
        if fault in ALWAYS:
            return self.fail_whole(fault, reply)
        spoiled = spoil(fault, reply)
        return self.send(200, spoiled)

    @staticmethod
    def is_probe_tokens(body):
        ids = body.get("query") or (body.get("prompt") if isinstance(body.get("prompt"), list) else None) or body.get("input_ids")
        flat = [i for part in (ids or []) for i in (part if isinstance(part, list) else [part]) if isinstance(i, int)]
        items = [i for part in body.get("items", []) if isinstance(part, list) for i in part]
        return "2+2=" in text_of(flat + items) if flat else False

    def fail_whole(self, fault, reply=None):
        """Faults of the transport."""
        if fault.startswith("http_"):
            return self.refuse(int(fault[5:8]), f"made up {fault}")
        if fault == "retry_after_short":
            return self.refuse(429, "slow down", [("Retry-After", "0.05")])
        if fault == "retry_after_date":
            return self.refuse(503, "loading", [("Retry-After", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 5)))])
        if fault == "retry_after_long":
            return self.refuse(429, "come back tomorrow", [("Retry-After", "86400")])
        if fault == "retry_after_rubbish":
            return self.refuse(429, "slow down", [("Retry-After", "soon")])
        if fault == "echo_key":
            return self.refuse(500, f"bad header: {self.headers.get('Authorization')}")
        if fault == "echo_key_html":
            return self.send(200, f"<html>{self.headers.get('Authorization')}</html>", "text/html")
        if fault.startswith("redirect_"):
            return self.send(int(fault[9:]), {}, headers=[("Location", f"http://127.0.0.1:{OTHER_PORT}/v1/completions")])
        if fault == "hang":
            time.sleep(0.7)  # beyond every deadline of the tests, as the other two are
            return self.close_now()
        if fault == "slow_first_byte":
            time.sleep(0.35)
            return self.send(200, reply or {})
        if fault == "drip":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(20):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.035)
            return self.close_now()
        if fault == "early_close":
            return self.close_now()
        if fault == "close_in_header":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
            return self.close_now()
        if fault == "short_body":
            self.send(200, json.dumps(reply)[:-5], length=len(json.dumps(reply)))
            return self.close_now()
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            raise Fault()
        if fault == "html_page":
            return self.send(200, "<html><body>Welcome</body></html>", "text/html; charset=utf-8")
        if fault == "plain_type":
            return self.send(200, reply or {}, "text/plain")
        if fault == "no_type":
            data = json.dumps(reply or {}).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
            return None
        if fault == "empty_body":
            return self.send(200, b"")
        if fault == "invalid_utf8":
            return self.send(200, json.dumps(reply or {}).encode()[:-1] + b', "x": "\xff\xfe"}')
        if fault == "huge_body":
            return self.send(200, b'{"x": "' + b"a" * (9 << 20) + b'"}')
        if fault == "not_http":
            self.wfile.write(b"hello, this is not HTTP\r\n\r\n")
            return self.close_now()
        if fault == "no_content":
            self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        raise AssertionError(fault)

    def answer(self, body):
        kind, path = state["personality"], self.path
        if path == "/tokenize" and kind in ("vllm", "sglang"):
            text = laid_out(body["messages"], body.get("add_generation_prompt", True)) if "messages" in body else body["prompt"]
            ids = tokens_of(text)
            return {"tokens": ids, "count": len(ids), "max_model_len": CONTEXT}
        if path == "/tokenize" and kind == "llama-server":
            return {"tokens": tokens_of(body["content"])}
        if path == "/v1/score" and kind == "sglang" and state.get("label", True):
            texts = [text_of(body["query"] + item) for item in body["items"]]
            rows = [[dict((ids_for(w), p) for w, p in answers(t))[label] for label in body["label_token_ids"]] for t in texts]
            return {"object": "scoring", "model": MODEL, "scores": rows, "usage": usage(sum(map(len, texts)), 0)}
        if path == "/generative_scoring" and kind == "vllm" and state.get("label", True):
            texts = [text_of(body["query"] + item) for item in body["items"]]
            first = body["label_token_ids"][0]
            data = [{"index": i, "object": "score", "score": dict((ids_for(w), p) for w, p in answers(t))[first]} for i, t in enumerate(texts)]
            return {"id": "generative-scoring-1", "object": "list", "model": MODEL, "data": data, "usage": usage(sum(map(len, texts)), 0)}
        if path == "/generate" and kind == "sglang":
            out = []
            for rid, ids in zip(body["rid"], body["input_ids"]):
                table = dict((ids_for(w), math.log(p)) for w, p in answers(text_of(ids)))
                out.append({"text": "x", "meta_info": {"id": rid, "prompt_tokens": len(ids), "completion_tokens": 1, "cached_tokens": len(ids) // 2,
                                                       "finish_reason": {"type": "length", "length": 1},
                                                       "output_token_ids_logprobs": [[[table[i], i, None] for i in body["token_ids_logprob"]]]}})
            return out
        if path == "/v1/completions":
            prompts = body["prompt"]
            if isinstance(prompts, str):
                prompts = [tokens_of(prompts)]
            elif kind == "ollama":
                return self.refuse(400, "prompt must be a string")
            prompts = [tokens_of(p) if isinstance(p, str) else p for p in prompts]
            if body.get("echo"):
                if kind not in ("vllm", "sglang"):
                    return self.refuse(400, "echo is not offered")
                choices = [echo_choice(i, ids) for i, ids in enumerate(prompts)]
            else:
                choices = [legacy_choice(i, ids, body) for i, ids in enumerate(prompts)]
            return {"id": "c", "object": "text_completion", "model": MODEL, "choices": choices, "usage": usage(sum(map(len, prompts)), len(prompts))}
        if path == "/v1/chat/completions":
            text = laid_out(body["messages"])
            if kind == "openai" and int(body.get("top_logprobs") or 0) > 20:
                return self.refuse(400, "top_logprobs must be at most 20")
            choices = [chat_choice(i, text, int(body.get("top_logprobs") or 1), kind, body.get("logit_bias")) for i in range(body.get("n", 1))]
            schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("enum")
            allowed = schema or body.get("structured_outputs", {}).get("choice")
            for choice in choices:
                if allowed:
                    said = max(allowed, key=lambda a: dict(answers(text)).get(a, 0))
                    choice["message"]["content"] = json.dumps(said) if schema else said
                    choice["finish_reason"] = "stop"
                elif body.get("max_tokens", 1) > 1:
                    choice["message"]["content"] = "said " + hashlib.sha256(text.encode()).hexdigest()[:8]
                    choice["finish_reason"] = "stop"
                if not body.get("logprobs"):
                    choice.pop("logprobs")
            return {"id": "c", "object": "chat.completion", "model": MODEL, "choices": choices, "usage": usage(len(text), len(choices))}
        if path == "/v1/embeddings":
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            if len(texts) > 16:
                return self.refuse(413, "too many")
            rows = [{"object": "embedding", "index": i, "embedding": vector(t)} for i, t in enumerate(texts)]
            if kind == "vllm":
                for row in rows:
                    row["embedding"] = base64.b64encode(struct.pack("<8f", *row["embedding"])).decode()
            return {"object": "list", "data": rows, "model": MODEL, "usage": {"prompt_tokens": 3, "total_tokens": 3}}
        raise KeyError(path)


ALWAYS = {"retry_after_short", "retry_after_date", "retry_after_long", "retry_after_rubbish", "echo_key", "echo_key_html", "hang", "slow_first_byte", "drip",
          "early_close", "close_in_header", "short_body", "reset", "html_page", "plain_type", "no_type", "empty_body", "invalid_utf8", "huge_body", "not_http",
          "no_content"} | {f"http_{code}" for code in (400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 501, 502, 503, 504)} \
    | {f"redirect_{code}" for code in (301, 302, 303, 307, 308)}


class OtherPort(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        with lock:
            seen["other_port"] += 1
            seen["key_on_other_port"] += 1 if self.headers.get("Authorization") else 0
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


other = Server(("127.0.0.1", 0), OtherPort)
OTHER_PORT = other.server_address[1]
main = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=other.serve_forever, daemon=True).start()
threading.Thread(target=main.serve_forever, daemon=True).start()
print(json.dumps({"port": main.server_address[1], "other": OTHER_PORT}), flush=True)
sys.stdin.read()  # ends with the test that started it
