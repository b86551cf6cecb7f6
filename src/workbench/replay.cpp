// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/replay.h"
#include "base/text.h"
#include "workbench/build_facts.h"
#include "workbench/study_report.h"
#include "workbench/workbench_private.h"
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

namespace carousel {

namespace {
using nlohmann::json;

struct ReportedRun {
    std::int64_t id = 0, study = 0;
    std::string strategy, fingerprint;
};
// What the provenance block names.
struct Named {
    std::string dataset, digest, version, commit;
    std::map<std::string, std::string> models, plugins;
    std::vector<ReportedRun> runs;
    std::map<std::int64_t, std::string> studies; // TOML
};

std::string textAt(const json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::map<std::string, std::string> textsAt(const json& object, const char* key) {
    std::map<std::string, std::string> out;
    if (const auto found = object.find(key); found != object.end() && found->is_object())
        for (const auto& [name, value] : found->items())
            if (value.is_string())
                out[name] = value.get<std::string>();
    return out;
}

tl::unexpected<Error> unreadable(const std::string& message) {
    return fail(ErrorKind::input, "CL-7034", message, "Write the report again with this program.");
}

Result<Named> readNamed(const std::string& provenance) {
    const json from = json::parse(provenance, nullptr, false);
    if (!from.is_object())
        return unreadable("The provenance of the report cannot be read.");
    Named out;
    const auto part = [&](const char* key) { return from.contains(key) ? from.at(key) : json(); };
    out.dataset = textAt(part("data"), "name");
    out.digest = textAt(part("data"), "digest");
    out.version = textAt(part("program"), "version");
    out.commit = textAt(part("program"), "commit");
    out.models = textsAt(from, "models");
    out.plugins = textsAt(from, "plugins");
    if (out.dataset.empty() || out.digest.empty())
        return unreadable("The provenance of the report names no data set with its digest.");
    const json runs = part("runs");
    for (const auto& run : runs.is_array() ? runs : json::array()) {
        const auto number = [&](const char* key) { return run.is_object() && run.contains(key) && run.at(key).is_number_integer() ? run.at(key).get<std::int64_t>() : std::int64_t(0); };
        out.runs.push_back({number("id"), number("study"), textAt(run, "strategy"), textAt(run, "fingerprint")});
        if (out.runs.back().id == 0 || out.runs.back().strategy.empty())
            return unreadable("The provenance of the report names a run without number or strategy.");
    }
    for (const auto& [id, toml] : textsAt(from, "studies"))
        if (const auto number = parseInteger(id))
            out.studies[*number] = toml;
    return out;
}

Result<void> checkData(const Named& named, ProjectStore& store, std::vector<ReplayCheck>& checks) {
    CAROUSEL_ASSIGN(const auto rows, store.datasets());
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const DatasetRow& row) { return row.name == named.dataset; });
    if (found == rows.end()) {
        const auto twin = std::find_if(rows.begin(), rows.end(), [&](const DatasetRow& row) { return row.digest == named.digest; });
        return fail(ErrorKind::input, "CL-7030", fmt::format("The report was made on the data set '{}', which the project does not have.", quotedForMessage(named.dataset)),
                    twin == rows.end() ? fmt::format("Import it first; its digest is {}.", quotedForMessage(named.digest)) : fmt::format("'{}' holds the same data: import them under the name of the report.", twin->name));
    }
    if (found->digest != named.digest)
        return fail(ErrorKind::input, "CL-7031", fmt::format("The data set '{}' has the digest {}, the report was made on {}.", found->name, found->digest, quotedForMessage(named.digest)),
                    "Import the files that the provenance of the report names, with the same options.");
    checks.push_back({"data " + named.dataset, named.digest, found->digest, true});
    return {};
}

Result<void> checkModels(const Named& named, std::vector<ReplayCheck>& checks, std::vector<std::string>& warnings) {
    for (const auto& [id, sha] : named.models) {
        if (startsWith(id, "server:")) {
            warnings.push_back(fmt::format("'{}' runs on a server: nothing here can tell whether it is still the same model.", quotedForMessage(id)));
            continue;
        }
        const auto location = ModelShelf().resolve(id);
        if (!location)
            return fail(ErrorKind::input, "CL-7032", fmt::format("The report used the model '{}', which is not here: {}", quotedForMessage(id), location.error().message), location.error().hint);
        if (location->sha256 != sha)
            return fail(ErrorKind::input, "CL-7032", fmt::format("The model '{}' has the SHA-256 {}, the report used {}.", quotedForMessage(id), location->sha256, quotedForMessage(sha)), "Put the file of the report on the shelf.");
        checks.push_back({"model " + id, sha, location->sha256, true});
    }
    return {};
}

Result<void> checkPlugins(const Named& named, const PluginRegistry& plugins, bool strict, std::vector<ReplayCheck>& checks, std::vector<std::string>& warnings) {
    std::vector<std::string> others;
    for (const auto& [key, sha] : named.plugins) {
        const auto slash = key.find('/');
        const PluginEntry* entry = nullptr;
        for (const StageKind kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller})
            if (slash != std::string::npos && key.substr(0, slash) == name(kind))
                if (const auto found = plugins.find(kind, key.substr(slash + 1)))
                    entry = *found;
        if (!entry)
            return fail(ErrorKind::input, "CL-7033", fmt::format("The report used the plugin '{}', which is not here.", quotedForMessage(key)), "See `plugins list`; install the plugin that is missing.");
        const std::string now = entry->sha256.empty() ? "built in" : entry->sha256;
        checks.push_back({"plugin " + key, sha, now, now == sha});
        if (now != sha)
            others.push_back(key);
    }
    if (others.empty())
        return {};
    const std::string list = fmt::format("{}", fmt::join(others, ", "));
    if (strict)
        return fail(ErrorKind::input, "CL-7033", fmt::format("These plugins are of another build than in the report: {}.", quotedForMessage(list, 400)), "Replay with the program that wrote the report, or without --strict.");
    warnings.push_back(fmt::format("{} of {} plugins are of another build than in the report: {}.", others.size(), named.plugins.size(), list));
    return {};
}

