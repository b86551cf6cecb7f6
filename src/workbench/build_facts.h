// SPDX-License-Identifier: GPL-3.0-or-later
// What this build is, written by CMake into build_facts.cpp.
#pragma once
#include <map>
#include <string>

namespace carousel {

struct BuildFacts {
    std::string version, commit, buildType, compiler;
    std::map<std::string, std::string> libraries;
};
const BuildFacts& buildFacts();

} // namespace carousel
