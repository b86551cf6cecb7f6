// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/model_benchmark/task.h"
#include "base/random.h"
#include <array>

namespace carousel {

namespace {

constexpr std::array<const char*, 20> qualities{"Amber",  "Hollow",  "Second",    "Restless", "Northern", "Borrowed", "Velvet",
                                                "Sunken", "Patient", "Unwritten", "Copper",   "Late",     "Gentle",   "Scarlet",
                                                "Outer",  "Painted", "Salt",      "Winter",   "Nameless", "Bright"};
constexpr std::array<const char*, 20> things{"Lantern",    "Harvest",    "Archive", "Meridian",  "Tides",    "Cathedral", "Ferry",
                                             "Clockmaker", "Pilgrims",   "Valley",  "Ledger",    "Monsoon",  "Choir",     "Frontier",
                                             "Voyage",     "Masquerade", "Ember",   "Telegraph", "Gardener", "Horizon"};
constexpr std::array<const char*, 10> kinds{"drama",   "comedy",  "thriller", "science fiction", "documentary",
                                            "mystery", "western", "fantasy",  "war film",        "musical"};
constexpr std::array<const char*, 12> stories{
    "a nurse returns to her island", "two brothers restore a boat",   "a village hides its past",      "a cartographer loses her way",
    "a machine learns to sing",      "a quartet plays one last tour", "strangers share a night train", "a diver hears an old radio",
    "an heir opens a bakery",        "a judge doubts her verdict",    "miners dream of the sea",       "a translator keeps a secret"};

template <std::size_t n> const char* pick(const std::array<const char*, n>& words, RandomStream& random) {
    return words[random.below(n)];
}

std::string item(RandomStream& random) {
    // One call after the other: the order in which arguments are worked out is the compiler's.
    const std::string quality = pick(qualities, random), thing = pick(things, random);
    const auto year = 1960 + random.below(65);
    const std::string kind = pick(kinds, random), story = pick(stories, random);
    return fmt::format("{} {} ({}), {}: {}", quality, thing, year, kind, story);
}

std::string history(const std::vector<std::string>& liked, const std::vector<std::string>& disliked) {
    std::string text = "A viewer's ratings follow. Decide whether this viewer will like the film that is asked about.\nLiked:\n";
    for (const auto& each : liked)
        text += "- " + each + "\n";
    text += "Disliked:\n";
    for (const auto& each : disliked)
        text += "- " + each + "\n";
    return text + "Film:";
}

} // namespace

std::vector<BranchRequest> benchmarkPrompts(const BenchmarkTaskOptions& options,
                                            const std::function<std::int64_t(const std::string&)>& countTokens) {
    constexpr std::int64_t itemTokens = 22, frameTokens = 26; // an item; the template's own and its system message
    std::vector<BranchRequest> out;
    for (int p = 0; p < options.prompts; ++p) {
        RandomStream random(options.seed, "benchmark prompt", static_cast<std::uint64_t>(p));
        std::vector<std::string> liked, disliked;
        while (countTokens(history(liked, disliked)) + itemTokens / 2 + frameTokens < options.historyTokens)
            (random.uniform() < 0.6 ? liked : disliked).push_back(item(random));
        BranchRequest request;
        request.shared = {{"user", history(liked, disliked)}};
        for (int c = 0; c < options.candidates; ++c)
            request.branches.push_back(" " + item(random));
        request.tail = "\nLiked? Yes or No.";
        request.answers = {"Yes", "No"};
        out.push_back(std::move(request));
    }
    return out;
}

std::vector<std::string> benchmarkTexts(int count, std::uint64_t seed) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i) {
        RandomStream random(seed, "benchmark text", static_cast<std::uint64_t>(i));
        std::string text = item(random);
        for (auto more = random.below(5); more > 0; --more)
            text += fmt::format("; {} {}", pick(qualities, random), pick(things, random));
        out.push_back(std::move(text));
    }
    return out;
}

BenchmarkIds benchmarkIds(const std::vector<BranchRequest>& prompts, const ChatTemplate& chat) {
    BenchmarkIds out;
    const std::vector<TokenId> close = chat.closeAndOpenAssistant();
    for (const BranchRequest& prompt : prompts) {
        out.shared.push_back(chat.openLast(prompt.shared));
        out.branches.emplace_back();
        for (const std::string& branch : prompt.branches) {
            std::vector<TokenId> ids = chat.tokenizer().encode(branch + prompt.tail);
            ids.insert(ids.end(), close.begin(), close.end());
            out.branches.back().push_back(std::move(ids));
        }
    }
    if (!prompts.empty())
        for (const std::string& answer : prompts.front().answers)
            out.answers.push_back(chat.tokenizer().encode(answer).front());
    return out;
}

} // namespace carousel
