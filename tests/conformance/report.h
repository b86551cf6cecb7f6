// SPDX-License-Identifier: GPL-3.0-or-later
// Collects what the battery found: one line per plugin and check, and a final count.
#pragma once
#include <functional>
#include <string>

namespace carousel::conformance {

class Report {
public:
    // Runs `body` and prints PASS or FAIL; the body returns an empty text, or what is wrong. Exceptions are failures.
    void check(const std::string& plugin, const std::string& what, const std::function<std::string()>& body);
    int failed() const { return m_failed; }
    int passed() const { return m_passed; }
    int finish() const; // prints the count; exit code of the program

private:
    int m_passed = 0, m_failed = 0;
};

} // namespace carousel::conformance
