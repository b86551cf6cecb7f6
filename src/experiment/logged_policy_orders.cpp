// SPDX-License-Identifier: GPL-3.0-or-later
// The order a strategy gives to the catalogue for every user of a log, by the same pipeline as a study.
#include "base/parallel.h"
#include "experiment/logged_policy.h"
#include "experiment/pipeline.h"
#include <chrono>
#include <cmath>

namespace carousel {

namespace {

// Everything before the log is there to learn from; nothing is a target.
Split everythingBefore(const Dataset& dataset, std::int64_t before, std::uint64_t seed) {
    const auto& events = dataset.interactions;
    Split split;
    split.spec.seed = seed;
    split.part.assign(events.size(), Part::train);
    split.validationTargets.resize(dataset.users.size());
    split.testTargets.resize(dataset.users.size());
    for (std::size_t row = 0; row < events.size(); ++row)
        if (events.time[row] != noTime && events.time[row] >= before)
            split.part[row] = Part::unused;
        else
            ++split.trainRows;
    split.digest = fmt::format("before {}", before);
    return split;
}

Result<RankedCatalogue> orderFor(const Pipeline& pipeline, Code user, const std::string& strategy, const RunControl& control) {
    RequestTools tools(pipeline, user, control);
    CAROUSEL_ASSIGN(const Slate slate, pipeline.controller->compose(tools, control));
    const std::size_t n = slate.items.size();
    auto broken = [&](const std::string& what) {
        return fail(ErrorKind::plugin, "CL-6010", fmt::format("The controller of strategy '{}' gave a slate that {}.", strategy, what),
                    "Report it to the plugin's author, or use fixed_cascade.");
    };
    if (slate.rankScore.size() != n)
        return broken(fmt::format("has {} items but {} rank scores", n, slate.rankScore.size()));
    RankedCatalogue order;
    order.items.reserve(n);
    order.rank.reserve(n);
    std::vector<std::uint8_t> used(pipeline.training->itemCount(), 0);
    for (std::size_t start = 0; start < n;) {
        std::size_t end = start + 1;
        while (end < n && slate.rankScore[end] == slate.rankScore[start])
            ++end;
        if (!std::isfinite(slate.rankScore[start]) || (start > 0 && slate.rankScore[start] > slate.rankScore[start - 1]))
            return broken(fmt::format("has a rising or non-finite rank score at position {}", start + 1));
        for (std::size_t i = start; i < end; ++i) {
            const Code item = slate.items[i].item;
            if (item < 0 || static_cast<std::size_t>(item) >= used.size() || used[static_cast<std::size_t>(item)]++)
                return broken("shows an item twice or one that does not exist");
            order.items.push_back(item);
            order.rank.push_back(static_cast<float>(static_cast<double>(start + 1 + end) / 2));
        }
        start = end;
    }
    return order;
}

} // namespace

Result<StrategyOrders> orderForUsers(DatasetPtr dataset, const StrategySpec& strategy, std::span<const Code> users, std::int64_t before,
                                     std::uint64_t seed, const std::string& device, const ExperimentHost& host, const RunControl& control) {
    const auto start = std::chrono::steady_clock::now();
    const Cost costBefore = host.cost->total();
    const Split split = everythingBefore(*dataset, before, seed);
    if (split.trainRows == 0)
        return fail(ErrorKind::input, "CL-8029",
                    fmt::format("No interaction of '{}' lies before the log begins: strategy '{}' has nothing to learn from.",
                                dataset->name, strategy.name),
                    "Set `from` above 0, so that what happened in the first part of the log is learned from and the rest evaluates.");
    StudySpec study;
    study.dataset = dataset->name;
    study.seed = seed;
    study.device = device;
    study.strategies = {strategy};
    CAROUSEL_ASSIGN(const auto pipeline, Pipeline::prepare(dataset, split, study, strategy, host, control.slice(0, 0.3)));

    const RunControl ordering = control.slice(0.3, 1);
    StrategyOrders out;
    out.notes = pipeline->notes;
    const std::size_t batch = pipeline->sequential ? 1 : 64;
    for (std::size_t first = 0; first < users.size(); first += batch) {
        if (control.stopRequested())
            return fail(RunControl::cancelled(fmt::format("Strategy '{}'", strategy.name)));
        ordering.report(strategy.name, static_cast<double>(first), static_cast<double>(users.size()), "users");
        const std::size_t count = std::min(batch, users.size() - first);
        std::vector<Result<RankedCatalogue>> made(count, fail(ErrorKind::internal, "CL-9002", "An order was not made."));
        auto request = [&](std::size_t i) { made[i] = orderFor(*pipeline, users[first + i], strategy.name, ordering); };
        if (pipeline->sequential)
            request(0);
        else
            parallelFor(count, 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i)
                    request(i);
            });
        for (std::size_t i = 0; i < count; ++i) {
            CAROUSEL_TRY(made[i]);
            out.users.emplace(users[first + i], std::move(*made[i]));
        }
    }
    out.cost = host.cost->total() - costBefore;
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
}

} // namespace carousel
