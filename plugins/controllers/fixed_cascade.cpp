// SPDX-License-Identifier: GPL-3.0-or-later
// Controller: the plain pipeline. Candidates, their scores, best first; behind them the rest in the retriever's order.
#include "stages/plugin.h"
#include "support/slates.h"

namespace carousel {
namespace {

class FixedCascade final : public Controller {
public:
    Result<Slate> compose(ComposeTools& tools, const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("fixed_cascade"));
        CAROUSEL_ASSIGN(const auto candidates, tools.candidates());
        std::vector<Code> items;
        items.reserve(candidates.size());
        for (const auto& candidate : candidates)
            items.push_back(candidate.item);
        CAROUSEL_ASSIGN(auto scored, tools.score(items));
        plugin::sortBestFirst(scored);
        plugin::SlateBuilder slate;
        slate.append(scored);
        CAROUSEL_ASSIGN(const auto rest, tools.remainder(items));
        slate.append(rest);
        tools.trace().add("controller", "cascade", fmt::format("{{\"candidates\":{},\"behind\":{}}}", items.size(), rest.size()));
        return slate.finish();
    }
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::controller;
    out.id = "fixed_cascade";
    out.name = "Fixed cascade";
    out.summary = "Retrieve, score, order: the same steps for everybody.";
    out.source = "ours";
    out.twin = "llm_planner";
    out.createController = [](const Parameters&, const StageEnvironment&) -> Result<std::unique_ptr<Controller>> {
        return std::make_unique<FixedCascade>();
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
