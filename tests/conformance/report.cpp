// SPDX-License-Identifier: GPL-3.0-or-later
#include "report.h"
#include <cstdio>
#include <exception>
#include <fmt/format.h>

namespace carousel::conformance {

void Report::check(const std::string& plugin, const std::string& what, const std::function<std::string()>& body) {
    std::string wrong;
    try {
        wrong = body();
    } catch (const std::exception& error) {
        wrong = fmt::format("threw: {}", error.what());
    }
    if (wrong.empty()) {
        ++m_passed;
        fmt::print("PASS {}: {}\n", plugin, what);
    } else {
        ++m_failed;
        fmt::print("FAIL {}: {}: {}\n", plugin, what, wrong);
    }
    std::fflush(stdout);
}

int Report::finish() const {
    fmt::print("{} passed, {} failed\n", m_passed, m_failed);
    // A battery that checked nothing has not passed: most likely no plugin was found.
    return m_failed == 0 && m_passed > 0 ? 0 : 1;
}

} // namespace carousel::conformance
