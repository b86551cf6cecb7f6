// SPDX-License-Identifier: GPL-3.0-or-later
// conformance BATTERY...: runs the batteries on every plugin that the registry finds. Exit 0 all passed, 1 something failed, 77 skipped.
#include "checks.h"
#include "prompt_checks.h"
#include <cstdio>
#include <cstring>

int main(int argc, char** argv) {
    using namespace carousel::conformance;
    const auto registry = carousel::PluginRegistry::load();
    for (const auto& refused : registry.refused())
        fmt::print("refused {}: {}\n", refused.file, refused.reason);
    Report report;
    bool ran = false;
    auto wanted = [&](const char* battery) {
        bool named = argc < 2;
        for (int i = 1; i < argc; ++i)
            named = named || std::strcmp(argv[i], battery) == 0;
        ran = ran || named;
        return named;
    };
    bool skipped = false;
    if (wanted("manifest"))
        checkManifests(registry, report);
    if (wanted("feature"))
        checkFeatures(registry, report);
    if (wanted("encoder"))
        checkEncoders(registry, report);
    if (wanted("scorer")) {
        checkScorers(registry, report);
        checkLabels(registry, report);
        checkShuffling(registry, report);
    }
    if (wanted("controller"))
        checkControllers(registry, report);
    if (wanted("known-answers")) {
        checkKnownAnswers(registry, report);
        checkPointAnswers(registry, report);
        checkFewShotAnswers(registry, report);
        checkExternalAnswers(registry, report);
        checkLearnedAnswers(registry, report);
        checkDistilAnswers(registry, report);
        checkInjectionAnswers(registry, report);
        checkPositionAnswers(registry, report);
        checkListAnswers(registry, report);
        checkGenerateAnswers(registry, report);
    }
    if (argc > 1 && wanted("real-model"))
        skipped = !checkRealModel(registry, report) || skipped;
    if (argc > 1 && wanted("ml-100k"))
        skipped = !checkMl100k(registry, report) || skipped;
    if (!ran) {
        fmt::print(stderr, "usage: conformance [manifest|feature|encoder|scorer|controller|known-answers|real-model|ml-100k]...\n");
        return 2;
    }
    if (skipped && report.failed() == 0)
        return 77;
    return report.finish();
}
