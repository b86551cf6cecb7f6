#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds everything and runs every test; needs no display. Ends with one line, "N passed, N failed, N skipped", and exit code 0 only when nothing failed.
#
#   packaging/test.sh
#
# CAROUSEL_BUILD_DIR (default build/release), CAROUSEL_CORE_BUILD_DIR (default build/core-only), CAROUSEL_VENV (default build/venv) and
# CAROUSEL_TEST_JOBS (default 2) can be set. Offline, the tests that need a model, a data set or a reference program skip and say why.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 5
say() { printf '%s\n' "$*" >&2; }
build=${CAROUSEL_BUILD_DIR:-build/release}
core=${CAROUSEL_CORE_BUILD_DIR:-build/core-only}
venv=${CAROUSEL_VENV:-build/venv}
jobs=${CAROUSEL_TEST_JOBS:-2}
export QT_QPA_PLATFORM=offscreen

give_up() { # a step before the tests failed: say so in the form that readers of the last line expect
    say "$1"
    echo "0 passed, 1 failed"
    exit 1
}

# Reference programs in an environment of their own; made again when the list of versions changes.
make_venv() {
    local stamp
    stamp=$(cat packaging/test_requirements.txt packaging/test_requirements_no_deps.txt | sha256sum | cut -d' ' -f1)
    if [ -f "$venv/.stamp" ] && [ "$(cat "$venv/.stamp")" = "$stamp" ]; then return 0; fi
    say "Making the reference environment in $venv (numpy, scipy, regex, ranx, pytrec_eval, sacrebleu, obp, rouge_score, statsmodels)"
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    python3 -m venv "$venv" &&
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: --retries 2 --timeout 20 \
            -r packaging/test_requirements.txt 2>"$venv.log" &&
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --no-build-isolation --retries 2 \
            --timeout 20 -r packaging/test_requirements_no_deps.txt 2>>"$venv.log" &&
        echo "$stamp" >"$venv/.stamp"
}

packaging/install_packages.sh core window test || give_up "Packages are missing; see above."
packaging/fetch.sh || say "Not every model and data set is there: the tests that need one will skip."
reference=
if make_venv; then
    reference=$(cd "$venv" && pwd)/bin/python
else
    tail -n 1 "$venv.log" 2>/dev/null | cut -c1-200 >&2
    rm -rf "$venv"
    say "The reference environment could not be made (offline?): the tests against other programs will skip."
fi
packaging/build.sh release "$build" -DCAROUSEL_WITH_QT_TESTS=ON -DCAROUSEL_REFERENCE_PYTHON="$reference" || give_up "The build failed."
packaging/build.sh core-only "$core" -DCMAKE_DISABLE_FIND_PACKAGE_Qt6=ON || give_up "The build without Qt failed."

run_ctest() { # name folder [ctest option...]
    local name=$1 folder=$2
    shift 2
    say ""
    say "== $name"
    rm -f "$folder/tests.xml"
    ctest --test-dir "$folder" --parallel "$jobs" --output-on-failure --timeout 900 --no-tests=error --output-junit "$(cd "$folder" && pwd)/tests.xml" \
        --test-output-size-passed 4000000 --test-output-size-failed 4000000 "$@" >&2
}

code=0
run_ctest "Everything, with the window offscreen" "$build" || code=1
# What reads only the source tree or compares with other programs was run above and is not counted twice.
run_ctest "The command line program built without Qt" "$core" --label-exclude 'source|reference' || code=1

python3 packaging/sum_tests.py "$build/tests.xml" "$core/tests.xml" || code=1
exit $code
