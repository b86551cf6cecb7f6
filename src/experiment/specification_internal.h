// SPDX-License-Identifier: GPL-3.0-or-later
// Shared by the files that read specifications of studies and analyses; not part of the interface.
#pragma once
#include "experiment/specification.h"

namespace carousel {

const std::vector<std::string>& studyKeys();                                               // "evaluation.k", ...
Result<void> setStudyKey(StudySpec& study, const std::string& key, const std::string& text); // CL-3003, CL-3005
Result<void> setTrainingKey(TrainingSpec& training, const std::string& key, const std::string& text); // "clip"; CL-3003, CL-3005
Result<void> applySet(StudySpec& study, const std::string& set, const PluginRegistry& plugins);
// The strategies of a file as written, defaults not yet filled in; other keys are left alone.
Result<std::vector<StrategySpec>> parseStrategies(const std::string& toml);
std::string strategiesToml(const std::vector<StrategySpec>& strategies); // [[strategy]] ...
Result<void> checkStudy(StudySpec& study, const PluginRegistry& plugins);

} // namespace carousel
