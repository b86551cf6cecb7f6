// SPDX-License-Identifier: GPL-3.0-or-later
// A small project with a finished study on the sample data, made once per test program through the workbench.
#pragma once
#include "workbench/workbench.h"

namespace carousel::test {

// Two strategies without a language model, `users` users. The plugins must lie beside the libraries: Workbench().plugins() tells.
inline Result<StudyRun> makeCarouselProject(const std::string& file, int users = 60) {
    Workbench bench;
    CAROUSEL_TRY(bench.createProject(file, "Test"));
    Workbench::ImportRequest request;
    request.kind = request.name = "six-of-hundreds";
    request.path = std::string(CAROUSEL_SOURCE_DIR) + "/sample_data/six_of_hundreds";
    CAROUSEL_TRY(bench.importData(request, {}));
    CAROUSEL_ASSIGN(const auto study, parseStudy(fmt::format(R"(
name = "First look"
dataset = "six-of-hundreds"
seed = 1
[split]
method = "leave-one-out"
targetModel = "combined"
[evaluation]
k = 10
window = 6
users = {}
bootstrap = 200
[[strategy]]
name = "Popularity"
scorer = "popularity"
[[strategy]]
name = "Sequence rules"
scorer = "sequence_rules"
)",
                                                             users),
                                                 bench.plugins()));
    return bench.runStudy(study, {});
}

} // namespace carousel::test
