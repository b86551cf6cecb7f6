#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs the Debian packages that are missing, and only those. Nothing is asked of apt when all are there.
#
#   packaging/install_packages.sh [core] [window] [test]     groups; default: core window
#   packaging/install_packages.sh --missing [GROUP...]       print what is missing and install nothing (exit code 1 when something is)
#
#   core    compiler, build tools and libraries of the command line program; what fetch.sh needs
#   window  Qt, plots, font and icons of the desktop program
#   test    what packaging/test.sh needs beside these
# Exit codes: 0 all there · 1 something is missing or apt failed · 2 usage · 5 no right to install
set -uo pipefail

core=(
    # build tools
    ca-certificates git g++ cmake ninja-build ccache pkg-config
    # language models: LibTorch, oneDNN with packed weights, OpenBLAS as LibTorch's BLAS
    libtorch-dev libdnnl-dev libopenblas-dev
    # project file, settings, tables, text
    libsqlite3-dev libsqlitecpp-dev zlib1g-dev nlohmann-json3-dev libsimdjson-dev libtomlplusplus-dev libcli11-dev libfmt-dev libspdlog-dev
    libcsv-dev libarchive-dev libutf8proc-dev libsentencepiece-dev libboost-dev librandom123-dev libxxhash-dev libexpected-dev
    libkainjow-mustache-dev libssl-dev
    # factors of what users met, for scorers that need collaborative vectors (headers alone)
    libeigen3-dev libspectra-dev
    # language models on servers
    libcurl4-openssl-dev
    # PNG of a report's plots without a window, and the font in them
    librsvg2-bin fonts-inter
    # models and data (fetch.sh)
    python3 python3-pip unzip
)
window=(qt6-base-dev qt6-svg-dev libqcustomplot-dev breeze-icon-theme fonts-inter)
test=(qt6-base-dev python3-venv xvfb xauth sqlite3 libbenchmark-dev librapidcheck-dev)

say() { printf '%s\n' "$*" >&2; }
only_print=no
groups=()
for word in "$@"; do
    case "$word" in
        --missing) only_print=yes ;;
        core | window | test) groups+=("$word") ;;
        *)
            say "install_packages.sh: unknown word $word (known: core, window, test, --missing)"
            exit 2
            ;;
    esac
done
[ ${#groups[@]} -gt 0 ] || groups=(core window)

wanted=()
for group in "${groups[@]}"; do
    case "$group" in
        core) wanted+=("${core[@]}") ;;
        window) wanted+=("${window[@]}") ;;
        test) wanted+=("${test[@]}") ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is not a Debian system. Install these by your own means, then run the build: ${wanted[*]}"
    [ "$only_print" = yes ] && exit 1
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || state=
    [ "$state" = installed ] || missing+=("$package")
done
if [ "$only_print" = yes ]; then
    [ ${#missing[@]} -eq 0 ] && exit 0
    printf '%s\n' "${missing[@]}" | sort -u
    exit 1
fi
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        say "These Debian packages are missing, and installing them needs root or sudo:"
        say "  apt-get install --no-install-recommends ${missing[*]}"
        exit 5
    fi
    as_root=(sudo)
    say "sudo may ask for your password: ${#missing[@]} Debian packages are missing."
fi

say "Installing: ${missing[*]}"
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" >&2
}
"${as_root[@]}" apt-get update --quiet >&2 || say "apt-get update failed; going on with the package lists that are there."
if ! install; then
    say "apt-get could not install: ${missing[*]}"
    say "Its message stands above. Carousel Lab is made for Debian 12; when the machine is offline, install these packages first, then try again."
    exit 1
fi
