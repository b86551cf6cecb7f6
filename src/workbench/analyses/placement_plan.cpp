// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/placement_plan.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <bit>

namespace carousel::analyses {

namespace {

constexpr std::array<const char*, 4> optionOfPlace{"llmFeature", "llmEncoder", "llmScorer", "llmController"};

// A strategy in which every place has an effect on what is shown, and a twin.
StrategySpec defaultPlain() {
    StrategySpec out;
    out.name = "plain";
    out.stage(StageKind::feature).plugin = "text_template";
    out.stage(StageKind::encoder).plugin = "one_hot_embedding";
    out.stage(StageKind::scorer).plugin = "embedding_similarity";
    out.stage(StageKind::controller).plugin = "fixed_cascade";
    return out;
}

// A scorer that asks about a shortlist is asked about the plain scorer's own, so that both order the same items, and is shown what the
// feature place wrote: otherwise features and encoder would reach nothing behind it.
void joinToPlain(StageSpec& scorer, const StageSpec& plain, const PluginManifest& manifest, const AnalysisSpec& spec) {
    for (const ParameterSpec& each : manifest.parameters) {
        if (each.id == "retriever")
            scorer.parameters.set("retriever", plain.plugin);
        else if (each.id == "count")
            scorer.parameters.set("count", spec.options.integer("candidates"));
        else if (each.id == "itemText")
            scorer.parameters.set("itemText", std::string("features"));
    }
}

Result<StrategySpec> withModels(const StrategySpec& off, const AnalysisSpec& spec, const PluginRegistry& plugins) {
    StrategySpec out = off;
    for (std::size_t p = 0; p < placementPlaces.size(); ++p) {
        const StageKind kind = placementPlaces[p];
        const std::string chosen = spec.options.text(optionOfPlace[p]);
        if (chosen == "twin") {
            CAROUSEL_ASSIGN(const auto* plain, plugins.find(kind, off.stage(kind).plugin));
            if (plain->manifest.twin.empty())
                return fail(ErrorKind::input, "CL-7102", fmt::format("The {} '{}' names no language model plugin as its twin.", name(kind), plain->manifest.id),
                            fmt::format("Name one: --set {}=..., or write a second [[strategy]].", optionOfPlace[p]));
            CAROUSEL_ASSIGN(const StrategySpec switched, withTwin(off, kind, plugins));
            out.stage(kind) = switched.stage(kind);
        } else {
            out.stage(kind) = {chosen, {}};
        }
        CAROUSEL_ASSIGN(const auto* entry, plugins.find(kind, out.stage(kind).plugin));
        if (kind == StageKind::scorer)
            joinToPlain(out.stage(kind), off.stage(kind), entry->manifest, spec);
    }
    return resolved(out, plugins);
}

} // namespace

const char* placementTitle(std::size_t place) {
    constexpr std::array<const char*, 4> titles{"features", "encoder", "scorer", "controller"};
    return titles[place];
}

std::string combinationName(std::uint32_t mask) {
    if (mask == 0)
        return "plain";
    if (mask == 15)
        return "LLM at all four";
    std::string out;
    for (std::size_t p = 0; p < placementPlaces.size(); ++p)
        if (mask & (1u << p))
            out += (out.empty() ? "LLM at " : " + ") + std::string(placementTitle(p));
    return out;
}

std::size_t PlacementPlan::strategies() const {
    std::size_t out = design.runs.size();
    for (const std::size_t each : fewShotRuns)
        out = std::max(out, each + 1);
    return out;
}
std::size_t PlacementPlan::runOf(std::size_t strategy) const {
    if (strategy < design.runs.size())
        return strategy;
    return static_cast<std::size_t>(std::find(fewShotRuns.begin(), fewShotRuns.end(), strategy) - fewShotRuns.begin());
}
std::string PlacementPlan::title(std::size_t strategy) const {
    const std::string name = combinationName(design.runs[runOf(strategy)]);
    return strategy < design.runs.size() ? name : fmt::format("{}, {}", name, countOf(static_cast<std::size_t>(shots), "example", "examples"));
}

Result<PlacementPlan> placementPlan(const AnalysisSpec& spec, const PluginRegistry& plugins) {
    if (spec.strategies.size() > 2)
        return fail(ErrorKind::input, "CL-7100", fmt::format("A placement study takes one plain strategy, and may name a second one with what stands at each place instead; the file has {}.", spec.strategies.size()),
                    "Keep one or two [[strategy]].");
    PlacementPlan out;
    CAROUSEL_ASSIGN(out.off, resolved(spec.strategies.empty() ? defaultPlain() : spec.strategies.front(), plugins));
    if (spec.strategies.size() == 2) {
        out.on = spec.strategies.back();
    } else {
        CAROUSEL_ASSIGN(out.on, withModels(out.off, spec, plugins));
    }
    out.design = spec.options.text("design") == "half" ? halfDesign(4) : fullDesign(4);
    for (std::size_t p = 0; p < placementPlaces.size(); ++p) {
        const StageKind kind = placementPlaces[p];
        CAROUSEL_ASSIGN(const auto* off, plugins.find(kind, out.off.stage(kind).plugin));
        CAROUSEL_ASSIGN(const auto* on, plugins.find(kind, out.on.stage(kind).plugin));
        if (off->manifest.usesLanguageModel)
            return fail(ErrorKind::input, "CL-7101", fmt::format("The first strategy asks a language model at the {} ('{}'), but is what the others are compared with.", name(kind), off->manifest.id),
                        "Let it be plain everywhere; the language model's plugins follow by themselves.");
        if (out.off.stage(kind) == out.on.stage(kind))
            return fail(ErrorKind::input, "CL-7103", fmt::format("Both strategies have the same {} ('{}'), so that there is nothing to switch.", name(kind), off->manifest.id),
                        "Let them differ at all four places.");
        out.titleOff[p] = off->manifest.id;
        out.titleOn[p] = on->manifest.id;
        out.asksModel[p] = on->manifest.usesLanguageModel;
        if (on->manifest.usesLanguageModel && out.on.stage(kind).parameters.has("model"))
            out.model[p] = out.on.stage(kind).parameters.text("model");
        if (!out.asksModel[p])
            out.notes.push_back(fmt::format("What is switched on at the {} ('{}') asks no language model.", placementTitle(p), on->manifest.id));
    }
    const auto& scorer = out.on.stage(StageKind::scorer).parameters;
    if (scorer.has("retriever") && scorer.text("retriever") != out.off.stage(StageKind::scorer).plugin)
        out.notes.push_back(fmt::format("The scorer '{}' orders the shortlist of '{}', not of the plain scorer '{}': its gain is that of both changes together.", out.titleOn[2],
                                        scorer.text("retriever"), out.titleOff[2]));

    // Few-shot against zero-shot: what has a place for worked examples gets them, or is rid of them.
    out.shots = spec.options.integer("shots");
    StrategySpec few = out.on;
    if (out.shots > 0) {
        for (std::size_t p = 0; p < placementPlaces.size(); ++p) {
            const StageKind kind = placementPlaces[p];
            if (!out.on.stage(kind).parameters.has("shots"))
                continue;
            out.shotPlaces |= 1u << p;
            out.on.stage(kind).parameters.set("shots", std::int64_t(0));
            few.stage(kind).parameters.set("shots", out.shots);
        }
        if (out.shotPlaces == 0) {
            out.shots = 0;
            out.notes.push_back("Few-shot was asked for, but none of the plugins switched on has a place for worked examples in its prompts.");
        }
    }

    StudySpec study;
    study.dataset = spec.dataset;
    study.device = spec.device;
    study.compute = spec.compute;
    study.controls = false; // the design is all of it
    study.evaluation.k = static_cast<int>(spec.options.integer("k"));
    study.evaluation.window = static_cast<int>(spec.options.integer("window"));
    study.evaluation.users = static_cast<int>(spec.options.integer("users"));
    study.evaluation.bootstrap = 100; // intervals are worked out here, over users and seeds
    study.evaluation.confidence = spec.options.number("confidence");
    const auto combined = [&](std::uint32_t mask, const StrategySpec& on, std::string name) {
        StrategySpec strategy = out.off;
        strategy.name = std::move(name);
        for (std::size_t p = 0; p < placementPlaces.size(); ++p)
            if (mask & (1u << p))
                strategy.stage(placementPlaces[p]) = on.stage(placementPlaces[p]);
        study.strategies.push_back(std::move(strategy));
    };
    for (const std::uint32_t mask : out.design.runs)
        combined(mask, out.on, combinationName(mask));
    for (std::size_t run = 0; out.shots > 0 && run < out.design.runs.size(); ++run) {
        const std::uint32_t mask = out.design.runs[run];
        out.fewShotRuns.push_back(mask & out.shotPlaces ? study.strategies.size() : run);
        if (mask & out.shotPlaces)
            combined(mask, few, out.title(study.strategies.size()));
    }
    for (std::int64_t s = 0; s < spec.options.integer("seeds"); ++s) {
        study.seed = study.split.seed = spec.seed + static_cast<std::uint64_t>(s);
        study.name = fmt::format("Where the language model pays, seed {}", study.seed);
        out.studies.push_back(study);
    }
    out.costs = out.studies.front();
    out.costs.name = "Where the language model pays: what a request costs";
    out.costs.freshAnswers = true;
    out.costs.evaluation.users = static_cast<int>(std::min(spec.options.integer("costUsers"), spec.options.integer("users")));
    return out;
}

Result<PlacementStudy> placementStudy(Workbench& bench, const StudySpec& study, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto data, bench.dataset(study.dataset, control));
    const std::string toml = toToml(study);
    PlacementStudy out;
    const auto complete = [&](std::int64_t id) -> Result<std::size_t> {
        CAROUSEL_ASSIGN(const auto rows, bench.store().runs());
        out.runs.clear();
        for (const StrategySpec& strategy : study.strategies)
            for (const RunRow& row : rows)
                if (row.study == id && row.strategy == strategy.name && row.state == RunState::complete)
                    out.runs.push_back(row.id);
        return out.runs.size();
    };
    CAROUSEL_ASSIGN(const auto rows, bench.store().runs());
    for (const RunRow& row : rows)
        if (row.studyToml == toml && row.datasetDigest == data->digest) {
            out.study = row.study;
            break;
        }
    std::size_t before = 0;
    if (out.study != 0) {
        CAROUSEL_ASSIGN(before, complete(out.study));
        if (before == study.strategies.size())
            return out;
    }
    if (bench.store().readOnly())
        return fail(ErrorKind::usage, "CL-7104", fmt::format("The project is open to be read alone, and {} of {} runs of '{}' are missing.", study.strategies.size() - before, study.strategies.size(), study.name),
                    "Run the study without --no-save first.");
    CAROUSEL_ASSIGN(const StudyRun done, out.study == 0 ? bench.runStudy(study, control) : bench.resumeStudy(out.study, control));
    out.study = done.study;
    if (!done.failures.empty())
        return fail(ErrorKind::partial, "CL-7105", fmt::format("A strategy of the placement study failed. {}", done.failures.front()), "Remove the cause and start the study again: what is complete is kept.");
    CAROUSEL_ASSIGN(const std::size_t after, complete(out.study));
    if (after != study.strategies.size())
        return fail(ErrorKind::internal, "CL-7106", fmt::format("{} of {} runs of the placement study are complete.", after, study.strategies.size()), "Start it again.");
    out.computed = after - before;
    return out;
}

} // namespace carousel::analyses
