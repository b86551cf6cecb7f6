#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""EM of the position-based model, 1,000,000 sessions x 10 slots: seconds per iteration against vectorised NumPy, which does the same twice
over, row by row (bincount over rows) and on clicks and impressions gathered per (item, slot). After three iterations the parameters must
agree to 1e-9, or no ratio is printed.

  bench_click_models.py --program build/.../bench_click_models [--sessions N] [--items N]
Goal: at least 20 times NumPy, row by row against row by row. Needs numpy.
"""
import argparse, json, os, subprocess, sys, tempfile, time
import numpy as np

SLOTS = 10


def median_seconds(work, repetitions):
    """Medians of wall time and of processor time (all threads)."""
    wall, processor = [], []
    for _ in range(repetitions):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return float(np.median(wall)), float(np.median(processor))


def iterate_rows(alpha, gamma, item, slot, click, shown_item, shown_slot):
    """One EM iteration over rows, prior 1 of 2 added. Impressions are counted once, outside."""
    a, g = alpha[item], gamma[slot]
    quiet = 1 / (1 - a * g)
    attracted = np.where(click, 1.0, a * (1 - g) * quiet)
    looked = np.where(click, 1.0, g * (1 - a) * quiet)
    return ((1 + np.bincount(item, attracted, len(alpha))) / (2 + shown_item), (1 + np.bincount(slot, looked, len(gamma))) / (2 + shown_slot))


def iterate_counts(alpha, gamma, shown, clicks):
    """The same iteration on (item, slot) tables."""
    a, g = alpha[:, None], gamma[None, :]
    none = (shown - clicks) / (1 - a * g)
    return ((1 + (clicks + none * a * (1 - g)).sum(1)) / (2 + shown.sum(1)), (1 + (clicks + none * g * (1 - a)).sum(0)) / (2 + shown.sum(0)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=10_000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(5)
    rows = arguments.sessions * SLOTS
    # Popular items are shown more often; a slate may hold an item twice, which matters to neither side.
    item = np.minimum((arguments.items * rng.random(rows) ** 2).astype(np.int32), arguments.items - 1)
    slot = np.tile(np.arange(SLOTS, dtype=np.int16), arguments.sessions)
    attraction = rng.uniform(0.02, 0.4, arguments.items)
    look = 0.9 ** np.arange(SLOTS)
    click = rng.random(rows) < attraction[item] * look[slot]

    with tempfile.TemporaryDirectory() as folder:
        item.tofile(os.path.join(folder, "item"))
        slot.tofile(os.path.join(folder, "slot"))
        click.astype(np.uint8).tofile(os.path.join(folder, "click"))

        def ours():
            return json.loads(subprocess.run([arguments.program, folder, str(arguments.items), str(SLOTS)], check=True, capture_output=True, text=True).stdout)

        first = ours()
        shown_item, shown_slot = np.bincount(item, minlength=arguments.items), np.bincount(slot, minlength=SLOTS)
        shown = np.bincount(item.astype(np.int64) * SLOTS + slot, minlength=arguments.items * SLOTS).reshape(-1, SLOTS).astype(float)
        clicks = np.bincount((item.astype(np.int64) * SLOTS + slot)[click], minlength=arguments.items * SLOTS).reshape(-1, SLOTS).astype(float)
        wide_item, wide_slot = item.astype(np.intp), slot.astype(np.intp)  # the index type that NumPy is fastest with

        def by_rows(state):
            return iterate_rows(*state, wide_item, wide_slot, click, shown_item, shown_slot)

        def by_tally(state):  # rows tallied anew in every iteration, as ours does
            cell = wide_item * SLOTS + wide_slot
            tallied = np.bincount(cell, minlength=arguments.items * SLOTS).reshape(-1, SLOTS)
            return iterate_counts(*state, tallied, np.bincount(cell[click], minlength=arguments.items * SLOTS).reshape(-1, SLOTS))

        def by_counts(state):
            return iterate_counts(*state, shown, clicks)

        start = np.full(arguments.items, 0.5), np.full(SLOTS, 0.5)
        a = b = start
        for _ in range(3):
            a, b = by_rows(a), by_counts(b)
        worst = max(np.abs(a[1] - first["examination"]).max(), abs(a[0][0] - first["attraction0"]), np.abs(b[1] - a[1]).max())
        if not worst < 1e-9:
            print(f"the parameters differ by {worst:.1e} after three iterations; no ratio")
            return 1
        rows_wall, rows_processor = median_seconds(lambda: by_rows(a), 5)
        def by_counts_with_likelihood(state):
            click_chance = state[0][:, None] * state[1][None, :]
            likelihood = (clicks * np.log(click_chance) + (shown - clicks) * np.log(1 - click_chance)).sum()
            return iterate_counts(*state, shown, clicks), likelihood

        tally_wall, tally_processor = median_seconds(lambda: by_tally(b), 5)
        counts_wall, _ = median_seconds(lambda: by_counts_with_likelihood(b), 21)
        second = ours()

    mine = {key: min(first[key], second[key]) for key in first if not isinstance(first[key], list)}
    print(f"position-based model, {arguments.sessions:,} sessions x {SLOTS} slots, {arguments.items:,} items; {first['threads']} threads, {os.cpu_count()} cores; "
          f"load {os.getloadavg()[0]:.1f}; parameters agree to {worst:.0e}")
    print(f"per iteration, row by row: ours {mine['rows'] * 1e3:.1f} ms wall, {mine['rowsProcessor'] * 1e3:.1f} ms processor; NumPy {rows_wall * 1e3:.0f} ms, "
          f"{rows_processor * 1e3:.0f} ms; ratio {rows_wall / mine['rows']:.1f} wall (goal 20), {rows_processor / mine['rowsProcessor']:.1f} processor")
    print(f"the same against NumPy that tallies rows per (item, slot) in every iteration, as ours does: NumPy {tally_wall * 1e3:.0f} ms; "
          f"ratio {tally_wall / mine['rows']:.1f} wall, {tally_processor / mine['rowsProcessor']:.1f} processor")
    print(f"per iteration, on counts of {mine['cells']:,} cells (gathered once in {mine['gathering'] * 1e3:.0f} ms), likelihood included: ours {mine['counts'] * 1e3:.2f} ms wall; "
          f"NumPy on counts {counts_wall * 1e3:.2f} ms, ratio {counts_wall / mine['counts']:.1f}; NumPy row by row, ratio {rows_wall / mine['counts']:.0f}")
    print(f"bootstrap, 1,000 draws of 1,000,000 rows x 3 columns: {mine['bootstrap']:.2f} s wall, {mine['bootstrapProcessor']:.2f} s processor")
    return 0 if rows_wall / mine["rows"] >= 20 else 1


if __name__ == "__main__":
    sys.exit(main())
