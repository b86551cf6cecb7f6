// SPDX-License-Identifier: GPL-3.0-or-later
// Scorer: the like rate (likes + 1) / (likes + dislikes + 2) of the user's newest judged items, and nothing else: what a reader of a prompt
// gets by counting its Liked and Disliked lines. A scorer that reads words must beat it before its words can be said to help.
// by = user: one rate per user, so all candidates of a user tie and only users are told apart (an area under the curve over all pairs can
// still be high). by = tags: the newest judged items that share a tag with the candidate; where none does, the user's rate.
#include "stages/plugin.h"
#include "support/history.h"
#include "support/item_text.h"
#include "support/specs.h"
#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

namespace carousel {
namespace {

struct Settings {
    std::size_t window = 10;
    bool byTags = true;
    std::vector<std::string> fields;
    std::string retriever;
    int count = 0;
};

struct Judged {
    Code item;
    bool liked;
};

struct Rate {
    std::int64_t likes = 0, dislikes = 0;
    double value() const { return static_cast<double>(likes + 1) / static_cast<double>(likes + dislikes + 2); }
    bool empty() const { return likes + dislikes == 0; }
};

class TextRecency final : public Scorer {
public:
    explicit TextRecency(Settings settings) : m_settings(std::move(settings)) {}

    // The candidates of the scorer that it stands beside.
    std::optional<RetrieverChoice> retriever() const override {
        return m_settings.count > 0 ? std::optional(RetrieverChoice{m_settings.retriever, m_settings.count}) : std::nullopt;
    }

    Result<void> fit(const FitInput& input, const RunControl& control) override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("text_recency"));
        const auto& items = input.training.items();
        CAROUSEL_TRY(plugin::checkFields(items, m_settings.fields, "text_recency"));
        m_tags.assign(items.size(), {});
        if (!m_settings.byTags)
            return {};
        // The data's own labels, not those of the feature place: a control must not know what a language model wrote there.
        const auto tags = plugin::tagsFrom(items, m_settings.fields.empty() ? plugin::tagFields(items) : m_settings.fields);
        std::unordered_map<std::string, int> codes;
        for (std::size_t i = 0; i < tags.size(); ++i)
            for (const auto& tag : tags[i])
                m_tags[i].push_back(codes.emplace(tag.name, static_cast<int>(codes.size())).first->second);
        return {};
    }

    Result<void> score(const ScoreRequest& request, std::span<float> scores, std::span<ScoreStatus> status,
                       const RunControl& control) const override {
        if (control.stopRequested())
            return fail(RunControl::cancelled("text_recency"));
        const auto judged = judgedBy(request);
        const auto own = newest(judged, noCode).value();
        for (std::size_t i = 0; i < request.candidates.size(); ++i) {
            if (i % 1024 == 0 && control.stopRequested())
                return fail(RunControl::cancelled("text_recency"));
            const auto shared = m_settings.byTags ? newest(judged, request.candidates[i]) : Rate{};
            scores[i] = static_cast<float>(shared.empty() ? own : shared.value());
            status[i] = ScoreStatus::ok;
        }
        return {};
    }

    std::string explain(const ScoreRequest& request, Code item) const override {
        const auto judged = judgedBy(request);
        const auto own = newest(judged, noCode);
        const auto shared = m_settings.byTags ? newest(judged, item) : Rate{};
        const auto& used = shared.empty() ? own : shared;
        return nlohmann::json{{"rateOf", shared.empty() ? "the user's newest judged items" : "those that share a tag with the item"},
                              {"likes", used.likes},
                              {"dislikes", used.dislikes},
                              {"rate", used.value()},
                              {"userRate", own.value()}}
            .dump();
    }

private:
    // Newest first; an item that was met several times counts with its newest event, as in prompts.
    static std::vector<Judged> judgedBy(const ScoreRequest& request) {
        std::vector<Judged> out;
        if (!plugin::isKnownUser(request.training, request.user))
            return out;
        const auto items = request.training.historyItems(request.user);
        const auto preference = request.training.historyPreference(request.user);
        std::unordered_set<Code> met;
        for (std::size_t i = items.size(); i-- > 0;) {
            if (!met.insert(items[i]).second)
                continue;
            if (preference[i] >= request.training.positiveFrom())
                out.push_back({items[i], true});
            else if (preference[i] <= request.training.negativeUpTo())
                out.push_back({items[i], false});
        }
        return out;
    }

    // Of the newest `window` that share a tag with `item`; of the newest `window` of all for noCode.
    Rate newest(const std::vector<Judged>& judged, Code item) const {
        Rate rate;
        for (const auto& one : judged) {
            if (static_cast<std::size_t>(rate.likes + rate.dislikes) >= m_settings.window)
                break;
            if (item == noCode || shareTag(one.item, item))
                ++(one.liked ? rate.likes : rate.dislikes);
        }
        return rate;
    }
    bool shareTag(Code a, Code b) const {
        const auto &one = m_tags[static_cast<std::size_t>(a)], &other = m_tags[static_cast<std::size_t>(b)];
        return std::any_of(one.begin(), one.end(), [&](int tag) { return std::find(other.begin(), other.end(), tag) != other.end(); });
    }

    Settings m_settings;
    std::vector<std::vector<int>> m_tags; // per item
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::scorer;
    out.id = "text_recency";
    out.name = "Like rate of newest items";
    out.summary =
        "How many of the user's newest judged items were liked, of all or of those that share a tag with the candidate: the control "
        "that every scorer which reads a history as text must beat. By user alone, all candidates of a user tie.";
    out.source =
        "ours: (likes + 1) / (likes + dislikes + 2), a control for few-shot yes/no claims such as TALLRec's (Bao et al., RecSys 2023)";
    out.twin = "llm_yes_no";
    out.parameters = {
        plugin::choice("by", "Rate of", {"tags", "user"}, "tags",
                       "tags: the user's items that share a tag or category with the candidate, and all of them where none does. user: all "
                       "of them, the same score for every candidate."),
        plugin::integer("window", "Window", 10, 1, 1000, "items",
                        "So many of the newest items that the user liked or disliked are counted; others do not fill it."),
        plugin::dataFields("fields", "Attributes used as tags",
                           "Which attributes make items alike; empty: those that look like categories."),
        plugin::scorerPlugin("retriever", "Candidates from", "sequence_rules",
                             "Where only some candidates are rated: the plain scorer whose best they are, behind which its order stays."),
        plugin::integer("count", "Candidates", 0, 0, 5000, "items",
                        "So many of the retriever's best items are rated, as by the scorer that this one is the control of; 0: all items."),
    };
    out.createScorer = [](const Parameters& p, const StageEnvironment&) -> Result<std::unique_ptr<Scorer>> {
        return std::make_unique<TextRecency>(Settings{static_cast<std::size_t>(p.integer("window")), p.text("by") == "tags",
                                                      p.list("fields"), p.text("retriever"), static_cast<int>(p.integer("count"))});
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
