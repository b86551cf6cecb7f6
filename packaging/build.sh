#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Configures and builds one preset of CMakePresets.json.
#
#   packaging/build.sh PRESET FOLDER [CMAKE OPTION...]
#
# CAROUSEL_JOBS sets the number of compilers at once (default: one a core, but no more than memory allows at 1.5 GB each: LibTorch headers are large).
set -euo pipefail

preset=$1 folder=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Paths relative to the source tree, so that a second clone is served from the same compiler cache.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

cores=$(nproc)
memory=$(awk '/^MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)
jobs=${CAROUSEL_JOBS:-$((memory < 1 ? 1 : memory < cores ? memory : cores))}

log=$folder/build.log
mkdir -p "$folder"
printf 'Building (%s, %s at once); the first time takes some minutes. Log: %s\n' "$preset" "$jobs" "$log" >&2
if ! { cmake --preset "$preset" -B "$folder" "$@" && cmake --build "$folder" --parallel "$jobs"; } >"$log" 2>&1; then
    grep -nE 'error|Error|FAILED' "$log" | head -n 20 >&2 || true
    tail -n 15 "$log" >&2
    printf 'The build failed; the whole log is in %s\n' "$log" >&2
    exit 1
fi
