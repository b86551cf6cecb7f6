// SPDX-License-Identifier: GPL-3.0-or-later
// A run as files that other tools read: per-user metrics (CSV), slates (JSON lines), the whole run (JSON), TREC run and qrels.
#include "base/file.h"
#include "base/text.h"
#include "evaluation/metrics/run_file.h"
#include "report/csv.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

nlohmann::json number(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr); }

nlohmann::json slateJson(const UserResult& user, const Dataset& data) {
    nlohmann::json out{{"user", data.users.ids.id(user.user)}, {"fallback", user.fallback}, {"ranked", user.ranked}, {"auc", user.auc < 0 ? nlohmann::json(nullptr) : nlohmann::json(user.auc)}};
    out["targets"] = nlohmann::json::array();
    for (std::size_t t = 0; t < user.targets.size(); ++t)
        out["targets"].push_back({{"item", data.items.ids.id(user.targets[t])}, {"rank", user.targetRank[t]}, {"ties", user.targetTies[t]}});
    out["slate"] = nlohmann::json::array();
    for (std::size_t i = 0; i < user.slate.size(); ++i)
        out["slate"].push_back({{"position", i + 1}, {"item", data.items.ids.id(user.slate[i].item)}, {"score", user.slate[i].score}, {"status", name(user.slate[i].status)}});
    return out;
}

} // namespace

Result<void> Workbench::exportRun(std::int64_t run, const std::string& as, const std::string& file) {
    CAROUSEL_ASSIGN(const auto comparison, compare({run}, {}));
    const auto& result = comparison.strategies.front();
    CAROUSEL_ASSIGN(const auto users, m_d->store->userResults(run));
    CAROUSEL_ASSIGN(const auto data, dataset(result.run.dataset));
    if (as == "csv") {
        std::vector<std::string> header{"user", "ranked", "targets", "fallback", "invalid_scores", "value", "missed_value"};
        for (std::size_t m = 0; m < comparison.definitions.size(); ++m)
            if (comparison.definitions[m].perUser)
                header.push_back(comparison.definitions[m].label);
        std::string text = csvRow(header);
        for (std::size_t u = 0; u < users.size(); ++u) {
            std::vector<std::string> row{data->users.ids.id(users[u].user), std::to_string(users[u].ranked), std::to_string(users[u].targets.size()),
                                         users[u].fallback ? "1" : "0", std::to_string(users[u].invalid), fmt::format("{}", result.value.perUser[u]), fmt::format("{}", result.missed.perUser[u])};
            for (std::size_t m = 0; m < comparison.definitions.size(); ++m)
                if (comparison.definitions[m].perUser) {
                    const float value = result.metrics[m].perUser[u];
                    row.push_back(std::isfinite(value) ? fmt::format("{}", value) : "");
                }
            text += csvRow(row);
        }
        CAROUSEL_TRY(atomicWrite(file, text));
        return atomicWrite(file + ".provenance.json", provenance(comparison.study, &result.run));
    }
    if (as == "jsonl") {
        std::string text;
        for (const auto& user : users)
            text += slateJson(user, *data).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        return atomicWrite(file, text);
    }
    if (as == "json") {
        nlohmann::json out{{"schema", "carousel-lab/run/1"}, {"run", run}, {"strategy", nlohmann::json::parse(result.run.strategyJson)}};
        out["provenance"] = nlohmann::json::parse(provenance(comparison.study, &result.run));
        for (std::size_t m = 0; m < comparison.definitions.size(); ++m) {
            const auto& value = result.metrics[m];
            out["metrics"][comparison.definitions[m].label] = {{"value", number(value.value)}, {"low", number(value.interval.low)}, {"high", number(value.interval.high)},
                                                              {"worst", number(value.worst)}, {"best", number(value.best)}, {"users", value.users},
                                                              {"excluded", value.excluded}, {"definition", comparison.definitions[m].formula}, {"chance", number(comparison.chance[m])}};
        }
        for (const auto& user : users)
            out["users"].push_back(slateJson(user, *data));
        return atomicWrite(file, out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (as == "trec") {
        std::vector<NamedList> lists, qrels;
        for (const auto& user : users) {
            NamedList list{data->users.ids.id(user.user), {}, {}}, relevant{list.user, {}, {}};
            for (const auto& scored : user.slate)
                list.items.push_back(data->items.ids.id(scored.item));
            for (const Code target : user.targets) {
                relevant.items.push_back(data->items.ids.id(target));
                relevant.values.push_back(1);
            }
            lists.push_back(std::move(list));
            qrels.push_back(std::move(relevant));
        }
        CAROUSEL_TRY(atomicWrite(file, writeTrecRun(lists, result.strategy.name)));
        return atomicWrite(file + ".qrels", writeTrecQrels(qrels));
    }
    return fail(ErrorKind::usage, "CL-7015", fmt::format("A run cannot be exported as '{}'.", as), "Use csv, json, jsonl or trec.");
}

} // namespace carousel
