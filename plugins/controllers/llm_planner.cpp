// SPDX-License-Identifier: GPL-3.0-or-later
// Controller: a language model plans the carousel of each user. The skeleton is fixed (source -> focus -> diversity -> order); the model
// only fills the slots, one after another, by how likely each allowed word is. A plan is checked before it is carried out; when the model
// fails or is in doubt, a rule takes over, and that is counted and said.
#include "stages/plugin.h"
#include "support/history.h"
#include "support/item_text.h"
#include "support/model_calls.h"
#include "support/prompt_template.h"
#include "support/slates.h"
#include "support/specs.h"
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace carousel {
namespace {

const char* const defaultPrompt = "You plan a row of suggestions for one person.\n"
                                  "Person: {{person}}\n"
                                  "{{#plan}}Plan so far: {{plan}}\n{{/plan}}"
                                  "{{question}}\n"
                                  "Answer with one of: {{options}}.";

// The words that the model chooses from, and what they stand for.
const std::map<std::string, std::string> sourcePlugins{
    {"popular", "popularity"}, {"sequence", "sequence_rules"}, {"neighbours", "item_neighbours"}, {"strategy", ""}};
const std::map<std::string, double> lambdaOf{{"none", 1.0}, {"some", 0.8}, {"much", 0.55}};

struct Plan {
    std::string source = "strategy", diversity = "none", focus = "none";
};

struct Slot {
    std::string name, question;
    std::vector<std::string> options;
};

struct Settings {
    std::string model;
    plugin::PromptTemplate prompt;
    double neutralWeight = 1, leastMargin = 0.05, focusBoost = 0.3;
    std::size_t shown = 5, categories = 5, count = 18;
    int pool = 100;
};

// The slots and their allowed words for one user; the plan's grammar.
std::vector<Slot> slotsFor(const std::vector<std::string>& categories) {
    std::vector<Slot> slots{
        {"source",
         "Where should the suggestions come from? popular: what everybody likes; sequence: what often follows the latest items; "
         "neighbours: what alike people "
         "like; strategy: the usual ranking.",
         {"popular", "sequence", "neighbours", "strategy"}},
        {"diversity", "How much variety should the row have?", {"none", "some", "much"}},
    };
    if (!categories.empty()) {
        Slot focus{"focus", "Should one category come first?", {"none"}};
        for (const auto& category : categories)
            if (category != "none")
                focus.options.push_back(category);
        slots.push_back(std::move(focus));
    }
    return slots;
}

// Every slot filled by one of its allowed words, and no other slot.
Result<Plan> validated(const nlohmann::json& json, const std::vector<Slot>& slots) {
    auto refuse = [](const std::string& what) {
        return fail(ErrorKind::plugin, "CL-6030", "The plan is not valid: " + what, "The rule takes over.");
    };
    if (!json.is_object() || json.size() != slots.size())
        return refuse(fmt::format("it must have exactly {} slots.", slots.size()));
    Plan plan;
    for (const auto& slot : slots) {
        const auto it = json.find(slot.name);
        if (it == json.end() || !it->is_string())
            return refuse(fmt::format("slot '{}' is not filled.", slot.name));
        const auto word = it->get<std::string>();
        if (std::find(slot.options.begin(), slot.options.end(), word) == slot.options.end())
            return refuse(fmt::format("'{}' is not allowed in slot '{}'.", word, slot.name));
        (slot.name == "source" ? plan.source : slot.name == "diversity" ? plan.diversity : plan.focus) = word;
    }
    return plan;
}

nlohmann::json toJson(const Plan& plan) {
    return {{"source", plan.source}, {"diversity", plan.diversity}, {"focus", plan.focus}};
}

class LlmPlanner final : public Controller {
public:
    LlmPlanner(Settings settings, StageEnvironment environment) : m_settings(std::move(settings)), m_environment(std::move(environment)) {}

    std::vector<std::string> retrievers() const override {
        std::vector<std::string> out;
        for (const auto& [word, plugin] : sourcePlugins)
            if (!plugin.empty())
                out.push_back(plugin);
        return out;
    }

    Result<Slate> compose(ComposeTools& tools, const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_planner"));
        const auto slots = slotsFor(favourites(tools));
        nlohmann::json trace;
        const auto planned = planByModel(tools, slots, trace, control);
        if (!planned && planned.error().kind == ErrorKind::cancelled)
            return fail(planned.error());
        const Plan plan = planned ? *planned : planByRule(tools);
        trace["plan"] = toJson(plan);
        trace["fallback"] = !planned;
        if (!planned)
            trace["reason"] = describe(planned.error());
        tools.trace().add("controller", "plan", trace.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
        auto slate = carriedOut(plan, tools, control);
        if (slate && !planned) {
            slate->fallback = true;
            slate->note = "llm_planner: the rule took over. " + planned.error().message;
        }
        return slate;
    }

private:
    // The user's commonest categories among liked items, commonest first, equals by name.
    std::vector<std::string> favourites(ComposeTools& tools) const {
        const auto& tags = tools.features().itemTags;
        if (tags.empty())
            return {};
        std::map<std::string, double> weight;
        for (const auto item : plugin::tasteOf(tools.training(), tools.user(), 200, 0).liked)
            for (const auto& tag : tags[static_cast<std::size_t>(item)])
                weight[tag.name] += tag.confidence;
        std::vector<std::pair<std::string, double>> sorted(weight.begin(), weight.end());
        std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
        std::vector<std::string> out;
        for (const auto& [name, w] : sorted)
            if (out.size() < m_settings.categories)
                out.push_back(name);
        return out;
    }

    std::string describePerson(ComposeTools& tools, const std::vector<Slot>& slots) const {
        const auto taste = plugin::tasteOf(tools.training(), tools.user(), 1000, m_settings.shown);
        const auto& items = tools.training().items();
        auto titles = [&](const std::vector<Code>& list) {
            std::vector<std::string> out;
            for (const auto item : list)
                if (out.size() < m_settings.shown)
                    out.push_back(plugin::titleOf(items, item, 60));
            return fmt::format("{}", fmt::join(out, ", "));
        };
        if (taste.liked.empty() && taste.disliked.empty())
            return "new here, nothing is known yet.";
        std::string out = fmt::format("liked {} items", taste.liked.size());
        if (!taste.liked.empty())
            out += ", latest: " + titles(taste.liked);
        if (!taste.disliked.empty())
            out += "; disliked: " + titles(taste.disliked);
        if (slots.size() > 2 && slots[2].options.size() > 1)
            out += fmt::format("; favourite categories: {}", fmt::join(slots[2].options.begin() + 1, slots[2].options.end(), ", "));
        return out + ".";
    }

    std::string promptFor(const std::string& person, const std::string& soFar, const Slot& slot) const {
        plugin::PromptValues values;
        values.texts = {{"person", person},
                        {"plan", soFar},
                        {"question", slot.question},
                        {"options", fmt::format("{}", fmt::join(slot.options, ", "))}};
        return m_settings.prompt.render(values);
    }

    Result<Plan> planByModel(ComposeTools& tools, const std::vector<Slot>& slots, nlohmann::json& trace, const RunControl& control) const {
        trace["slots"] = nlohmann::json::array();
        CAROUSEL_ASSIGN(const auto model, plugin::CountedModel::open(m_environment, m_settings.model));
        const auto person = describePerson(tools, slots);
        trace["person"] = person;
        nlohmann::json filled = nlohmann::json::object();
        std::string soFar, doubt;
        for (const auto& slot : slots) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("llm_planner"));
            CAROUSEL_ASSIGN(const auto scored,
                            plugin::scoreOptions(*model, promptFor(person, soFar, slot), promptFor("somebody.", soFar, slot), slot.options,
                                                 m_settings.neutralWeight, control));
            auto options = nlohmann::json::array();
            for (std::size_t i = 0; i < slot.options.size(); ++i) {
                nlohmann::json option{{"word", slot.options[i]},
                                      {"score", scored.score[i]},
                                      {"logProbability", scored.logProbability[i]},
                                      {"share", scored.share[i]}};
                if (!scored.neutral.empty())
                    option["neutral"] = scored.neutral[i];
                options.push_back(std::move(option));
            }
            const auto& word = slot.options[scored.best];
            trace["slots"].push_back({{"slot", slot.name}, {"chosen", word}, {"margin", scored.margin}, {"options", std::move(options)}});
            filled[slot.name] = word;
            soFar += (soFar.empty() ? "" : ", ") + slot.name + " " + word;
            if (slot.options.size() > 1 && scored.margin < m_settings.leastMargin && doubt.empty())
                doubt = fmt::format("slot '{}': the best word leads by {:.3f}, less than {}.", slot.name, scored.margin,
                                    m_settings.leastMargin);
        }
        trace["proposed"] = filled;
        if (!doubt.empty())
            return fail(ErrorKind::plugin, "CL-6031", "The model is in doubt: " + doubt, "Lower leastMargin to follow it all the same.");
        return validated(filled, slots);
    }

    // Nothing liked yet: what is popular; else the strategy's own order.
    static Plan planByRule(ComposeTools& tools) {
        Plan plan;
        if (plugin::tasteOf(tools.training(), tools.user(), 1, 0).liked.empty())
            plan.source = "popular";
        return plan;
    }

    Result<Slate> carriedOut(const Plan& plan, ComposeTools& tools, const RunControl& control) const {
        if (control.stopRequested())
            return fail(RunControl::cancelled("llm_planner"));
        std::vector<ScoredItem> pool;
        if (plan.source == "strategy") {
            CAROUSEL_ASSIGN(const auto candidates, tools.candidates());
            std::vector<Code> items;
            for (const auto& candidate : candidates)
                items.push_back(candidate.item);
            CAROUSEL_ASSIGN(pool, tools.score(items));
        } else {
            CAROUSEL_ASSIGN(pool, tools.retrieve(sourcePlugins.at(plan.source), m_settings.pool));
        }
        plugin::sortBestFirst(pool);
        const auto likeness = plugin::Likeness::choose("auto", tools.features(), tools.embeddings());
        const double lambda = lambdaOf.at(plan.diversity);
        const bool rearranges = plan.focus != "none" || (lambda < 1 && likeness.source() != plugin::Likeness::Source::none);

        plugin::SlateBuilder slate;
        if (rearranges) {
            const auto reach = std::min(pool.size(), static_cast<std::size_t>(m_settings.pool));
            const std::vector<ScoredItem> front(pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(reach));
            auto relevance = plugin::relevanceOf(front);
            if (plan.focus != "none")
                for (std::size_t i = 0; i < front.size(); ++i)
                    for (const auto& tag : tools.features().itemTags[static_cast<std::size_t>(front[i].item)])
                        if (tag.name == plan.focus)
                            relevance[i] += m_settings.focusBoost * tag.confidence;
            const auto picked = plugin::marginalRelevance(front, relevance, likeness, lambda, m_settings.count);
            const auto chosen = std::min(m_settings.count, front.size());
            std::vector<ScoredItem> head, tail;
            for (std::size_t i = 0; i < picked.size(); ++i)
                (i < chosen ? head : tail).push_back(front[picked[i]]);
            slate.append(head, true);
            tail.insert(tail.end(), pool.begin() + static_cast<std::ptrdiff_t>(reach), pool.end());
            slate.append(tail);
        } else {
            slate.append(pool);
        }
        CAROUSEL_ASSIGN(const auto rest, tools.remainder(slate.items()));
        slate.append(rest);
        tools.trace().add(
            "controller", "carried out",
            nlohmann::json{{"pool", pool.size()}, {"rearranged", rearranges}, {"lambda", lambda}, {"behind", rest.size()}}.dump());
        return slate.finish();
    }

    Settings m_settings;
    StageEnvironment m_environment;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::controller;
    out.id = "llm_planner";
    out.name = "Language model plans";
    out.summary =
        "A language model chooses for each user where items come from, how varied the row is and which category leads; a rule backs it up.";
    out.source = "Plan first, then act (InteRecAgent, Huang et al., 2023), with a fixed skeleton whose slots are filled by likelihood";
    out.usesLanguageModel = true;
    out.twin = "fixed_cascade";
    out.parameters = {
        plugin::languageModel("smollm2-135m-instruct"),
        plugin::number("neutralWeight", "Neutral correction", 1, 0, 2, "",
                       "How much of a word's likelihood for somebody unknown is taken off; 1 leaves only what this person changes, 0 takes "
                       "the model's word."),
        plugin::number("leastMargin", "Least lead", 0.05, 0, 100, "nats",
                       "When the best word of a slot leads by less, the rule takes over; the share of such users is shown."),
        plugin::integer("titles", "Titles shown", 5, 0, 50, "items",
                        "So many of the user's newest liked and disliked items are described."),
        plugin::integer("categories", "Categories offered", 5, 0, 20, "categories",
                        "So many of the user's commonest categories can be put first."),
        plugin::integer("count", "Items picked", 18, 1, 1000, "items",
                        "With variety or a focus, so many first items are picked one by one."),
        plugin::integer("pool", "Items fetched", 100, 1, 10000, "items", "So many items are fetched from the chosen source."),
        plugin::number("focusBoost", "Weight of the focus", 0.3, 0, 10, "",
                       "How much an item of the chosen category gains, on a scale where the best score is 1 and the worst 0."),
        plugin::prompt("prompt", "Prompt", defaultPrompt,
                       "What the model reads for each slot: {{person}}, {{plan}} (slots filled so far), {{question}}, {{options}}."),
    };
    out.createController = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<Controller>> {
        CAROUSEL_ASSIGN(auto prompt, plugin::PromptTemplate::parse("llm_planner", "prompt", p.text("prompt")));
        Settings s;
        s.model = p.text("model");
        s.prompt = std::move(prompt);
        s.neutralWeight = p.number("neutralWeight"), s.leastMargin = p.number("leastMargin"), s.focusBoost = p.number("focusBoost");
        s.shown = static_cast<std::size_t>(p.integer("titles")), s.categories = static_cast<std::size_t>(p.integer("categories"));
        s.count = static_cast<std::size_t>(p.integer("count")), s.pool = static_cast<int>(p.integer("pool"));
        return std::make_unique<LlmPlanner>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
