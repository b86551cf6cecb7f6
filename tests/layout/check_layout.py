#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enforces the rules of the architecture on the source tree and prints every violation as FILE:LINE: what is wrong.

    tests/layout/check_layout.py [ROOT]        check the tree (exit code 1 when something is wrong)
    tests/layout/check_layout.py --self-test   break every rule once in a tree of its own, and see that each is noticed

Python 3 standard library only. The tables below are the rules; change them together with the architecture, never to silence a finding.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Who may include whom. A folder may always include itself; what is not listed is not allowed.
MAY_INCLUDE = {
    "base": set(),
    "data": {"base"},
    "stages": {"base", "data"},
    "compute": {"base"},
    "llm": {"base", "stages"},
    "server": {"base", "stages"},
    "scoring": {"base", "stages", "llm", "compute"},
    "evaluation": {"base", "data"},
    "tasks": {"base", "data"},
    "experiment": {"base", "data", "stages", "evaluation"},
    "report": {"base", "data", "evaluation", "experiment"},
    "store": {"base", "data", "stages", "evaluation", "experiment"},
    "workbench": {"base", "data", "stages", "llm", "server", "evaluation", "tasks", "experiment", "report", "store"},
    "cli": {"base", "data", "stages", "llm", "server", "evaluation", "tasks", "experiment", "report", "store", "workbench"},
    "ui": {"base", "data", "stages", "llm", "server", "evaluation", "tasks", "experiment", "report", "store", "workbench"},
    "plugins": {"base", "data", "stages", "llm", "evaluation"},
}

QT = re.compile(r"^(Q[A-Z]\w*|Qt\w+(/.*)?|q[a-z]+\.h|qcustomplot\.h)$")
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")
SQLITE = re.compile(r"^(SQLiteCpp/.*|sqlite3(ext)?\.h)$")
TORCH_FILE = re.compile(r"_torch\.(cpp|h)$")

MAX_LINES = 600
CODE = {".cpp", ".h", ".py", ".sh", ".cmake"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
# Spelled in pieces, so that this file does not break its own rules.
MACHINE_PATH = re.compile("(^|[^A-Za-z0-9_.])/(" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers", "fa" + "rm"]) + ")/|/t" + r"mp/[A-Za-z0-9_]+/")
HOSTS = re.compile(r"\b(" + "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "hugging" + r"face\.co", "deb\\." + r"debian\.org", "crates" + r"\.io",
                                      "npm" + r"js\.(?:org|com)", "proxy\\." + r"golang\.org", "docker" + r"\.io", "ana" + r"conda\.(?:org|com)"]) + r")\b")
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")


