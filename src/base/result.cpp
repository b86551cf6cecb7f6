// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/result.h"

namespace carousel {

int exitCode(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::internal: return 1;
    case ErrorKind::usage: return 2;
    case ErrorKind::input: return 3;
    case ErrorKind::project: return 4;
    case ErrorKind::io: return 5;
    case ErrorKind::locked: return 6;
    case ErrorKind::partial:
    case ErrorKind::cancelled: return 7;
    case ErrorKind::guard: return 8;
    case ErrorKind::plugin: return 9;
    case ErrorKind::replay: return 10;
    }
    return 1;
}

const char* name(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::internal: return "internal";
    case ErrorKind::usage: return "usage";
    case ErrorKind::input: return "input refused";
    case ErrorKind::project: return "project refused";
    case ErrorKind::io: return "file or folder";
    case ErrorKind::locked: return "locked";
    case ErrorKind::partial: return "partial";
    case ErrorKind::guard: return "statistical guard";
    case ErrorKind::plugin: return "plugin refused";
    case ErrorKind::replay: return "replay differs";
    case ErrorKind::cancelled: return "cancelled";
    }
    return "internal";
}

std::string describe(const Error& error) {
    std::string text = error.code.empty() ? error.message : error.code + " " + error.message;
    if (!error.hint.empty())
        text += "\n  What to do: " + error.hint;
    return text;
}

} // namespace carousel
