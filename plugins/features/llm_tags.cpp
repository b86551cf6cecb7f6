// SPDX-License-Identifier: GPL-3.0-or-later
// Feature: a language model picks each item's tags from a fixed set, by how likely each tag is as the answer. It cannot invent a tag,
// its doubt is shown as a confidence, and it may say that it does not know.
#include "base/random.h"
#include "stages/plugin.h"
#include "support/item_text.h"
#include "support/model_calls.h"
#include "support/prompt_template.h"
#include "support/specs.h"
#include "support/worked_examples.h"
#include <algorithm>
#include <numeric>
#include <set>

namespace carousel {
namespace {

const char* const defaultPrompt = "Sort an item of a catalogue into one category.\n"
                                  "Categories: {{categories}}\n"
                                  "Name the one category that fits best and nothing else.\n"
                                  "Item: {{item}}";

struct Settings {
    std::string model, tagField;
    std::vector<std::string> tags, fields;
    plugin::PromptTemplate prompt;
    double neutralWeight = 1, temperature = 1, threshold = 0.2;
    std::size_t mostTags = 3, mostItems = 0, shots = 0;
};

class LlmTags final : public FeatureBuilder {
public:
    LlmTags(Settings settings, StageEnvironment environment) : m_settings(std::move(settings)), m_environment(std::move(environment)) {}

    Result<FeatureTable> build(const TrainingView& training, const RunControl& control) override {
        const auto& items = training.items();
        CAROUSEL_TRY(plugin::checkFields(items, m_settings.fields, "llm_tags"));
        std::string tagField = m_settings.tagField;
        if (tagField.empty() && m_settings.tags.empty()) {
            const auto found = plugin::tagFields(items);
            tagField = found.empty() ? std::string() : found.front();
        }
        if (!tagField.empty()) {
            CAROUSEL_TRY(plugin::checkFields(items, {tagField}, "llm_tags"));
        }
        const auto tags = corpusTags(items, tagField);
        const auto fields = m_settings.fields.empty() ? plugin::describingFields(items, {tagField}) : m_settings.fields;

        FeatureTable out;
        const auto n = items.size();
        out.itemText.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            const auto details = plugin::detailsOf(items, static_cast<Code>(i), fields);
            out.itemText[i] = plugin::titleOf(items, static_cast<Code>(i)) + (details.empty() ? "" : ". " + details);
        }
        if (tags.size() < 2) {
            out.notes.push_back(
                "llm_tags: this data set offers no set of tags to choose from (no attribute with 2 to 200 values); texts carry no tags.");
            return out;
        }
        CAROUSEL_ASSIGN(const auto model, plugin::CountedModel::open(m_environment, m_settings.model));
        const auto own = tagField.empty() ? std::vector<std::vector<Tag>>{} : plugin::tagsFrom(items, {tagField});
        const auto examples = exampleItems(own, tags);
        std::vector<ChatMessage> worked;
        for (const auto& [item, tag] : examples)
            plugin::addExample(worked, promptFor(out.itemText[item], tags), tag);
        if (m_settings.shots > 0)
            out.notes.push_back(fmt::format("llm_tags, worked examples: {} of {} asked for{}.", examples.size(), m_settings.shots,
                                            tagField.empty() ? ", since no attribute says which tags are right"
                                                             : ", items with their own '" + tagField + "' as the answer"));
        std::vector<double> neutral;
        if (m_settings.neutralWeight > 0) {
            CAROUSEL_ASSIGN(const auto known,
                            plugin::scoreOptions(*model,
                                                 plugin::afterExamples(worked, promptFor("an item that nothing is known about", tags)),
                                                 std::vector<double>{}, tags, 0, control));
            neutral = known.logProbability;
        }

        const auto chosen = itemsToTag(training);
        out.itemTags.resize(n);
        out.itemStatus.assign(n, ScoreStatus::missing);
        std::size_t done = 0, unknown = 0, judged = 0, agreed = 0;
        for (const auto item : chosen) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("Choosing tags"));
            control.report("Choosing tags", static_cast<double>(done++), static_cast<double>(chosen.size()), "items");
            const auto i = static_cast<std::size_t>(item);
            CAROUSEL_ASSIGN(const auto scored, plugin::scoreOptions(*model, plugin::afterExamples(worked, promptFor(out.itemText[i], tags)),
                                                                    neutral, tags, m_settings.neutralWeight, control));
            out.itemTags[i] = pick(scored.score, tags);
            out.itemStatus[i] = ScoreStatus::ok;
            unknown += out.itemTags[i].empty();
            // An example's answer stands in its prompt: it says nothing about the model.
            if (!out.itemTags[i].empty() && !own.empty() && !own[i].empty() && !examples.count(i)) {
                ++judged;
                agreed +=
                    std::any_of(own[i].begin(), own[i].end(), [&](const Tag& tag) { return tag.name == out.itemTags[i].front().name; });
            }
        }
        for (std::size_t i = 0; i < n; ++i) {
            std::string names;
            for (const auto& tag : out.itemTags[i])
                names += (names.empty() ? "" : ", ") + tag.name;
            if (!names.empty())
                out.itemText[i] += ". " + names;
        }
        out.notes.push_back(
            fmt::format("llm_tags: {} tags to choose from{}; {} of {} items tagged, {} unknown (best confidence below {}), {} not asked.",
                        tags.size(), tagField.empty() ? "" : " (values of '" + tagField + "')", chosen.size() - unknown, n, unknown,
                        m_settings.threshold, n - chosen.size()));
        if (judged > 0)
            out.notes.push_back(
                fmt::format("llm_tags: the first tag is one of the item's own '{}' values for {} of {} items that have both.", tagField,
                            agreed, judged));
        return out;
    }