// The studies that made the runs of the report, with the strategies that are in it, run again; one new run per run of the report.
Result<std::vector<std::int64_t>> runAgain(Workbench& bench, const Named& named, const RunControl& control) {
    std::map<std::int64_t, std::int64_t> made; // run of the report -> new run
    double done = 0;
    const auto all = static_cast<double>(std::max<std::size_t>(named.studies.size(), 1));
    for (const auto& [id, toml] : named.studies) {
        auto study = parseStudy(toml, bench.plugins());
        if (!study)
            return fail(ErrorKind::input, "CL-7034", fmt::format("The specification in the report is refused: {}", study.error().message), study.error().hint);
        std::erase_if(study->strategies, [&](const StrategySpec& strategy) {
            return std::none_of(named.runs.begin(), named.runs.end(), [&](const ReportedRun& run) { return run.study == id && run.strategy == strategy.name; });
        });
        CAROUSEL_ASSIGN(const auto again, bench.runStudy(*study, control.slice(done / all, (done + 1) / all)));
        done += 1;
        if (!again.failures.empty())
            return fail(ErrorKind::partial, "CL-7035", fmt::format("A strategy of the report failed this time. {}", again.failures.front()), "Remove the cause and replay once more.");
        for (const auto run : again.runs) {
            CAROUSEL_ASSIGN(const auto row, bench.store().run(run));
            for (const auto& reported : named.runs)
                if (reported.study == id && reported.strategy == row.strategy)
                    made[reported.id] = run;
        }
    }
    std::vector<std::int64_t> out;
    for (const auto& run : named.runs) {
        if (made.count(run.id) == 0)
            return unreadable(fmt::format("The report holds no specification of its run {} ('{}').", run.id, quotedForMessage(run.strategy)));
        out.push_back(made.at(run.id));
    }
    return out;
}

