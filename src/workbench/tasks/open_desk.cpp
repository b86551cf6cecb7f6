// SPDX-License-Identifier: GPL-3.0-or-later
// The workbench's door to trained task models.
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"

namespace carousel {

std::vector<KeptTaskModel> Workbench::taskModels() {
    return isOpen() ? keptTaskModels(m_d->store->file() + ".models") : std::vector<KeptTaskModel>();
}

Result<std::shared_ptr<const TaskDesk>> Workbench::taskDesk(const KeptTaskModel& model, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto rows, m_d->store->datasets());
    for (const auto& row : rows) {
        if (row.digest != model.datasetDigest)
            continue;
        CAROUSEL_ASSIGN(const auto data, dataset(row.name, control.slice(0, 0.5)));
        CAROUSEL_ASSIGN(auto world, makeTaskWorld(data, model.world, [&](const std::string& id) { return m_d->host("cpu", "auto").languageModel(id); }, control.slice(0.5, 1)));
        return std::make_shared<const TaskDesk>(model, std::move(world));
    }
    return fail(ErrorKind::input, "CL-3117", fmt::format("The project has no data set that '{}' was trained on.", model.title),
                "Import the data again, or train a model with `evaluate tasks`.");
}

Result<TaskCard> Workbench::askTask(const TaskDesk& desk, TaskCard card, const RunControl& control) {
    CAROUSEL_ASSIGN(LanguageModel* const model, m_d->host("cpu", "auto").languageModel(desk.model().folder));
    return desk.ask(*model, std::move(card), control);
}

} // namespace carousel
