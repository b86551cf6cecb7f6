// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake_model.h"
#include "base/text.h"
#include "llm/generation/text_choice.h"
#include "llm/generation/token_search.h"
#include "stages/plugin.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace carousel::conformance {

namespace {
constexpr int width = 24;

std::uint64_t hashOf(std::string_view text, std::uint64_t start = 1469598103934665603ull) { // FNV-1a, then mixed
    std::uint64_t h = start;
    for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdull;
    return h ^ (h >> 33);
}
double unit(std::uint64_t hash) {
    return static_cast<double>(hash >> 11) * 0x1p-53;
}

std::string joined(const std::vector<ChatMessage>& messages) {
    std::string out;
    for (const auto& message : messages)
        out += message.role + "\x1f" + message.content + "\x1e";
    return out;
}
} // namespace

FakeModel::FakeModel() {
    m_info.id = "fake";
    m_info.title = "Hash of the text";
    m_info.sha256 = "fake";
    m_info.computeType = "hash";
    m_info.device = "cpu";
    m_info.width = width;
    m_info.contextLength = 2048;
    m_info.canChat = m_info.canEmbed = true;
}

std::int64_t FakeModel::countTokens(const std::string& text) const {
    return static_cast<std::int64_t>(split(text, ' ').size());
}

Result<Matrix> FakeModel::embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) {
    if (control.stopRequested())
        return fail(RunControl::cancelled("embed"));
    ++m_calls;
    Matrix out(texts.size(), width);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        auto row = out.row(i);
        row[0] = 1; // a common part, as real states have it
        for (const auto word : split(texts[i], ' '))
            for (std::size_t k = 0; k < row.size(); ++k)
                row[k] += static_cast<float>(unit(hashOf(word, k + (pooling == Pooling::last ? 99 : 1))) - 0.5);
        double sum = 0;
        for (const float v : row)
            sum += double(v) * v;
        for (float& v : row)
            v = static_cast<float>(v / std::sqrt(sum + 1e-12));
    }
    return out;
}

Result<Matrix> FakeModel::tokenEmbeddings(const std::vector<std::string>& texts, const RunControl& control) {
    return embed(texts, Pooling::mean, control);
}

Result<BranchScores> FakeModel::scoreBranches(const BranchRequest& request, const RunControl& control) {
    if (control.stopRequested())
        return fail(RunControl::cancelled("scoreBranches"));
    ++m_calls;
    BranchScores out;
    out.logits = Matrix(request.branches.size(), request.answers.size());
    const auto shared = joined(request.shared);
    out.prefixTokens = countTokens(shared);
    for (std::size_t i = 0; i < request.branches.size(); ++i) {
        auto prompt = shared + request.branches[i] + request.tail;
        const auto addRows = [&](const Matrix& rows) {
            prompt.append(reinterpret_cast<const char*>(rows.values.data()), rows.values.size() * sizeof(float));
        };
        addRows(request.injected);
        if (i < request.injectedOfBranch.size())
            addRows(request.injectedOfBranch[i]);
        out.branchTokens += countTokens(request.branches[i]);
        out.cachedTokens += out.prefixTokens;
        if (answer || answerTo) {
            const auto logits = answerTo ? answerTo(request, i) : answer(prompt, request.answers);
            std::copy(logits.begin(), logits.end(), out.logits.row(i).begin());
            out.answerMass.push_back(1.0f);
            out.truncated.push_back(0);
            continue;
        }
        for (std::size_t a = 0; a < request.answers.size(); ++a)
            out.logits.row(i)[a] = static_cast<float>(8 * unit(hashOf(prompt + "\x1d" + request.answers[a])) - 4);
        // One answer in nine is something other than what was asked for.
        out.answerMass.push_back(hashOf(prompt) % 9 == 0 ? 1e-5f : 0.6f);
        out.truncated.push_back(hashOf(prompt + "cut") % 13 == 0 ? 1 : 0);
    }
    return out;
}

Result<ContinuationScores> FakeModel::scoreContinuations(const ContinuationRequest& request, const RunControl& control) {
    if (control.stopRequested())
        return fail(RunControl::cancelled("scoreContinuations"));
    ++m_calls;
    ContinuationScores out;
    const auto prompt = joined(request.messages);
    out.promptTokens = countTokens(prompt);
    for (const auto& text : request.continuations) {
        const auto tokens = countTokens(text);
        out.tokens.push_back(static_cast<int>(tokens));
        out.logProbability.push_back(-static_cast<double>(tokens) * (0.2 + 6 * unit(hashOf(prompt + text))));
    }
    return out;
}

