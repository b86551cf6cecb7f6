// SPDX-License-Identifier: GPL-3.0-or-later
// The batteries, one per file, and what they share.
#pragma once
#include "fake_model.h"
#include "report.h"
#include "small_data.h"
#include "stages/plugin.h"

namespace carousel::conformance {

void checkManifests(const PluginRegistry& registry, Report& report);
void checkFeatures(const PluginRegistry& registry, Report& report);
void checkEncoders(const PluginRegistry& registry, Report& report);
void checkScorers(const PluginRegistry& registry, Report& report);
void checkControllers(const PluginRegistry& registry, Report& report);
void checkKnownAnswers(const PluginRegistry& registry, Report& report);
void checkPointAnswers(const PluginRegistry& registry, Report& report);
void checkFewShotAnswers(const PluginRegistry& registry, Report& report);
void checkExternalAnswers(const PluginRegistry& registry, Report& report);
void checkLearnedAnswers(const PluginRegistry& registry, Report& report);
void checkDistilAnswers(const PluginRegistry& registry, Report& report);
void checkInjectionAnswers(const PluginRegistry& registry, Report& report);
void checkPositionAnswers(const PluginRegistry& registry, Report& report);
void checkListAnswers(const PluginRegistry& registry, Report& report);
void checkGenerateAnswers(const PluginRegistry& registry, Report& report);
// Return false (with the reason printed) when the model or the data set is not there.
bool checkRealModel(const PluginRegistry& registry, Report& report);
bool checkMl100k(const PluginRegistry& registry, Report& report);

// ---- shared (check_support.cpp) ----
std::string label(const PluginEntry& entry); // "scorer/popularity"
std::string exampleScorerCommand();          // the program in docs/ that the scorer "external" runs in tests
// Where a plugin cannot work with its defaults alone (external: which program?), with what it needs.
Parameters defaultsOf(const PluginEntry& entry);
// Defaults with some values set; throws when they are refused, which fails the check at hand.
Parameters parametersOf(const PluginEntry& entry, std::initializer_list<std::pair<std::string, ParameterValue>> set);
RunControl stoppedControl();
template <class T> T must(Result<T> result) {
    if (!result)
        throw std::runtime_error(describe(result.error()));
    return std::move(*result);
}
inline void must(const Result<void>& result) {
    if (!result)
        throw std::runtime_error(describe(result.error()));
}
// Empty when `run` with an already stopped control, and with one that is stopped on the way, returns soon: the first with kind
// cancelled, the second with kind cancelled or a finished result.
std::string checkStops(const std::function<Result<void>(const RunControl&)>& run);

FeatureTable plainFeatures(const PluginRegistry& registry, const SmallData& data);
EmbeddingTable textVectors(const SmallData& data, const FeatureTable& features); // made by the fake model
EmbeddingTable freeVectors(const PluginRegistry& registry, const SmallData& data);

} // namespace carousel::conformance
