// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/speed_probe.h"
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

namespace carousel {

namespace {

constexpr std::array<const char*, 12> goods{"dome tent for two", "cast iron pan",   "trail running shoes", "science fiction novel", "desk lamp",
                                            "burr grinder",      "wool blanket",    "garden gloves",       "bluetooth speaker",     "rain jacket",
                                            "dark chocolate",    "mechanical watch"};
constexpr std::array<const char*, 5> traits{"light and easy to carry", "made to last", "in a calm colour", "on sale this week", "liked by many"};

std::string item(std::size_t n) { return fmt::format("{}, {}, no. {}", goods[n % goods.size()], traits[n % traits.size()], n * 37 % 991); }

// Items one after another until the text has about `tokens` tokens.
std::string textOf(const LanguageModel& model, std::size_t seed, std::int64_t tokens) {
    std::string text = item(seed);
    for (std::size_t n = 1; n < 4096 && model.countTokens(text) < tokens; ++n)
        text += "; " + item(seed + n * 5);
    return text;
}

double seconds(const std::function<Result<void>()>& work, Result<void>& outcome) {
    const auto begin = std::chrono::steady_clock::now();
    outcome = work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace

Result<SpeedRecord> measureSpeed(LanguageModel& model, const SpeedProbe& probe, const RunControl& control) {
    const auto& info = model.info();
    if (!info.canChat && !info.canEmbed)
        return fail(ErrorKind::usage, "CL-2078", fmt::format("'{}' neither scores nor embeds.", info.id), "Choose another model.");
    SpeedRecord record;
    const auto count = static_cast<std::size_t>(probe.candidates);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i)
        texts.push_back(textOf(model, i * 3 + 1, probe.candidateTokens));
    for (const auto& text : texts)
        record.candidateTokens += model.countTokens(text);
    record.candidateTokens /= std::max<std::int64_t>(1, probe.candidates);
    record.candidates = probe.candidates;
    const std::int64_t prompt = std::min(probe.promptTokens, std::max<std::int64_t>(16, info.contextLength / 2));

    const auto once = [&](std::size_t run, std::size_t candidates) -> Result<void> {
        const std::vector<std::string> part(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(std::min(candidates, texts.size())));
        if (!info.canChat)
            return model.embed(part, Pooling::mean, control).map([](const Matrix&) {});
        BranchRequest request;
        const std::string history = textOf(model, run * 17 + 5, prompt);
        record.promptTokens = model.countTokens(history);
        request.shared = {{"system", "You judge whether a visitor of a shop would like a product."},
                          {"user", fmt::format("Visitor {} liked: {}. Would they like this: ", run + 1, history)}};
        request.branches = part;
        request.tail = "? Answer Yes or No.";
        request.answers = {"Yes", "No"};
        return model.scoreBranches(request, control).map([](const BranchScores&) {});
    };

    Result<void> outcome;
    double spent = seconds([&] { return once(1000, 4); }, outcome); // plans, buffers and caches are made on first use
    CAROUSEL_TRY(outcome);
    std::vector<double> rates;
    for (int run = 0; run < std::max(1, probe.runs) && (run == 0 || spent < probe.budgetSeconds); ++run) {
        const double took = seconds([&] { return once(static_cast<std::size_t>(run), count); }, outcome);
        CAROUSEL_TRY(outcome);
        spent += took;
        rates.push_back(static_cast<double>(count) / std::max(took, 1e-9));
        control.report("Measuring", run + 1, probe.runs, "runs");
    }
    std::sort(rates.begin(), rates.end());
    record.runs = static_cast<int>(rates.size());
    record.slowest = rates.front();
    record.fastest = rates.back();
    const double median = (rates[(rates.size() - 1) / 2] + rates[rates.size() / 2]) / 2;
    (info.canChat ? record.candidatesPerSecond : record.textsPerSecond) = median;
    return record;
}

} // namespace carousel