def files_of(root):
    """Tracked files and new ones that are not ignored; without git, everything outside build folders."""
    try:
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True)
        names = [n for n in listed.stdout.decode().split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
        names = [n for n in names if not re.match(r"(build[^/]*|out|models|\.git)/", n) and "__pycache__" not in n]
    return sorted(n for n in set(names) if (root / n).is_file())


def is_code(name):
    return Path(name).suffix in CODE or Path(name).name == "CMakeLists.txt" or name == ".ci/run"


def room_of(name):
    parts = name.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in ("ui", "plugins", "tests") else None


def check_include(name, room, opening, header):
    """What is wrong with one include, or None."""
    if opening == "<" or "/" not in header:
        if QT.match(header) and room not in ("ui", "tests"):
            return f"includes Qt ({header}); Qt lives in ui/ and tests/"
    if TORCH.match(header) and not TORCH_FILE.search(name):
        return f"includes LibTorch ({header}); only *_torch.cpp and *_torch.h do"
    if SQLITE.match(header) and room not in ("store", "tests"):
        return f"includes SQLite ({header}); only src/store does"
    if opening == '"':
        if header.startswith("../") or "/../" in header:
            return f'includes "{header}"; paths are relative to src/'
        target = header.split("/")[0] if "/" in header else None
        if room in MAY_INCLUDE and target in MAY_INCLUDE and target != room and target not in MAY_INCLUDE[room]:
            return f'includes "{header}"; {room} may include {", ".join(sorted(MAY_INCLUDE[room])) or "nothing else"}'
    return None


def check_file(root, name):
    try:
        text = (root / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        if is_code(name):
            yield 1, "is not UTF-8"
        return
    lines = text.splitlines()
    if is_code(name):
        if not any(SPDX in line for line in lines[:3]):
            yield 1, f"has no line '{SPDX}' at its top"
        if len(lines) > MAX_LINES:
            yield MAX_LINES + 1, f"has {len(lines)} lines; more than {MAX_LINES} is more than one idea"
    suffix = Path(name).suffix
    if suffix in (".cpp", ".h"):
        room, qt, torch = room_of(name), 0, 0
        if name.startswith("src/") and room not in MAY_INCLUDE:
            yield 1, f"lies in {Path(name).parent}, which has no row in MAY_INCLUDE"
        if suffix == ".h" and "#pragma once" not in text:
            yield 1, "has no #pragma once"
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            wrong = check_include(name, room, *found.groups())
            if wrong:
                yield number, wrong
            qt = qt or (number if found.group(1) == "<" and QT.match(found.group(2)) else 0)
            torch = torch or (number if TORCH.match(found.group(2)) else 0)
        if qt and torch:
            yield max(qt, torch), "includes Qt and LibTorch; their headers do not go together"
    if name == "LICENSE":
        return
    for number, line in enumerate(lines, 1):
        if MACHINE_PATH.search(line) and suffix != ".svg":
            yield number, f"holds a path of one machine: {line.strip()[:100]}"
        if HOSTS.search(line):
            yield number, f"names a registry host: {line.strip()[:100]}"
        if UNFINISHED.search(line) and is_code(name):
            yield number, f"is unfinished by its own words: {line.strip()[:100]}"


def check(root):
    names = files_of(root)
    found = [f"{name}:{number}: {wrong}" for name in names for number, wrong in check_file(root, name)]
    return len(names), found


BAD = {  # file -> (content, words that the finding must contain)
    "src/base/a.cpp": (f"// {SPDX}\n#include <QString>\n", "includes Qt"),
    "plugins/scorers/b.cpp": (f"// {SPDX}\n#include <torch/torch.h>\n", "includes LibTorch"),
    "src/report/c.cpp": (f"// {SPDX}\n#include <sqlite3.h>\n", "includes SQLite"),
    "src/data/d.cpp": (f'// {SPDX}\n#include "experiment/result.h"\n', "data may include base"),
    "src/evaluation/e.cpp": (f'// {SPDX}\n#include "store/project_store.h"\n', "evaluation may include"),
    "src/llm/f.cpp": (f'// {SPDX}\n#include "../base/hash.h"\n', "relative to src/"),
    "src/unheard/g.cpp": (f"// {SPDX}\n", "no row in MAY_INCLUDE"),
    "src/base/h.h": (f"// {SPDX}\n", "no #pragma once"),
    "src/base/i.cpp": ("int x;\n", "at its top"),
    "packaging/j.sh": (f"# {SPDX}\n" + "true\n" * MAX_LINES, "more than one idea"),
    "k.md": ("see /ho" + "me/someone/x\n", "path of one machine"),
    "packaging/l.cmake": (f"# {SPDX}\n# from py" + "pi.org\n", "registry host"),
    "src/base/m.cpp": (f"// {SPDX}\n// TO" + "DO\n", "unfinished"),
    "tests/unit/llm/n_torch.cpp": (f"// {SPDX}\n#include <ATen/core/Tensor.h>\n#include <QTest>\n", "do not go together"),
}
GOOD = {
    "src/scoring/o_torch.cpp": f'// {SPDX}\n#include "compute/device.h"\n#include <ATen/core/Tensor.h>\n',
    "src/store/p.cpp": f'// {SPDX}\n#include "data/dataset.h"\n#include <sqlite3.h>\n#include "near.h"\n',
    "ui/pages/q.cpp": f'// {SPDX}\n#include "workbench/workbench.h"\n#include <QWidget>\n#include <queue>\n',
}


def self_test():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, content in {**{n: c for n, (c, _) in BAD.items()}, **GOOD}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")
        _, found = check(root)
        for name, (_, words) in BAD.items():
            mine = [f for f in found if f.startswith(name + ":")]
            if len(mine) != 1 or words not in mine[0]:
                failed += 1
                print(f"{name}: expected one finding with '{words}', got {mine}")
        for name in GOOD:
            for finding in (f for f in found if f.startswith(name + ":")):
                failed += 1
                print(f"{name}: should be fine, got {finding}")
    print(f"{len(BAD) + len(GOOD) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = Path(arguments[0] if arguments else Path(__file__).resolve().parents[2])
    count, found = check(root)
    for line in found:
        print(line)
    print(f"{count} files looked at, {len(found)} violations")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
