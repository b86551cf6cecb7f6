#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# From a fresh Debian 12 to the program: installs what is missing, builds, fetches models and data, makes the sample project, and then
#   with a display      opens the window on it;
#   without             runs the ML-100K study headless and leaves an HTML report with its plots as PNG.
#
#   packaging/run.sh [--headless]
#
# CAROUSEL_BUILD_DIR (default build/release) and CAROUSEL_LAB_OUT (default out) set where things go.
# Run again, it installs, builds and fetches only what is missing, and keeps the sample project.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
headless=no
case "${1:-}" in
    "") ;;
    --headless) headless=yes ;;
    -h | --help)
        sed -n '3,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *)
        printf 'run.sh: unknown option %s (known: --headless)\n' "$1" >&2
        exit 2
        ;;
esac
[ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || headless=yes

say() { printf '%s\n' "$*" >&2; }
build=${CAROUSEL_BUILD_DIR:-build/release}
out=${CAROUSEL_LAB_OUT:-out}
project=$out/sample.carousel
cli=$build/bin/carousel-lab-cli

packaging/install_packages.sh core window
packaging/build.sh release "$build" -DCAROUSEL_WITH_QT_TESTS=OFF
complete=yes
packaging/fetch.sh || {
    code=$?
    [ $code = 7 ] || exit $code
    complete=no
}

lab() { "$cli" --project "$project" "$@"; }

# The project appears under its name only when its data and a first study are in.
if [ ! -f "$project" ]; then
    mkdir -p "$out"
    making=$out/making-$$.carousel
    trap 'rm -f "$making" "$making"-wal "$making"-shm' EXIT
    "$cli" --project "$making" init
    "$cli" --project "$making" data import six-of-hundreds
    if [ $complete = yes ]; then "$cli" --project "$making" data import ml-100k; fi
    "$cli" --project "$making" run sample_data/studies/six_of_hundreds.toml # a finished study to look at
    # Where the language model pays took longer than one likes to wait for: its result comes with the sample, the command beside it in the README.
    "$cli" --project "$making" evaluate add sample_data/results/six_of_hundreds_placement.json
    mv "$making" "$project"
    trap - EXIT
fi

if [ $headless = no ]; then
    say "Opening $project"
    exec "$build/bin/carousel-lab" "$project"
fi

if [ $complete = yes ]; then study=sample_data/studies/ml100k.toml; else study=sample_data/studies/six_of_hundreds.toml; fi
say "No display: running $study headless."
lab run "$study"
lab report --study latest -o "$out/report.html" --png
say ""
say "Report:  $out/report.html"
for picture in "$out"/report*/*.png "$out"/report*.png; do
    if [ -f "$picture" ]; then say "Plot:    $picture"; fi
done
say "Project: $project (open it with $build/bin/carousel-lab)"
