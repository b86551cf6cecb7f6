// SPDX-License-Identifier: GPL-3.0-or-later
// "Keep as analysis": what a panel shows, worked out once more by the workbench and kept in the project as a document.
#pragma once
#include "experiment/analysis_specification.h"
#include <functional>

class QObject;

namespace carousel::ui {

class Session;

// On the task lane; then the Experiments page is shown. done: on the GUI thread while `receiver` lives, also when it failed.
void keepAnalysis(Session& session, QObject* receiver, const AnalysisSpec& spec, std::function<void()> done);

} // namespace carousel::ui
