// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/attraction.h"
#include "base/text.h"
#include <algorithm>

namespace carousel {

namespace {
constexpr double priorImpressions = 20;
constexpr int pages = 5;
} // namespace

Result<Attraction> estimateAttraction(const Dataset& dataset, const EvaluationSpec& evaluation) {
    Attraction out;
    out.model = CarouselModel::geometric(evaluation.window, evaluation.swipe, evaluation.examination);
    const std::size_t items = dataset.items.size();
    out.item.assign(items, 0.0f);
    out.value.assign(items, 1.0f);
    out.valueUnit = "clicks";

    const std::string field = evaluation.value == "auto" ? "price" : evaluation.value;
    if (field != "one") {
        const auto* column = dataset.items.attribute(field);
        if (column && column->isNumeric()) {
            out.valueUnit = field;
            for (std::size_t i = 0; i < items; ++i)
                out.value[i] = column->missing(i) ? 0.0f : static_cast<float>(std::max(0.0, column->numbers(i)[0]));
        } else if (evaluation.value != "auto") {
            return fail(ErrorKind::input, "CL-8010", fmt::format("evaluation.value names '{}', but the items of '{}' have no such number.", field, dataset.name),
                        "Use \"one\", \"auto\" or the name of a numeric item attribute.");
        }
    }

    const auto& log = dataset.impressions;
    std::vector<double> clicks(items, 0), exposure(items, 0);
    double allClicks = 0, allExposure = 0;
    std::int64_t slates = 0, last = -1;
    bool first = true, clicked = false, knowsReach = false;
    for (std::size_t r = 0; r < log.size(); ++r) {
        if (first || log.slate[r] != last) {
            ++slates;
            clicked = false;
            first = false;
            last = log.slate[r];
        }
        const int place = log.slot[r] % evaluation.window;
        // Without a logged reach only the first page is certain to have been in view.
        const bool inView = log.reached[r] == 1 || (log.reached[r] == 255 && log.slot[r] < evaluation.window);
        knowsReach = knowsReach || log.reached[r] != 255;
        if (clicked || !inView)
            continue;
        const double theta = out.model.examination[static_cast<std::size_t>(place)];
        const auto item = static_cast<std::size_t>(log.item[r]);
        exposure[item] += theta;
        allExposure += theta;
        if (log.click[r]) {
            clicks[item] += 1;
            allClicks += 1;
            clicked = true;
        }
    }
    if (allExposure > 0 && allClicks > 0) {
        const double mean = allClicks / allExposure;
        for (std::size_t i = 0; i < items; ++i)
            out.item[i] = static_cast<float>(std::min(1.0, (clicks[i] + priorImpressions * mean) / (exposure[i] + priorImpressions)));
        out.note = fmt::format("Attraction of an item: 1 where it is the held-out one, else its clicks per examined impression in {} logged slates ({}, mean {}).",
                               withThousands(slates), knowsReach ? "reach is logged" : "first page only, reach is not logged", threeFigures(mean));
    } else {
        out.note = "Attraction of an item: 1 where it is the held-out one, else 0, since this data has no logged slates: V is a lower bound, the chance that the held-out item is clicked.";
    }
    out.note += fmt::format(" A click is worth {}. Examination falls by {} per place; swipe probability {} is assumed, see the band.",
                            out.valueUnit == "clicks" ? std::string("1") : "the item's " + out.valueUnit, threeFigures(evaluation.examination), threeFigures(evaluation.swipe));
    return out;
}

CardFigures cardFigures(const UserResult& user, const Attraction& attraction) {
    CardFigures out;
    out.shown = std::min(user.slate.size(), static_cast<std::size_t>(pages * attraction.model.window));
    for (std::size_t i = 0; i < user.slate.size(); ++i) {
        const Code item = user.slate[i].item;
        const bool target = std::binary_search(user.targets.begin(), user.targets.end(), item);
        if (i >= out.shown && !target)
            continue;
        out.items.push_back(item);
        out.alpha.push_back(target ? 1.0 : attraction.item[static_cast<std::size_t>(item)]);
        out.v.push_back(attraction.value[static_cast<std::size_t>(item)]);
    }
    return out;
}

SensitivitySample sensitivitySample(std::size_t users) {
    constexpr std::size_t most = 150;
    const std::size_t step = std::max<std::size_t>(1, (users + most - 1) / most);
    return {step, (users + step - 1) / step};
}

} // namespace carousel
