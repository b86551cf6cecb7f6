// SPDX-License-Identifier: GPL-3.0-or-later
// Shared by the two files that implement specification.h; not part of the interface.
#pragma once
#include "experiment/specification.h"

namespace carousel {

const std::vector<std::string>& studyKeys();                                               // "evaluation.k", ...
Result<void> setStudyKey(StudySpec& study, const std::string& key, const std::string& text); // CL-3003, CL-3005
Result<void> applySet(StudySpec& study, const std::string& set, const PluginRegistry& plugins);
Result<void> checkStudy(StudySpec& study, const PluginRegistry& plugins);

} // namespace carousel
