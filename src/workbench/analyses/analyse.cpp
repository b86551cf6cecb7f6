// SPDX-License-Identifier: GPL-3.0-or-later
// One door for every kind of analysis: loads what it reads, calls the function that makes its document, adds provenance and the command that
// makes it again, and keeps it in the project.
#include "base/hash.h"
#include "base/text.h"
#include "workbench/analyses/ab_check.h"
#include "workbench/analyses/ab_test.h"
#include "workbench/analyses/compare_analyses.h"
#include "workbench/analyses/documents.h"
#include "workbench/analyses/likes.h"
#include "workbench/analyses/off_policy.h"
#include "workbench/analyses/placement.h"
#include "workbench/analyses/ratings.h"
#include "workbench/analyses/tasks.h"
#include "workbench/metered_models.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <nlohmann/json.hpp>

namespace carousel {

namespace {
bool readsRatings(AnalysisKind kind) { return kind == AnalysisKind::likes || kind == AnalysisKind::ratings; }

// A project with one data set that has a log needs no name of it.
Result<std::string> datasetOf(const AnalysisSpec& spec, ProjectStore& store) {
    if (!spec.dataset.empty())
        return spec.dataset;
    CAROUSEL_ASSIGN(const auto rows, store.datasets());
    std::vector<std::string> all, logged;
    for (const auto& row : rows) {
        all.push_back("'" + row.name + "'");
        if (readsRatings(spec.kind) || spec.kind == AnalysisKind::tasks)
            continue;
        if (row.impressions > 0)
            logged.push_back(row.name);
    }
    if (logged.size() == 1)
        return logged.front();
    if (rows.size() == 1)
        return rows.front().name; // its own refusal says what it lacks
    if (readsRatings(spec.kind) || spec.kind == AnalysisKind::tasks)
        return fail(ErrorKind::usage, "CL-7020", "The analysis names no data set with ratings or histories.", all.empty() ? "Import one first: `data import`." : fmt::format("Name one: --data NAME. The project has {}.", fmt::join(all, ", ")));
    return fail(ErrorKind::usage, "CL-7020", fmt::format("The analysis names no data set, and the project holds {} with a log of shown items.", logged.empty() ? "none" : "several"),
                all.empty() ? "Import one first: `data import`." : fmt::format("Name one: --data NAME. The project has {}.", fmt::join(all, ", ")));
}

std::string quoted(const std::string& text) {
    if (text.find_first_of(" '\"$;|&<>()\\") == std::string::npos)
        return text;
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string commandOf(const AnalysisSpec& spec) {
    const std::string command = spec.kind == AnalysisKind::abTest ? "simulate" : spec.kind == AnalysisKind::placement ? "study placement" : fmt::format("evaluate {}", name(spec.kind));
    std::string out = "carousel-lab-cli --project PROJECT " + command;
    if (takesStrategies(spec.kind) && !spec.strategies.empty())
        out += " SPECIFICATION.toml"; // the strategies are in the specification that every form of the document carries
    if (!spec.dataset.empty())
        out += " --data " + quoted(spec.dataset);
    for (const auto run : spec.runs)
        out += fmt::format(" {}", run);
    out += fmt::format(" --seed {}", spec.seed);
    const auto defaults = defaultAnalysis(spec.kind);
    for (const auto& [id, value] : spec.options.values())
        if (value != defaults.options.values().at(id)) {
            std::string text = toText(value);
            if (std::holds_alternative<std::vector<std::string>>(value))
                text = fmt::format("{}", fmt::join(std::get<std::vector<std::string>>(value), ","));
            out += " --set " + quoted(id + "=" + text);
        }
    return out;
}

// The provenance block of a study, with the analysis in the study's place.
std::string provenanceOf(const std::string& ofStudy, const AnalysisSpec& spec, const std::string& command, const nlohmann::json& runs, const nlohmann::json& studies) {
    auto out = nlohmann::json::parse(ofStudy, nullptr, false);
    if (!out.is_object())
        return ofStudy;
    const std::string toml = toToml(spec);
    out.erase("split");
    out["specification"] = toml;
    out["specificationSha256"] = sha256(toml);
    out["analysis"] = name(spec.kind);
    out["reproduce"] = command;
    if (!runs.empty()) {
        out["runs"] = runs;
        out["studies"] = studies; // a run that the project has lost can be made again
    }
    if (spec.options.has("model") && !startsWith(spec.options.text("model"), "server:"))
        if (const auto location = ModelShelf().resolve(spec.options.text("model")))
            out["models"][spec.options.text("model")] = location->sha256;
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}
} // namespace

Result<Workbench::FinishedAnalysis> Workbench::analyse(const AnalysisSpec& asked, const RunControl& control,
                                                        const std::function<void(const AnalysisDocument&)>& onPartial) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(auto spec, resolved(asked, m_d->plugins));
    auto runRecords = nlohmann::json::array();
    auto studyRecords = nlohmann::json::object();
    FinishedAnalysis out;
    std::string dataName;
    if (spec.kind == AnalysisKind::lens || spec.kind == AnalysisKind::rows) {
        std::vector<RunRow> rows;
        for (const auto id : spec.runs) {
            CAROUSEL_ASSIGN(auto row, m_d->store->run(id));
            if (row.state != RunState::complete)
                return fail(ErrorKind::partial, "CL-7013", fmt::format("Run {} ('{}') is {}: {} of {} users are done.", id, row.strategy, name(row.state), row.usersDone, row.usersTotal),
                            fmt::format("Finish it first with `resume {}`.", row.study));
            if (!rows.empty() && (row.datasetDigest != rows[0].datasetDigest || row.splitDigest != rows[0].splitDigest))
                return fail(ErrorKind::input, "CL-7010", fmt::format("Runs {} and {} were made on different data or splits and cannot be compared.", rows[0].id, id), "Use runs of one study, or run both on the same data and split.");
            runRecords.push_back({{"id", row.id}, {"strategy", row.strategy}, {"fingerprint", row.fingerprint}, {"splitDigest", row.splitDigest}, {"study", row.study}});
            studyRecords[std::to_string(row.study)] = row.studyToml;
            rows.push_back(std::move(row));
        }
        dataName = rows.front().dataset;
        CAROUSEL_ASSIGN(const auto data, dataset(dataName, control.slice(0, 0.1)));
        if (spec.kind == AnalysisKind::lens) {
            std::vector<std::shared_ptr<const RunLens>> lenses;
            for (std::size_t r = 0; r < rows.size(); ++r) {
                CAROUSEL_ASSIGN(auto made, lens(rows[r].id, static_cast<int>(spec.options.integer("slots")), spec.options.text("segment"), control.slice(0.1, 0.4)));
                lenses.push_back(std::move(made));
            }
            // Two runs of different studies may share a colour; then the second takes the next one.
            if (lenses.size() == 2 && lenses[0]->colour == lenses[1]->colour) {
                auto other = std::make_shared<RunLens>(*lenses[1]);
                ++other->colour;
                lenses[1] = std::move(other);
            }
            CAROUSEL_ASSIGN(out.document, analyses::lensDocument(data->title.empty() ? data->name : data->title, lenses, spec, control.slice(0.4, 1)));
        } else {
            std::vector<analyses::RowRun> runs;
            for (std::size_t r = 0; r < rows.size(); ++r) {
                CAROUSEL_ASSIGN(auto users, m_d->store->userResults(rows[r].id));
                runs.push_back({rows[r].id, rows[r].strategy, static_cast<int>(r), std::move(users)});
            }
            CAROUSEL_ASSIGN(out.document, analyses::rowsDocument(*data, runs, spec, control.slice(0.2, 1)));
        }
    } else {
        CAROUSEL_ASSIGN(spec.dataset, datasetOf(spec, *m_d->store));
        dataName = spec.dataset;
        CAROUSEL_ASSIGN(const auto data, dataset(dataName, control.slice(0, 0.1)));
        const RunControl rest = control.slice(0.1, 1);
        if (spec.kind == AnalysisKind::clicks) {
            CAROUSEL_ASSIGN(out.document, analyses::clicksDocument(*data, spec, rest));
        } else if (spec.kind == AnalysisKind::positionBias) {
            CAROUSEL_ASSIGN(out.document, analyses::positionBiasDocument(*data, spec, rest));
        } else if (readsRatings(spec.kind)) {
            CostMeter cost;
            ModelHost& models = m_d->host(spec.device, spec.compute);
            MeteredModels metered(models, m_d->store->readOnly() ? nullptr : m_d->store.get(), cost);
            const analyses::LikesHost host{[&](const std::string& model) { return metered.get(model); },
                                           [&](const std::string& model, const FineTuneRequest& request, const RunControl& part) { return models.fineTune(model, request, part); },
                                           m_d->store->file() + ".adapters"};
            CAROUSEL_ASSIGN(out.document, (spec.kind == AnalysisKind::likes ? analyses::likesDocument : analyses::ratingsDocument)(*data, spec, host, rest));
        } else if (spec.kind == AnalysisKind::tasks) {
            ModelHost& models = m_d->host(spec.device, spec.compute); // answers are not kept: they cost next to nothing and must be timed
            const analyses::TasksHost host{[&](const std::string& model) { return models.languageModel(model); },
                                           {[&](const TextToTextRequest& request, const RunControl& part) { return models.trainTextToText(request, part); },
                                            m_d->store->file() + ".models"}};
            CAROUSEL_ASSIGN(out.document, analyses::tasksDocument(data, spec, host, rest));
        } else if (spec.kind == AnalysisKind::placement) {
            CAROUSEL_ASSIGN(out.document, analyses::placementDocument(*this, spec, rest));
        } else {
            CostMeter cost;
            MeteredModels models(m_d->host(spec.device, spec.compute), m_d->store->readOnly() ? nullptr : m_d->store.get(), cost);
            ExperimentHost host;
            host.plugins = &m_d->plugins;
            host.languageModel = [&](const std::string& model) { return models.get(model); };
            host.cache = m_d->store->readOnly() ? nullptr : m_d->store.get();
            host.cost = &cost;
            if (spec.kind == AnalysisKind::abCheck) {
                CAROUSEL_ASSIGN(out.document, analyses::abCheckDocument(data, spec, host, rest));
            } else if (spec.kind == AnalysisKind::abTest) {
                analyses::AbTestHost experiment{host, onPartial, m_d->store->readOnly() ? "" : m_d->store->file() + ".experiments", {}, &out.partial};
                if (m_d->commitListener)
                    experiment.onSaved = [&](int round) { m_d->commitListener(0, round); };
                CAROUSEL_ASSIGN(out.document, analyses::abTestDocument(data, spec, experiment, rest));
            } else {
                CAROUSEL_ASSIGN(out.document, offPolicyDocument(data, spec, host, rest));
            }
        }
    }

