// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/tasks/opened_desk.h"

namespace carousel::ui {

Result<OpenedDesk> openDesk(std::shared_ptr<const TaskDesk> desk, const RunControl& control) {
    OpenedDesk out;
    const Dataset& data = desk->world().dataset();
    const TaskSplit& split = desk->world().split();
    out.customers = std::make_shared<const EntityIndex>(data.users);
    if (control.stopRequested())
        return fail(RunControl::cancelled("Opening the model"));
    out.items = std::make_shared<const EntityIndex>(data.items);
    for (std::size_t row = 0; row < data.reviews.size(); ++row)
        if (split.reviewPart[row] == Part::test && !data.reviews.text[row].empty())
            out.examples.emplace_back(data.reviews.user[row], data.reviews.item[row]);
    if (out.examples.empty())
        for (std::size_t user = 0; user < split.testItem.size(); ++user)
            if (split.testItem[user] != noCode)
                out.examples.emplace_back(static_cast<Code>(user), split.testItem[user]);
    out.desk = std::move(desk);
    return out;
}

} // namespace carousel::ui