// The runs of the report as they lie in the project; none when one is missing, unfinished or another.
std::optional<std::vector<std::int64_t>> sameRuns(ProjectStore& store, const Named& named) {
    std::vector<std::int64_t> out;
    for (const auto& run : named.runs) {
        const auto row = store.run(run.id);
        if (!row || row->state != RunState::complete || row->fingerprint != run.fingerprint)
            return {};
        out.push_back(run.id);
    }
    return out;
}

// The data set copied into a project of its own, which the workbench then holds.
Result<void> moveInto(Workbench& bench, const std::string& dataset, const std::string& file, const std::string& title, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto data, bench.dataset(dataset, control.slice(0, 0.4)));
    CAROUSEL_ASSIGN(const auto report, bench.store().importReport(dataset));
    std::error_code error;
    if (std::filesystem::exists(file, error))
        return fail(ErrorKind::io, "CL-5005", fmt::format("'{}' is there already.", file), "--into takes the name of a project that does not exist yet.");
    bench.closeProject();
    CAROUSEL_TRY(bench.createProject(file, title));
    return bench.store().saveDataset(*data, report, control.slice(0.4, 1));
}
} // namespace

Result<ReplayOutcome> replay(Workbench& bench, const ReportRecord& report, const ReplayOptions& options, const RunControl& control) {
    if (!bench.isOpen())
        return fail(noProject());
    CAROUSEL_ASSIGN(const auto named, readNamed(report.provenanceJson));
    ReplayOutcome out;
    CAROUSEL_TRY(checkData(named, bench.store(), out.checks));
    CAROUSEL_TRY(checkModels(named, out.checks, out.warnings));
    CAROUSEL_TRY(checkPlugins(named, bench.plugins(), options.strict, out.checks, out.warnings));
    const std::string was = named.version + " " + named.commit, is = std::string(buildFacts().version) + " " + buildFacts().commit;
    out.checks.push_back({"program", was, is, was == is});
    if (was != is)
        out.warnings.push_back(fmt::format("The report was written by version {}, this is version {}.", quotedForMessage(was), is));
    const bool study = report.kind == "study";
    AnalysisSpec spec;
    if (study && named.runs.empty())
        return unreadable("The provenance of the report names no runs.");
    if (!study) {
        const auto kind = analysisKind(report.kind);
        if (!kind)
            return unreadable(fmt::format("The report is of kind '{}', which this program does not know.", quotedForMessage(report.kind)));
        auto parsed = parseAnalysis(*kind, report.specToml, bench.plugins());
        if (!parsed)
            return fail(ErrorKind::input, "CL-7034", fmt::format("The specification in the report is refused: {}", parsed.error().message), parsed.error().hint);
        spec = std::move(*parsed);
        if (spec.runs.size() > named.runs.size())
            return unreadable("The analysis is of runs, and the provenance of the report does not name them all.");
    }
    if (!options.into.empty())
        CAROUSEL_TRY(moveInto(bench, named.dataset, options.into, report.title.empty() ? "Replay" : report.title, control.slice(0, 0.05)));
    if (study) {
        CAROUSEL_ASSIGN(out.runs, runAgain(bench, named, control.slice(0.05, 0.9)));
        CAROUSEL_ASSIGN(const auto again, reportDocument(bench, out.runs, control.slice(0.9, 1)));
        CAROUSEL_ASSIGN(out.comparison, compareFigures(report.figuresJson, again.figuresJson));
        return out;
    }
    double from = 0.05;
    if (!spec.runs.empty()) {
        auto runs = options.into.empty() ? sameRuns(bench.store(), named) : std::nullopt;
        if (!runs) {
            CAROUSEL_ASSIGN(runs, runAgain(bench, named, control.slice(from, 0.5)));
            from = 0.5;
        }
        out.runs = *runs;
        for (auto& run : spec.runs)
            for (std::size_t r = 0; r < named.runs.size(); ++r)
                if (named.runs[r].id == run) {
                    run = out.runs[r];
                    break;
                }
    }
    CAROUSEL_ASSIGN(const auto again, bench.analyse(spec, control.slice(from, 1)));
    out.analysis = again.id;
    CAROUSEL_ASSIGN(out.comparison, compareFigures(report.figuresJson, again.document.figuresJson));
    return out;
}

} // namespace carousel
