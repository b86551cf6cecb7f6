// SPDX-License-Identifier: GPL-3.0-or-later
// Controllers: a slate orders the unseen items, each once, with falling rank scores; the same for the same seed and any number of threads.
#include "checks.h"
#include "fake_tools.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

namespace carousel::conformance {

namespace {

std::unique_ptr<Kitchen> kitchenFor(const PluginRegistry& registry, const SmallData& data, const Controller& controller,
                                    const std::string& retriever, bool free) {
    auto out = std::make_unique<Kitchen>();
    out->data = &data;
    out->features = plainFeatures(registry, data);
    out->embeddings = free ? freeVectors(registry, data) : textVectors(data, out->features);
    out->retriever = retriever;
    auto wanted = controller.retrievers();
    wanted.push_back(out->own);
    if (!retriever.empty())
        wanted.push_back(retriever);
    Bench bench;
    for (const auto& id : wanted) {
        const auto& entry = *must(registry.find(StageKind::scorer, id));
        auto scorer = must(entry.manifest.createScorer(defaultsOf(entry), bench.environment()));
        must(scorer->fit({data.training, out->features, out->embeddings}, {}));
        out->scorers[id] = std::move(scorer);
    }
    return out;
}

std::string checkSlate(const Slate& slate, const std::vector<Code>& unseen) {
    if (slate.items.size() != slate.rankScore.size())
        return "as many rank scores as items are needed";
    std::vector<Code> codes;
    for (std::size_t i = 0; i < slate.items.size(); ++i) {
        codes.push_back(slate.items[i].item);
        if (!std::isfinite(slate.rankScore[i]) || (i > 0 && slate.rankScore[i] > slate.rankScore[i - 1]))
            return fmt::format("the rank score rises or is not finite at {}", i);
    }
    std::sort(codes.begin(), codes.end());
    return codes == unseen ? "" : fmt::format("it orders {} items, not each of the {} unseen ones once", codes.size(), unseen.size());
}

bool same(const Slate& a, const Slate& b) {
    return a.items == b.items && a.rankScore == b.rankScore && a.fallback == b.fallback && a.note == b.note;
}

struct Composed {
    Slate slate;
    std::vector<TraceEntry> trace;
    std::vector<Code> unseen;
};

Composed composed(const Controller& controller, const Kitchen& kitchen, Code user) {
    FakeTools tools(kitchen, user);
    auto slate = must(controller.compose(tools, {}));
    return {std::move(slate), tools.trace().entries(), tools.unseen()};
}

std::string checkTrace(const std::vector<TraceEntry>& trace) {
    if (trace.empty())
        return "nothing was traced";
    for (const auto& entry : trace)
        if (entry.stage.empty() || entry.step.empty() || !nlohmann::json::accept(entry.detail))
            return "a trace entry has no name or is not JSON: " + entry.detail;
    return "";
}

std::vector<Parameters> variants(const PluginEntry& entry) {
    std::vector<Parameters> out{defaultsOf(entry)};
    for (const auto& p : entry.manifest.parameters) {
        if (p.kind == ParameterKind::choice)
            for (const auto& choice : p.choices)
                if (ParameterValue(choice) != p.defaultValue)
                    out.push_back(parametersOf(entry, {{p.id, choice}}));
        if (p.id == "lambda")
            out.push_back(parametersOf(entry, {{p.id, 0.0}}));
        if (p.id == "leastMargin")
            out.push_back(parametersOf(entry, {{p.id, 0.0}})), out.push_back(parametersOf(entry, {{p.id, 100.0}}));
    }
    return out;
}

} // namespace

void checkControllers(const PluginRegistry& registry, Report& report) {
    const auto all = smallData(), renamed = smallData("other-");
    for (const auto& entry : registry.all()) {
        if (entry.manifest.kind != StageKind::controller)
            continue;
        report.check(label(entry), "orders each unseen item once, repeatably, whatever the ids, and leaves a trace", [&]() -> std::string {
            for (const auto& parameters : variants(entry))
                for (std::size_t d = 0; d < all.size(); ++d)
                    for (const std::string retriever : {"", "popularity"})
                        for (const bool free : {false, true}) {
                            Bench a, b, c;
                            const auto controller = must(entry.manifest.createController(parameters, a.environment()));
                            const auto again = must(entry.manifest.createController(parameters, b.environment()));
                            const auto other = must(entry.manifest.createController(parameters, c.environment()));
                            const auto kitchen = kitchenFor(registry, all[d], *controller, retriever, free);
                            const auto otherKitchen = kitchenFor(registry, renamed[d], *controller, retriever, free);
                            for (Code user = 0; user < static_cast<Code>(all[d].training.userCount()); ++user) {
                                const auto first = composed(*controller, *kitchen, user);
                                auto wrong = checkSlate(first.slate, first.unseen);
                                if (wrong.empty())
                                    wrong = checkTrace(first.trace);
                                if (wrong.empty() && !same(first.slate, composed(*again, *kitchen, user).slate))
                                    wrong = "made twice with one seed, it differs";
                                const bool showsIds = !all[d].hasTitles || all[d].name == "unicode";
                                if (wrong.empty() && !showsIds && !same(first.slate, composed(*other, *otherKitchen, user).slate))
                                    wrong = "renaming ids changed the slate";
                                if (wrong.empty() && first.slate.fallback && first.slate.note.empty())
                                    wrong = "a fallback without a note";
                                if (!wrong.empty())
                                    return fmt::format("{}, user {}: {}", all[d].name, user, wrong);
                            }
                        }
            return "";
        });
        report.check(label(entry), "many threads compose as one", [&]() -> std::string {
            Bench bench;
            const auto controller = must(entry.manifest.createController(defaultsOf(entry), bench.environment()));
            const auto kitchen = kitchenFor(registry, all[0], *controller, "", false);
            const auto users = all[0].training.userCount();
            std::vector<Slate> one, many(users * 4);
            for (std::size_t u = 0; u < users; ++u)
                one.push_back(composed(*controller, *kitchen, static_cast<Code>(u)).slate);
            std::vector<std::jthread> threads;
            for (std::size_t t = 0; t < 4; ++t)
                threads.emplace_back([&, t] {
                    for (std::size_t u = 0; u < users; ++u)
                        many[t * users + u] = composed(*controller, *kitchen, static_cast<Code>(u)).slate;
                });
            threads.clear();
            for (std::size_t i = 0; i < many.size(); ++i)
                if (!same(many[i], one[i % users]))
                    return "a thread got another slate";
            return "";
        });
        report.check(label(entry), "stops when asked", [&] {
            Bench bench;
            const auto controller = must(entry.manifest.createController(defaultsOf(entry), bench.environment()));
            const auto kitchen = kitchenFor(registry, all[0], *controller, "", false);
            return checkStops([&](const RunControl& control) -> Result<void> {
                FakeTools tools(*kitchen, 0);
                CAROUSEL_TRY(controller->compose(tools, control));
                return {};
            });
        });
        if (!entry.manifest.usesLanguageModel)
            continue;
        report.check(
            label(entry), "its cost is counted; users get different plans; without a model the rule takes over and says so",
            [&]() -> std::string {
                Bench bench;
                const auto controller = must(entry.manifest.createController(defaultsOf(entry), bench.environment()));
                const auto kitchen = kitchenFor(registry, all[0], *controller, "", false);
                std::vector<std::string> plans;
                for (Code user = 0; user < static_cast<Code>(all[0].training.userCount()); ++user)
                    plans.push_back(nlohmann::json::parse(composed(*controller, *kitchen, user).trace.front().detail)["plan"].dump());
                std::sort(plans.begin(), plans.end());
                if (std::unique(plans.begin(), plans.end()) - plans.begin() < 3)
                    return "all users get the same plan";
                if (bench.cost.total().modelCalls <= 0 || bench.cost.total().promptTokens <= 0)
                    return "no calls or tokens were counted";
                Bench empty;
                empty.modelMissing = true;
                const auto without = must(entry.manifest.createController(defaultsOf(entry), empty.environment()));
                const auto slate = composed(*without, *kitchen, 0);
                return slate.slate.fallback && slate.slate.note.find("rule") != std::string::npos ? checkSlate(slate.slate, slate.unseen)
                                                                                                  : "the fallback is not said";
            });
    }
}

} // namespace carousel::conformance
