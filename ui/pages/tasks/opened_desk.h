// SPDX-License-Identifier: GPL-3.0-or-later
// A trained model with what it was taught about, ready to be looked at: who and what can be chosen, and pairs worth choosing.
#pragma once
#include "pages/tasks/entity_index.h"
#include "workbench/tasks/task_desk.h"
#include <utility>

namespace carousel::ui {

struct OpenedDesk {
    std::shared_ptr<const TaskDesk> desk;
    std::shared_ptr<const EntityIndex> customers, items;
    // Pairs of customer and item that the model has never read of and whose truth is known: held-out reviews with a text, else what
    // customers went on to choose. In the order of the data; may be empty.
    std::vector<std::pair<Code, Code>> examples;
};

// Not for the window's thread. CL-7001 when stopped.
Result<OpenedDesk> openDesk(std::shared_ptr<const TaskDesk> desk, const RunControl& control);

} // namespace carousel::ui
