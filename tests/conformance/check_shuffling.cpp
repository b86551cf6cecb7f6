// SPDX-License-Identifier: GPL-3.0-or-later
// Where several candidates stand in one prompt, their order is drawn unless the analyst says otherwise: a model that prefers the first
// place must not be handed the retriever's order, or the catalogue's, as its answer. Which scorers do so is found by reading their prompts.
#include "base/text.h"
#include "checks.h"
#include "prompt_checks.h"
#include <algorithm>
#include <cctype>
#include <cmath>
#include <mutex>
#include <numeric>

namespace carousel::conformance {

namespace {

constexpr Code candidates = 6; // few enough for one prompt of every scorer

// Codes of the candidates in the order in which a prompt names them, "i0" to "i5"; the history holds others.
std::vector<Code> shownIn(const std::string& whatWasRead) {
    // The fake model reads vectors inside a prompt as bytes behind its words; by chance they spell an item.
    const std::string prompt = whatWasRead.substr(0, firstInvalidUtf8(whatWasRead));
    std::vector<std::pair<std::size_t, Code>> places;
    for (Code item = 0; item < candidates; ++item) {
        const std::string id = fmt::format("i{}", item);
        for (auto at = prompt.find(id); at != std::string::npos; at = prompt.find(id, at + 1)) {
            const auto end = at + id.size();
            const bool whole = (at == 0 || !std::isalnum(static_cast<unsigned char>(prompt[at - 1]))) &&
                               (end == prompt.size() || !std::isalnum(static_cast<unsigned char>(prompt[end])));
            if (whole) {
                places.push_back({at, item});
                break;
            }
        }
    }
    std::sort(places.begin(), places.end());
    std::vector<Code> out;
    for (const auto& [at, item] : places)
        out.push_back(item);
    return out;
}

} // namespace

void checkShuffling(const PluginRegistry& registry, Report& report) {
    std::vector<std::vector<Code>> histories;
    for (Code u = 0; u < 24; ++u)
        histories.push_back({static_cast<Code>(10 + u % 7), static_cast<Code>(20 + u % 5)});
    const auto data = sequencesData(30, histories);
    std::vector<std::string> several;
    for (const auto& entry : registry.all()) {
        if (entry.manifest.kind != StageKind::scorer || !entry.manifest.usesLanguageModel)
            continue;
        std::vector<std::vector<Code>> shown;
        std::mutex mutex;
        const auto note = [&](const std::string& prompt) {
            const std::scoped_lock lock(mutex);
            if (auto order = shownIn(prompt); order.size() > 1)
                shown.push_back(std::move(order));
        };
        Bench bench;
        bench.model.answer = [&](const std::string& prompt, const std::vector<std::string>& answers) {
            note(prompt);
            std::vector<float> logits(answers.size());
            std::iota(logits.rbegin(), logits.rend(), 0.0f);
            return logits;
        };
        bench.model.write = [&](const std::string& prompt) {
            note(prompt);
            return std::string("A > B > C > D > E > F");
        };
        const auto features = plainFeatures(registry, data);
        const auto embeddings = freeVectors(registry, data);
        std::vector<Code> items(candidates);
        std::iota(items.begin(), items.end(), 0);
        const std::vector<float> retrieved{6, 5, 4, 3, 2, 1};
        const auto scorer = must(entry.manifest.createScorer(defaultsOf(entry), bench.environment()));
        must(scorer->fit({data.training, features, embeddings}, {}));
        shown.clear(); // what it asked to learn is not an order of candidates
        for (Code user = 0; user < static_cast<Code>(histories.size()); ++user) {
            std::vector<float> scores(items.size());
            std::vector<ScoreStatus> status(items.size());
            must(scorer->score({user, items, data.training, retrieved}, scores, status, {}));
        }
        if (shown.empty())
            continue;
        several.push_back(entry.manifest.id);
        report.check(label(entry), "several candidates in a prompt stand in an order that is drawn", [&]() -> std::string {
            // Shares of showings in which the lower code stands before the next one, for every two neighbours of the catalogue: 1 where the
            // order is the catalogue's or the retriever's, one half where it is drawn or asked in both orders.
            std::size_t before = 0, pairs = 0;
            std::vector<std::size_t> first(candidates, 0);
            for (const auto& order : shown) {
                ++first[static_cast<std::size_t>(order.front())];
                for (std::size_t i = 0; i < order.size(); ++i)
                    for (std::size_t j = i + 1; j < order.size(); ++j)
                        ++pairs, before += order[i] < order[j];
            }
            const double share = static_cast<double>(before) / static_cast<double>(pairs);
            const auto [least, most] = std::minmax_element(first.begin(), first.end());
            const double mostFirst = static_cast<double>(*most) / static_cast<double>(shown.size());
            return std::abs(share - 0.5) < 0.15 && *least > 0 && mostFirst < 0.5
                       ? ""
                       : fmt::format("the catalogue's order in {:.2f} of the pairs, the same item first in {:.2f} of {} prompts", share,
                                     mostFirst, shown.size());
        });
    }
    report.check("scorers with several candidates in a prompt", "are found", [&]() -> std::string {
        for (const char* id : {"llm_listwise", "llm_pairwise"})
            if (std::find(several.begin(), several.end(), id) == several.end())
                return fmt::format("{} is not among: {}", id, fmt::join(several, ", "));
        return "";
    });
}

} // namespace carousel::conformance