private:
    std::vector<std::string> corpusTags(const EntityTable& items, const std::string& tagField) const {
        std::vector<std::string> out = m_settings.tags;
        if (out.empty() && !tagField.empty())
            for (const auto& label : items.attribute(tagField)->dictionary())
                out.push_back(label);
        for (auto& tag : out)
            tag = plugin::oneLine(tag, 60);
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end());
        std::erase(out, std::string());
        if (out.size() > 200)
            out.clear();
        return out;
    }

    // Items and one of their own tags, other tags first as long as there are some.
    std::map<std::size_t, std::string> exampleItems(const std::vector<std::vector<Tag>>& own, const std::vector<std::string>& tags) const {
        std::vector<std::size_t> order(own.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        RandomStream random(m_environment.seed, "worked examples of llm_tags");
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.below(i)]);
        std::map<std::size_t, std::string> out;
        std::set<std::string> shown;
        for (const bool again : {false, true})
            for (const auto item : order)
                for (const auto& tag : own[item]) {
                    if (out.size() >= m_settings.shots)
                        return out;
                    const auto name = plugin::oneLine(tag.name, 60);
                    if (out.count(item) || !std::binary_search(tags.begin(), tags.end(), name) || (!again && !shown.insert(name).second))
                        continue;
                    out.emplace(item, name);
                }
        return out;
    }

    std::string promptFor(const std::string& item, const std::vector<std::string>& tags) const {
        plugin::PromptValues values;
        values.texts["categories"] = fmt::format("{}", fmt::join(tags, ", "));
        values.texts["item"] = item;
        return m_settings.prompt.render(values);
    }

    // The most popular first when only some are asked; always in the same order.
    std::vector<Code> itemsToTag(const TrainingView& training) const {
        std::vector<Code> out(training.itemCount());
        std::iota(out.begin(), out.end(), 0);
        if (m_settings.mostItems > 0 && m_settings.mostItems < out.size()) {
            const auto& popularity = training.popularity();
            std::stable_sort(out.begin(), out.end(), [&](Code a, Code b) {
                return popularity[static_cast<std::size_t>(a)] > popularity[static_cast<std::size_t>(b)];
            });
            out.resize(m_settings.mostItems);
        }
        return out;
    }

    std::vector<Tag> pick(const std::vector<double>& score, const std::vector<std::string>& tags) const {
        const double highest = *std::max_element(score.begin(), score.end());
        std::vector<double> share(score.size());
        double sum = 0;
        for (std::size_t t = 0; t < score.size(); ++t)
            sum += share[t] = std::exp((score[t] - highest) / m_settings.temperature);
        std::vector<std::size_t> order(score.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return share[a] > share[b]; });
        std::vector<Tag> out;
        for (const auto t : order) {
            if (out.size() >= m_settings.mostTags || share[t] / sum < m_settings.threshold)
                break;
            out.push_back({tags[t], static_cast<float>(share[t] / sum)});
        }
        return out;
    }

    Settings m_settings;
    StageEnvironment m_environment;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::feature;
    out.id = "llm_tags";
    out.name = "Tags chosen by a language model";
    out.summary =
        "Picks tags for each item from a fixed set by answer likelihood, with a confidence; 'unknown' is allowed. Adds them to the text.";
    out.source = "Selective tagging as in TagGPT (Li et al., 2023); likelihood of the answer less its likelihood without the item";
    out.usesLanguageModel = true;
    out.twin = "text_template";
    out.parameters = {
        plugin::languageModel("smollm2-135m-instruct"),
        plugin::dataField("tagField", "Attribute with the tags",
                          "Its values are the tags to choose from and are hidden from the model; leave empty to find one."),
        plugin::texts("tags", "Own tags", "Tags to choose from instead of an attribute's values."),
        plugin::dataFields("fields", "Attributes shown",
                           "Attributes that the model sees beside the title; leave empty for all that describe an item."),
        plugin::number("threshold", "Least confidence", 0.2, 0, 1, "",
                       "A tag below this confidence is not given; an item without any is unknown."),
        plugin::integer("count", "Most tags per item", 3, 1, 20, "tags", "At most so many tags are given to one item."),
        plugin::number(
            "neutralWeight", "Neutral correction", 1, 0, 2, "",
            "How much of a tag's likelihood without any item is taken off; 1 removes the model's liking for some tags, 0 keeps it."),
        plugin::number("temperature", "Temperature", 1, 0.05, 20, "", "Above 1 the confidences become more alike, below 1 more decided."),
        plugin::integer("items", "Items asked", 0, 0, 1e9, "items", "Only the so many most popular items are asked; 0 asks for all."),
        plugin::shotParameter(),
        plugin::prompt("prompt", "Prompt", defaultPrompt,
                       "What the model reads: {{categories}} is the list of tags, {{item}} the item's text."),
    };
    out.createFeature = [](const Parameters& p, const StageEnvironment& environment) -> Result<std::unique_ptr<FeatureBuilder>> {
        CAROUSEL_ASSIGN(auto prompt, plugin::PromptTemplate::parse("llm_tags", "prompt", p.text("prompt")));
        Settings s;
        s.model = p.text("model"), s.tagField = p.text("tagField"), s.tags = p.list("tags"), s.fields = p.list("fields");
        s.prompt = std::move(prompt);
        s.neutralWeight = p.number("neutralWeight"), s.temperature = p.number("temperature"), s.threshold = p.number("threshold");
        s.mostTags = static_cast<std::size_t>(p.integer("count")), s.mostItems = static_cast<std::size_t>(p.integer("items"));
        s.shots = static_cast<std::size_t>(p.integer("shots"));
        return std::make_unique<LlmTags>(std::move(s), environment);
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
