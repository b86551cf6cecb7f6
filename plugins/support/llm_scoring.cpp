// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/llm_scoring.h"
#include "support/item_text.h"
#include "support/specs.h"
#include <algorithm>
#include <numeric>

namespace carousel::plugin {

const char* const tasteText = "{{#anyLiked}}Liked, latest first:\n{{#liked}}- {{item}}\n{{/liked}}{{/anyLiked}}"
                              "{{#anyDisliked}}Disliked, latest first:\n{{#disliked}}- {{item}}\n{{/disliked}}{{/anyDisliked}}";

std::vector<ParameterSpec> askedParameters(ParameterSpec model, std::vector<ParameterSpec> own, std::int64_t count) {
    std::vector<ParameterSpec> out{
        std::move(model),
        scorerPlugin("retriever", "Candidates from", "sequence_rules",
                     "The plain scorer whose best items are asked about; the rest keeps its order."),
        integer("count", "Candidates", count, 1, 5000, "items",
                "So many of the retriever's best items are asked about; time grows with it."),
        integer("liked", "Liked items shown", 10, 0, 200, "items", "The newest liked items in the prompt; more tell more and cost more."),
        integer("disliked", "Disliked items shown", 5, 0, 200, "items", "The newest disliked items in the prompt."),
        choice("itemText", "Item text", {"title", "features"}, "title", "Titles alone, or the text that the feature place wrote."),
        integer("textLength", "Longest item text", 80, 10, 2000, "bytes", "Longer texts are cut."),
    };
    out.insert(out.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
    return out;
}

Result<Asked> askedFrom(const Parameters& p, const std::string& plugin) {
    if (p.text("retriever") == plugin)
        return fail(ErrorKind::input, "CL-6027",
                    fmt::format("{0}: parameter 'retriever' is '{0}', but a retriever must be cheap over the whole catalogue.", plugin),
                    "Choose a plain scorer such as sequence_rules.");
    Asked out;
    out.model = p.text("model");
    CAROUSEL_ASSIGN(out.prompt, PromptTemplate::parse(plugin, "prompt", p.text("prompt")));
    Shown& shown = out.shown;
    shown.retriever = p.text("retriever");
    shown.candidates = static_cast<int>(p.integer("count"));
    shown.liked = static_cast<std::size_t>(p.integer("liked")), shown.disliked = static_cast<std::size_t>(p.integer("disliked"));
    shown.textLength = static_cast<std::size_t>(p.integer("textLength"));
    shown.useFeatureText = p.text("itemText") == "features";
    if (p.has("shots")) {
        shown.shots = static_cast<std::size_t>(p.integer("shots"));
        shown.shotHistory = static_cast<std::size_t>(p.integer("shotHistory"));
    }
    return out;
}

Result<std::vector<std::string>> itemLines(const FitInput& input, const Shown& shown, const std::string& plugin,
                                           const RunControl& control) {
    std::vector<std::string> lines(input.training.itemCount());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i % 4096 == 0 && control.stopRequested())
            return fail(RunControl::cancelled(plugin));
        if (shown.useFeatureText && i < input.features.itemText.size())
            lines[i] = oneLine(input.features.itemText[i], shown.textLength);
        if (lines[i].empty())
            lines[i] = titleOf(input.training.items(), static_cast<Code>(i), shown.textLength);
    }
    return lines;
}

PromptValues tasteValues(const TrainingView& training, Code user, const std::vector<std::string>& lines, const Shown& shown,
                         std::size_t before) {
    const auto taste = tasteOf(training, user, shown.liked, shown.disliked, before);
    PromptValues values;
    const auto list = [&](const char* name, const char* any, const std::vector<Code>& items) {
        auto& rows = values.lists[name];
        for (const auto item : items)
            rows.push_back({{"item", lines[static_cast<std::size_t>(item)]}});
        values.texts[any] = items.empty() ? "" : "yes";
    };
    list("liked", "anyLiked", taste.liked);
    list("disliked", "anyDisliked", taste.disliked);
    return values;
}

void imputeFailed(std::span<float> scores, std::span<const ScoreStatus> status, std::optional<double> known) {
    std::vector<float> valid; // summed in order of size: the order of the candidates must not matter
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (!failed(status[i]))
            valid.push_back(scores[i]);
    std::sort(valid.begin(), valid.end());
    const double mean = known           ? *known
                        : valid.empty() ? 0.0
                                        : std::accumulate(valid.begin(), valid.end(), 0.0) / static_cast<double>(valid.size());
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (failed(status[i]))
            scores[i] = static_cast<float>(mean);
}

std::vector<double> rankShares(std::span<const float> values) {
    const auto n = values.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    std::vector<double> out(n, 0.5);
    for (std::size_t start = 0; n > 1 && start < n;) {
        auto end = start + 1;
        while (end < n && values[order[end]] == values[order[start]])
            ++end;
        for (auto i = start; i < end; ++i)
            out[order[i]] = 1 - (static_cast<double>(start + end - 1) / 2) / static_cast<double>(n - 1);
        start = end;
    }
    return out;
}

} // namespace carousel::plugin