Result<Generated> FakeModel::generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl& control) {
    if (control.stopRequested())
        return fail(RunControl::cancelled("generate"));
    ++m_calls;
    Generated out;
    const auto prompt = joined(messages);
    out.promptTokens = countTokens(prompt);
    if (!options.oneOf.empty() && begins) {
        CAROUSEL_TRY(search(options, out, control));
        return out;
    }
    if (!options.oneOf.empty())
        for (const auto& text : std::set<std::string>(options.oneOf.begin(), options.oneOf.end()))
            out.sequences.push_back({text, -8 * unit(hashOf(prompt + "\x1d" + text)), 0, static_cast<int>(countTokens(text)), false});
    else
        for (int i = 0; i < options.sequences; ++i) {
            const auto text = write ? write(prompt) : fmt::format("{:x}", hashOf(prompt, options.seed + static_cast<std::uint64_t>(i)));
            for (const auto line : split(text, '\x1d')) // a writer may give several answers
                out.sequences.push_back({std::string(line), -1.0 - i, 0, 1, false});
        }
    for (auto& one : out.sequences)
        one.score = one.logProbability / std::pow(std::max(1, one.tokens), options.lengthPenalty);
    if (!options.oneOf.empty())
        std::stable_sort(out.sequences.begin(), out.sequences.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    if (out.sequences.size() > static_cast<std::size_t>(options.sequences))
        out.sequences.resize(static_cast<std::size_t>(options.sequences));
    out.text = out.sequences.front().text;
    out.generatedTokens = std::ssize(out.sequences);
    return out;
}

// The program's own beam search and trie, over bytes.
Result<void> FakeModel::search(const GenerateOptions& options, Generated& out, const RunControl& control) {
    constexpr TokenId end = 256;
    CAROUSEL_ASSIGN(auto choice, TextChoice::make(
                                     options.oneOf,
                                     [](const std::string& text) {
                                         std::vector<TokenId> ids;
                                         for (const char c : text)
                                             ids.push_back(static_cast<unsigned char>(c));
                                         return ids;
                                     },
                                     control));
    SearchTask task;
    task.options = options, task.ends = {end}, task.limit = 1000, task.constraint = &choice;
    task.bytesOf = [](TokenId id) { return std::string(1, static_cast<char>(id)); };
    const NextLogits next = [this](std::span<const std::vector<TokenId>> begun, const RunControl&) -> Result<Matrix> {
        Matrix logits(begun.size(), end + 1);
        for (std::size_t i = 0; i < begun.size(); ++i) {
            std::string text;
            for (const auto id : begun[i])
                text += static_cast<char>(id);
            for (int byte = 0; byte < end; ++byte)
                logits.row(i)[static_cast<std::size_t>(byte)] = begins(text, static_cast<char>(byte));
            logits.row(i)[end] = begins(text, '\0');
        }
        return logits;
    };
    CAROUSEL_ASSIGN(const auto found, searchAnswers(next, task, control));
    for (const auto& one : found)
        out.sequences.push_back({options.oneOf.at(static_cast<std::size_t>(choice.textOf(*one.state))), one.logProbability, one.score,
                                 static_cast<int>(one.tokens.size()), false});
    out.text = out.sequences.front().text;
    out.generatedTokens = std::ssize(out.sequences);
    return {};
}

Result<HiddenVectors> FakeModel::hiddenStates(const HiddenRequest& request, const RunControl& control) {
    if (control.stopRequested())
        return fail(RunControl::cancelled("hiddenStates"));
    ++m_calls;
    HiddenVectors out;
    out.rows = Matrix(request.branches.size(), width);
    const auto shared = joined(request.shared);
    out.prefixTokens = countTokens(shared);
    for (std::size_t i = 0; i < request.branches.size(); ++i) {
        const auto prompt = (request.pooling == Pooling::last ? "last" : "mean") + shared + request.branches[i] + request.tail;
        for (std::size_t k = 0; k < width; ++k)
            out.rows.row(i)[k] = static_cast<float>(4 * unit(hashOf(prompt, k + 7)) - 2);
        if (hashOf(prompt) % 9 == 0)
            out.rows.row(i)[0] = std::nanf("");
        out.truncated.push_back(hashOf(prompt + "cut") % 13 == 0 ? 1 : 0);
        out.branchTokens += countTokens(request.branches[i]);
    }
    return out;
}

StageEnvironment Bench::environment(std::uint64_t seed) {
    StageEnvironment out;
    out.languageModel = [this](const std::string& id) -> Result<LanguageModel*> {
        ++opened;
        if (modelMissing)
            return fail(ErrorKind::input, "CL-2070", "The model '" + id + "' is not there.", "Fetch it.");
        return &model;
    };
    out.cost = &cost;
    out.seed = seed;
    static const auto registry = PluginRegistry::load();
    out.plainScorer = plainScorers(registry, out);
    out.otherScorer = otherScorers(registry, out);
    return out;
}

} // namespace carousel::conformance
