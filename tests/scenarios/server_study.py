#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A study whose scorer asks a server: run, outage, resume, failed answers, consent, and the search for the key in everything that was written.

  server_study.py CLI FAULT_SERVER.py

The server is the tests' own (tests/unit/server/fault_server.py). Python's standard library only."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

CANARY = "canary-51c07e9ab3d24f68"
# What an undisturbed and a resumed run may differ in: identity, time, and what was asked again.
TIMES = {"run", "runs", "study", "seconds", "prepareSeconds", "scoreSeconds", "modelSeconds", "createdAt", "finishedAt", "cost", "preparation",
         "candidatesPerSecond", "secondsPerUser", "id", "started", "finished"}
said = []


def numbers(value):
    if isinstance(value, dict):
        return {k: numbers(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [numbers(v) for v in value]
    return value


def check(condition, what):
    if not condition:
        sys.exit(f"FAIL: {what}")
    print(f"ok: {what}")


def main():
    cli, program = sys.argv[1], sys.argv[2]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="carousel-server-"))
    process = subprocess.Popen([sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    environment = {**os.environ, "CAROUSEL_TEST_KEY": CANARY, "CAROUSEL_LAB_ENDPOINTS": str(folder / "endpoints.toml")}

    def server(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url + path, data, {"Content-Type": "application/json"})) as reply:
            return json.loads(reply.read())

    def call(*arguments):
        done = subprocess.run([cli, "--json", *map(str, arguments)], capture_output=True, text=True, env=environment)
        said.append(done.stdout + done.stderr)
        try:
            return done.returncode, json.loads(done.stdout)
        except json.JSONDecodeError:
            sys.exit(f"FAIL: {arguments} gave exit {done.returncode} and no JSON:\n{done.stdout}\n{done.stderr}")

    def project(name):
        code, answer = call("init", folder / name)
        check(code == 0, f"init {name}: {answer.get('error')}")
        code, answer = call("--project", folder / name, "data", "import", "six-of-hundreds")
        check(code == 0, "import")
        return folder / name

    study = folder / "study.toml"
    text = f"""
name = "Asks a server"
dataset = "six-of-hundreds"
[evaluation]
users = 6
bootstrap = 100
[endpoints.lab]
url = "{url}"
api_key_env = "CAROUSEL_TEST_KEY"
kind = "openai"
rung = "top"
concurrency = 2
backoff_seconds = 0.002
backoff_limit_seconds = 0.01
breaker_seconds = 0.05
price_input = 0.5
[[strategy]]
name = "Popularity"
scorer = "popularity"
[[strategy]]
name = "Server"
[strategy.scorer]
plugin = "llm_yes_no"
model = "server:lab"
count = 10
"""
    study.write_text(text)

    server("/__set", {"personality": "openai"})
    clean_project = project("clean.carousel")
    code, clean = call("--project", clean_project, "run", study)
    check(code == 0, f"a study with a server: {clean.get('error')}")
    asked = server("/__state")["scoring"]
    check(asked == 60, f"6 users with 10 candidates each are 60 requests ({asked})")
    check(f"Bearer {CANARY}" in server("/__state")["keys"], "the key goes to its server")
    strategy = clean["data"]["comparison"]["strategies"][1]
    check(strategy["invalidShare"] == 0, "no answer is missing")
    code, export = call("--project", clean_project, "report", str(strategy["run"]), "-o", folder / "report.html")
    check(code == 0, f"report: {export.get('error')}")

    server("/__set", {"personality": "openai", "fault": "http_500", "times": -1, "skip": 25})
    broken = project("broken.carousel")
    code, answer = call("--project", broken, "run", study)
    check(code == 7 and answer["error"]["code"] == "CL-7016", f"an outage pauses the study with exit code 7: {code} {answer.get('error')}")
    check("resume" in answer["error"]["hint"], "the hint says how to go on")
    state = server("/__state")
    check(state["requests"] <= 25 + 60, f"the failing server is left alone ({state['requests']} requests)")
    paid = set(state["prompts"][:25])
    server("/__set", {"personality": "openai"})
    code, resumed = call("--project", broken, "resume", "1")
    check(code == 0, f"resume: {resumed.get('error')}")
    again = server("/__state")["prompts"]
    check(not paid & set(again), "nothing that was answered is asked again")
    check(len(paid) + len(again) == asked, f"{len(paid)} + {len(again)} requests are the {asked} of the undisturbed run")
    check(numbers(resumed["data"]["comparison"]["strategies"]) == numbers(clean["data"]["comparison"]["strategies"]), "the resumed study has the same numbers")

    server("/__set", {"personality": "openai", "fault": "logprob_null", "times": -1})
    code, answer = call("--project", project("missing.carousel"), "run", study)
    check(code == 0, f"answers that cannot be used do not end the study: {answer.get('error')}")
    check(answer["data"]["comparison"]["strategies"][1]["invalidShare"] == 1, "every unusable answer is counted and shown")
    server("/__set", {"personality": "openai", "fault": "redirect_307", "times": -1})
    code, answer = call("--project", project("redirected.carousel"), "run", study)
    check(code == 7 and server("/__state")["other_port"] == 0, "a redirect is not followed")
    check("CL-2106" in json.dumps(answer), "and it is named")
    server("/__set", {"personality": "openai", "fault": "echo_key", "times": -1})
    call("--project", project("echo.carousel"), "run", study)

    study.write_text(text.replace(url, "https://models.invalid"))
    code, answer = call("--project", clean_project, "run", study)
    check(code == 7 and "CL-2114" in json.dumps(answer) and "--allow-server lab" in json.dumps(answer), "data leave only when that was allowed")
    study.write_text(text.replace('api_key_env = "CAROUSEL_TEST_KEY"', f'api_key = "{CANARY}"'))
    code, answer = call("--project", clean_project, "run", study)
    check(code == 3 and answer["error"]["code"] == "CL-2102" and "api_key_env" in answer["error"]["hint"], "a key in a study is refused")
    study.write_text(text.replace("concurrency", "concurency"))
    code, answer = call("--project", clean_project, "run", study)
    check(code == 3 and "concurency" in answer["error"]["message"], "an unknown key is named")
    study.write_text(text)

    server("/__set", {"personality": "sglang"})
    code, answer = call("endpoint", "test", url)
    check(code == 0 and answer["data"]["kind"] == "sglang" and answer["data"]["rung"] == "label", f"endpoint test: {answer}")
    check(answer["data"]["easyQuestion"]["passed"], "the easy question is passed")
    code, answer = call("endpoint", "add", "mine", "--url", url, "--key-env", "CAROUSEL_TEST_KEY", "--set", "concurrency=8")
    check(code == 0, f"endpoint add: {answer.get('error')}")
    code, answer = call("endpoint", "list")
    check(code == 0 and answer["data"]["endpoints"][0]["name"] == "mine" and answer["data"]["endpoints"][0]["concurrency"] == 8, "endpoint list")
    code, answer = call("endpoint", "test", "mine")
    check(code == 0, f"endpoint test by name: {answer.get('error')}")
    code, answer = call("endpoint", "add", "other", "--url", url, "--set", f"api_key={CANARY}")
    check(code == 3 and answer["error"]["code"] == "CL-2102", "a key on the command line is refused")
    code, answer = call("endpoint", "remove", "mine")
    check(code == 0, "endpoint remove")
    code, answer = call("endpoint", "test", "http://127.0.0.1:9")
    check(code == 5 and answer["error"]["code"] == "CL-2107", f"nobody listens: {code} {answer.get('error')}")

    files = [path for path in folder.rglob("*") if path.is_file()]
    check(len(files) >= 7, f"{len(files)} files were written")
    for path in files:
        check(CANARY.encode() not in path.read_bytes(), f"no key in {path.name}")
    check(not any(CANARY in text for text in said), f"no key in {sum(map(len, said))} characters of output")
    process.stdin.close()
    process.wait(timeout=10)
    print("PASS")


if __name__ == "__main__":
    main()