    auto& document = out.document;
    document.kind = name(spec.kind);
    document.specToml = toToml(spec);
    StudySpec study;
    study.name = document.report.title;
    study.dataset = dataName;
    study.seed = spec.seed;
    study.device = spec.device;
    study.compute = spec.compute;
    study.strategies = spec.strategies;
    document.report.command = commandOf(spec);
    document.report.provenanceJson = provenanceOf(provenance(study, nullptr), spec, document.report.command, runRecords, studyRecords);
    if (m_d->store->readOnly())
        return out;
    AnalysisRow row;
    row.kind = document.kind;
    row.title = document.report.title;
    row.dataset = dataName;
    row.verdict = document.report.lead.empty() ? "" : document.report.lead.front();
    row.light = name(document.report.light);
    CAROUSEL_ASSIGN(out.id, m_d->store->saveAnalysis(row, toJson(document)));
    return out;
}

Result<AnalysisDocument> Workbench::analysis(std::int64_t id) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto json, m_d->store->analysisDocument(id));
    return analysisFromJson(json);
}

Result<AnalysisDocument> Workbench::compareAnalyses(std::span<const std::int64_t> ids) {
    if (!isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto rows, m_d->store->analyses());
    std::vector<analyses::ComparedAnalysis> compared;
    for (const std::int64_t id : ids) {
        CAROUSEL_ASSIGN(auto document, analysis(id));
        analyses::ComparedAnalysis each{id, {}, {}, std::move(document)};
        for (const AnalysisRow& row : rows)
            if (row.id == id)
                each.dataset = row.dataset, each.createdAt = row.createdAt;
        compared.push_back(std::move(each));
    }
    CAROUSEL_ASSIGN(AnalysisDocument out, analyses::comparisonDocument(compared));
    auto written = nlohmann::json::object();
    written["analyses"] = nlohmann::json::array();
    for (const auto& each : compared) // what made the numbers is what made each of them
        written["analyses"].push_back({{"id", each.id}, {"provenance", nlohmann::json::parse(each.document.report.provenanceJson, nullptr, false)}});
    written["reproduce"] = out.report.command;
    out.report.provenanceJson = written.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return out;
}

} // namespace carousel
