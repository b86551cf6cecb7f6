#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up what CTest ran: the functions inside Qt Test programs and inside programs that print "N passed, N failed", else one per test.

    packaging/sum_tests.py JUNIT.xml...     prints "N passed, N failed, N skipped"; exit code 1 when something failed or nothing ran

The files are those of `ctest --output-junit`. The frame functions initTestCase and cleanupTestCase are not counted as passes: they check nothing.
A test that CTest calls failed though its own sum shows no failure (a crash, a time-out) counts as one failure.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

SUM = re.compile(r"^(?:Totals: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", re.MULTILINE)
FRAME = re.compile(r"^PASS\s+: \w+::(?:initTestCase|cleanupTestCase)\(\)", re.MULTILINE)


def sum_of(case):
    output = case.findtext("system-out") or ""
    inside = SUM.findall(output)
    passed, failed, skipped = (sum(int(row[column] or 0) for row in inside) for column in range(3))
    passed = max(0, passed - len(FRAME.findall(output)))
    status = case.get("status")
    if status == "run":
        return (passed, failed, skipped) if inside else (1, 0, 0)
    if status in ("disabled", "notrun") and "SKIP" in (case.find("skipped").get("message", "") if case.find("skipped") is not None else ""):
        return passed, failed, max(skipped, 1)
    return passed, max(failed, 1), skipped


def main(paths):
    total = [0, 0, 0]
    for path in paths:
        try:
            cases = list(ElementTree.parse(path).getroot().iter("testcase"))
        except (OSError, ElementTree.ParseError) as error:
            cases = []
            print(f"failed: {path}: {error}", file=sys.stderr)
        if not cases:
            total[1] += 1
            print(f"failed: {path}: no test ran", file=sys.stderr)
        for case in cases:
            counts = sum_of(case)
            total = [a + b for a, b in zip(total, counts)]
            if counts[1]:
                print(f"failed: {case.get('name')}: {counts[1]}", file=sys.stderr)
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
