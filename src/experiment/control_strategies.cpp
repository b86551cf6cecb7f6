// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/control_strategies.h"
#include <algorithm>

namespace carousel {

namespace {

constexpr const char* control = "text_recency";

// The yes/no scorer is what the control switches to; others of its kind switch to the control.
bool readsHistoryAsText(const PluginManifest& scorer, const PluginManifest& controls) {
    return scorer.usesLanguageModel && (controls.twin == scorer.id || scorer.twin == control);
}

bool sameCandidates(const StrategySpec& a, const StrategySpec& b) {
    const auto &one = a.stage(StageKind::scorer).parameters, &other = b.stage(StageKind::scorer).parameters;
    if (!one.has("count") || !one.has("retriever"))
        return false; // not resolved
    return a.eventModel == b.eventModel && a.training == b.training && a.stage(StageKind::controller) == b.stage(StageKind::controller) &&
           one.integer("count") == other.integer("count") && one.text("retriever") == other.text("retriever");
}

Result<StrategySpec> controlOf(const StrategySpec& strategy, const PluginRegistry& plugins) {
    StrategySpec out = strategy;
    out.name = std::string(control) + " beside " + strategy.name;
    for (const StageKind kind : {StageKind::feature, StageKind::encoder, StageKind::controller}) {
        CAROUSEL_ASSIGN(const auto* entry, plugins.find(kind, strategy.stage(kind).plugin));
        if (!entry->manifest.usesLanguageModel)
            continue;
        CAROUSEL_ASSIGN(const auto plain, withTwin(strategy, kind, plugins));
        out.stage(kind) = plain.stage(kind);
    }
    const auto& asked = strategy.stage(StageKind::scorer).parameters;
    StageSpec scorer{control, {}};
    if (asked.has("retriever") && asked.has("count")) { // otherwise it ranks the whole catalogue, and so does its control
        scorer.parameters.set("retriever", asked.text("retriever"));
        scorer.parameters.set("count", asked.integer("count"));
    }
    out.stage(StageKind::scorer) = std::move(scorer);
    return resolved(out, plugins);
}

} // namespace

Result<StudySpec> withControls(const StudySpec& study, const PluginRegistry& plugins) {
    StudySpec out = study;
    if (!study.controls)
        return out;
    const auto controls = plugins.find(StageKind::scorer, control);
    if (!controls)
        return out;
    for (const auto& given : study.strategies) {
        CAROUSEL_ASSIGN(const auto* scorer, plugins.find(StageKind::scorer, given.stage(StageKind::scorer).plugin));
        if (!readsHistoryAsText(scorer->manifest, (*controls)->manifest))
            continue;
        CAROUSEL_ASSIGN(const auto strategy, resolved(given, plugins));
        CAROUSEL_ASSIGN(auto made, controlOf(strategy, plugins));
        const bool there = std::any_of(out.strategies.begin(), out.strategies.end(), [&](const StrategySpec& other) {
            return other.name == made.name || (other.stage(StageKind::scorer).plugin == control && sameCandidates(other, made));
        });
        if (!there)
            out.strategies.push_back(std::move(made));
    }
    return out;
}

} // namespace carousel
