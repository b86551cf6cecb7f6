#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill -9 of a headless run at random moments, each followed by a resume: the final numbers must equal an undisturbed run's to the last
digit, and the project file must pass SQLite's integrity check.

  kill_resume.py CLI STUDY.toml DATA [--kills 20] [--set key=value ...] [--seed 1]

DATA is a name that `data import` knows. Moments are drawn evenly over the length of the undisturbed run, so that kills fall into the
preparation, the first commit and the last one alike. Python's standard library only."""
import argparse
import json
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

# What an undisturbed and a resumed run may differ in: identity and time.
TIMES = {"run", "runs", "study", "seconds", "prepareSeconds", "scoreSeconds", "modelSeconds", "createdAt", "finishedAt", "cost", "preparation",
         "candidatesPerSecond", "secondsPerUser", "id", "started", "finished"}


def numbers(value):
    if isinstance(value, dict):
        return {k: numbers(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [numbers(v) for v in value]
    return value


def call(cli, *arguments):
    done = subprocess.run([cli, "--json", *arguments], capture_output=True, text=True)
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"FAIL: {arguments} gave exit {done.returncode} and no JSON:\n{done.stdout}\n{done.stderr}")


def must(cli, *arguments):
    code, answer = call(cli, *arguments)
    if code != 0:
        sys.exit(f"FAIL: {arguments} gave exit {code}: {answer.get('error')}")
    return answer["data"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cli")
    parser.add_argument("study")
    parser.add_argument("data")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    sets = [word for value in options.set for word in ("--set", value)]
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        base = folder / "base.carousel"
        must(options.cli, "--project", str(base), "init")
        must(options.cli, "--project", str(base), "data", "import", options.data)

        calm = folder / "calm.carousel"
        shutil.copy(base, calm)
        began = time.monotonic()
        expected = numbers(must(options.cli, "--project", str(calm), "run", options.study, *sets)["comparison"])
        length = time.monotonic() - began
        calm.unlink()

        landed = {"before the study": 0, "within a run": 0, "after the end": 0}
        for kill in range(options.kills):
            project = folder / f"killed{kill}.carousel"
            shutil.copy(base, project)
            process = subprocess.Popen([options.cli, "--json", "--project", str(project), "run", options.study, *sets],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            moment = draw.uniform(0, length)
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.wait()

            studies = [run["study"] for run in must(options.cli, "--project", str(project), "runs", "list")["runs"]]
            if studies:
                done = must(options.cli, "--project", str(project), "resume", str(max(studies)))
                landed["after the end" if process.returncode == 0 else "within a run"] += 1
            else:
                done = must(options.cli, "--project", str(project), "run", options.study, *sets)
                landed["before the study"] += 1
            if numbers(done["comparison"]) != expected:
                sys.exit(f"FAIL: kill {kill + 1} after {moment:.3f} s: the resumed numbers differ")
            with sqlite3.connect(project) as database:
                verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
            if verdict != "ok":
                sys.exit(f"FAIL: kill {kill + 1} after {moment:.3f} s: integrity_check says {verdict}")
            project.unlink()
        print(f"{options.kills} kills over {length:.2f} s ({', '.join(f'{n} {where}' for where, n in landed.items())}): "
              "every resumed result equals the undisturbed one, every file passes integrity_check")


if __name__ == "__main__":
    main()
