// SPDX-License-Identifier: GPL-3.0-or-later
// Options of a placement study.
#include "experiment/placement_parameters.h"
#include "base/option_builders.h"

namespace carousel {

namespace {
ParameterSpec plugin(std::string id, std::string label, std::vector<std::string> choices) {
    choices.insert(choices.begin(), "twin");
    return oneOf(option(std::move(id), std::move(label), ParameterKind::choice, std::string("twin"),
                        "What stands there when the language model is on; twin: what the plugin itself names. A second [[strategy]] in a file says it with "
                        "all parameters."),
                 std::move(choices));
}
} // namespace

std::vector<ParameterSpec> placementParameters() {
    using Kind = ParameterKind;
    return {
        within(option("users", "Users", Kind::integer, std::int64_t(40), "Drawn with the seed, the same for every strategy; time grows with them."), 2, 1e9, "users"),
        within(option("seeds", "Seeds", Kind::integer, std::int64_t(1),
                      "Each draws users, ties of the split and candidates' order anew. With several, intervals also hold what changes from seed to seed."),
               1, 50, "seeds"),
        oneOf(option("design", "Design", Kind::choice, std::string("full"),
                     "full: all 16 combinations; half: 8 of them (controller = product of the other three, resolution IV): half the time, but pairs of places "
                     "cannot be told from each other, nor can shares be computed."),
              {"full", "half"}),
        oneOf(option("metric", "Judged by", Kind::choice, std::string("ndcg"), "ndcg: where the held-out item stands; value: what the carousel is worth under the carousel model."),
              {"ndcg", "value"}),
        within(option("k", "Places that count", Kind::integer, std::int64_t(10), "Held-out items behind the k-th place count nothing: nDCG at k."), 1, 100, "places"),
        within(option("window", "Visible slots", Kind::integer, std::int64_t(6), "Slots in view without a swipe, for the value shown."), 1, 1000, "slots"),
        within(option("smallestGain", "Smallest gain that matters", Kind::number, 0.005, "In the metric; a place that gains less does not pay."), 0, 1e6),
        within(option("mostSeconds", "Longest extra time", Kind::number, 2.0, "A place that helps but makes a request longer by more is too dear; 0: any time is accepted."), 0, 1e6, "s"),
        within(option("mostMoney", "Most extra money", Kind::number, 0.0, "For 1,000 requests, in the currency of the price; a place that costs more is too dear; 0: any."), 0, 1e9),
        within(option("pricePerMillion", "Price of a million tokens", Kind::number, 0.0, "Read and written ones alike; 0: money is left out."), 0, 1e6),
        within(option("watts", "Power of the busy machine", Kind::number, 15.0, "For the estimate of energy: seconds of a request times this; an idle machine's power is not taken off."), 0.1, 10000, "W"),
        within(option("costUsers", "Requests timed", Kind::integer, std::int64_t(8),
                      "So many of the users are asked once more by every strategy, nothing from kept answers, since kept answers cost nothing."),
               2, 10000, "users"),
        within(option("candidates", "Candidates of the scorer", Kind::integer, std::int64_t(20), "Items that the language model's scorer is asked about; its time grows with them."), 2, 5000, "items"),
        plugin("llmFeature", "Language model at features", {"llm_tags"}),
        plugin("llmEncoder", "At the encoder", {"sentence_encoder", "llm_hidden_state"}),
        plugin("llmScorer", "At the scorer", {"llm_yes_no", "llm_rating", "llm_listwise", "llm_pairwise", "llm_likelihood", "llm_generate"}),
        plugin("llmController", "At the controller", {"llm_planner"}),
        within(option("shots", "Worked examples", Kind::integer, std::int64_t(0),
                      "Few-shot beside zero-shot: every combination whose prompts have a place for worked examples (parameter shots) runs once more with so many of them, on the "
                      "same users; 0: the plugins as they are set."),
               0, 64, "examples"),
        within(option("coldUser", "Cold-start users", Kind::integer, std::int64_t(15), "A user with at most so many known events is new."), 0, 1e6, "events"),
        within(option("coldItem", "Cold items", Kind::integer, std::int64_t(30), "An item with at most so many known events is new."), 0, 1e6, "events"),
        within(option("draws", "Bootstrap draws", Kind::integer, std::int64_t(2000), "How often users (and seeds) are redrawn for an interval."), 100, 20000, "draws"),
        within(option("confidence", "Confidence", Kind::number, 0.95, "Of every interval."), 0.5, 0.999)};
}

} // namespace carousel
