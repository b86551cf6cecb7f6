// SPDX-License-Identifier: GPL-3.0-or-later
// How fast candidates are scored, and what sharing the prefix is worth: bench_scoring [fp32|bf16|int16|auto] [candidates] [repeats].
// How fast texts become vectors: bench_scoring embed [fp32|bf16] [texts] [repeats].
// Prints medians; ratios between lines of one run mean more than the numbers themselves.
#include "base/paths.h"
#include "llm/model_host.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace carousel;

namespace {

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::string memoryLine(const std::string& key) { // of /proc/self/status, "VmHWM:  123 kB"
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind(key, 0) == 0)
            return line.substr(line.find_first_of("0123456789"));
    return "unknown";
}

BranchRequest request(const LanguageModel& model, int candidates, int variant) {
    BranchRequest out;
    std::string history = "Items this customer bought, the latest first:\n";
    for (int i = 0; model.countTokens(history) < 270; ++i)
        history += fmt::format("- article {} of series {}, {} euro\n", i * 31 % 17 + variant, i, 5 + i * 7 % 90);
    out.shared = {{"user", history + "Target: "}};
    // Titles begin as differently as those of a catalogue do: what they share is computed once and would flatter the figure.
    const char* const makers[] = {"Arden", "Birch", "Coral", "Delta", "Ember", "Fjord", "Grove", "Haven", "Indigo", "Juniper"};
    const char* const kinds[] = {"travel", "desk", "garden", "reading", "floor", "wall", "camping", "bicycle", "night", "piano"};
    for (int i = 0; i < candidates; ++i)
        out.branches.push_back(fmt::format("{} {} lamp model {}, warm light, for {} nights", makers[i % 10], kinds[i / 10 % 10], i, i % 9 + 2));
    out.tail = "\nWill the customer like it? Answer Yes or No.";
    out.answers = {"Yes", "No"};
    return out;
}

bool failed(const Error& error) {
    std::fprintf(stderr, "%s\n", describe(error).c_str());
    return true;
}

// Texts of 7 to 37 tokens, 22 on average, in no order.
int embed(const std::string& type, int count, int repeats) {
    OpenOptions options;
    options.computeType = type;
    ModelHost host(options, ModelShelf(), programFolder() + "/../lib");
    auto opened = host.languageModel("all-minilm-l6-v2");
    if (!opened)
        return failed(opened.error());
    std::vector<std::string> texts;
    double tokens = 0;
    const char* words[] = {"lamp", "travel", "night", "warm", "river", "story", "music", "garden", "winter", "simple", "paper", "light"};
    for (int i = 0; i < count; ++i) {
        std::string text;
        for (int word = 0; word < 5 + i * 7919 % 31; ++word)
            text += std::string(words[(i * 31 + word * 17 + word * word) % 12]) + " ";
        tokens += static_cast<double>((*opened)->countTokens(text) + 2);
        texts.push_back(std::move(text));
    }
    std::vector<double> rates;
    for (int i = -1; i < repeats; ++i) {
        const double before = seconds();
        if (const auto vectors = (*opened)->embed(texts, Pooling::mean, {}); !vectors)
            return failed(vectors.error());
        if (i >= 0)
            rates.push_back(count / (seconds() - before));
    }
    std::printf("%s, %s\n%d texts of %.1f tokens: %8.1f texts/s (median of %d)\n", host.moduleDescription().c_str(),
                (*opened)->info().computeType.c_str(), count, tokens / count, median(rates), repeats);
    return 0;
}

} // namespace

int main(int count, char** arguments) {
    if (count > 1 && std::string(arguments[1]) == "embed")
        return embed(count > 2 ? arguments[2] : "fp32", count > 3 ? std::max(1, std::atoi(arguments[3])) : 1000,
                     count > 4 ? std::max(1, std::atoi(arguments[4])) : 5);
    OpenOptions options;
    options.computeType = count > 1 ? arguments[1] : "auto";
    const int candidates = count > 2 ? std::max(1, std::atoi(arguments[2])) : 50,
              repeats = count > 3 ? std::max(1, std::atoi(arguments[3])) : 5;
    const double start = seconds();
    ModelHost host(options, ModelShelf(), programFolder() + "/../lib");
    auto opened = host.languageModel("smollm2-135m-instruct");
    if (!opened)
        return failed(opened.error());
    LanguageModel& model = **opened;
    std::printf("%s, %s: opened in %.2f s\n", host.moduleDescription().c_str(), model.info().computeType.c_str(), seconds() - start);

    std::vector<double> shared, kept;
    BranchScores scores;
    for (int i = -1; i < repeats; ++i) { // the first round warms up; every round has another prefix, then the same one again
        const BranchRequest asked = request(model, candidates, i + 1);
        double before = seconds();
        auto first = model.scoreBranches(asked, {});
        const double fresh = seconds() - before;
        before = seconds();
        auto second = model.scoreBranches(asked, {});
        if (!first || !second)
            return failed((first ? second : first).error());
        if (i >= 0) {
            shared.push_back(candidates / fresh);
            kept.push_back(candidates / (seconds() - before));
        }
        scores = std::move(*first);
    }
    std::printf("prefix %lld tokens, %d candidates of %.1f tokens that others do not begin with\n",
                static_cast<long long>(scores.prefixTokens + scores.cachedTokens), candidates, static_cast<double>(scores.branchTokens) / candidates);
    std::printf("prefix computed once         %8.2f candidates/s (median of %d)\n", median(shared), repeats);
    std::printf("prefix kept from last call   %8.2f candidates/s\n", median(kept));

    const BranchRequest asked = request(model, std::min(candidates, 10), 0);
    std::vector<double> naive;
    for (std::size_t i = 0; i < asked.branches.size(); ++i) {
        BranchRequest whole = asked;
        // Another first character each time, so that nothing of the prompt before can be reused.
        whole.shared.back().content =
            std::string(1, static_cast<char>('A' + i)) + whole.shared.back().content + asked.branches[i] + asked.tail;
        whole.branches = {""};
        whole.tail.clear();
        const double before = seconds();
        if (const auto result = model.scoreBranches(whole, {}); !result)
            return failed(result.error());
        naive.push_back(1 / (seconds() - before));
    }
    std::printf("one prompt per candidate     %8.2f candidates/s\n", median(naive));
    std::printf("ratio shared / one by one    %8.2f\n", median(shared) / median(naive));
    std::printf("resident memory at most %s\n", memoryLine("VmHWM").c_str());
    ModelHost again(options, ModelShelf(), programFolder() + "/../lib"); // libraries and file are in memory now: what the model takes
    const double before = seconds();
    if (const auto result = again.languageModel("smollm2-135m-instruct"); !result)
        return failed(result.error());
    std::printf("opened a second time in %.2f s\n", seconds() - before);
    return 0;
}
