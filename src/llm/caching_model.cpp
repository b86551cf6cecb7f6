// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/caching_model.h"
#include "base/hash.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>

namespace carousel {

namespace {

// Raised when the arithmetic or the layout of stored answers changes, so that old answers are no longer found.
constexpr const char* layout = "carousel-answer-1";

class Key {
public:
    Key(const ModelInfo& model, std::string_view call) {
        m_hash.addField(layout)
            .addField(model.sha256.empty() ? model.file : model.sha256)
            .addField(model.computeType)
            .addField(model.device)
            .addField(call);
    }
    Key& text(std::string_view value) {
        m_hash.addField(value);
        return *this;
    }
    template <class T> Key& number(T value) {
        m_hash.addValues(std::span<const T>(&value, 1));
        return *this;
    }
    Key& texts(const std::vector<std::string>& values) {
        number(static_cast<std::uint64_t>(values.size()));
        for (const auto& value : values)
            text(value);
        return *this;
    }
    Key& messages(const std::vector<ChatMessage>& values) {
        number(static_cast<std::uint64_t>(values.size()));
        for (const auto& value : values)
            text(value.role).text(value.content);
        return *this;
    }
    Key& matrix(const Matrix& value) {
        number(static_cast<std::uint64_t>(value.rows)).number(static_cast<std::uint64_t>(value.columns));
        m_hash.addValues(std::span<const float>(value.values));
        return *this;
    }
    std::string hex() { return m_hash.hex(); }

private:
    Sha256 m_hash;
};

template <class T> void put(std::string& bytes, T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T> T get(const std::string& bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

// Which of the asked are known, and which remain: each missing key once, however often it was asked.
struct LookUp {
    std::vector<std::string> keys;
    std::map<std::string, std::string> known;
    std::vector<std::size_t> missing;                // index of the first asker of each missing key
    std::map<std::string, std::size_t> missingPlace; // key -> place in `missing`

    template <class Usable> LookUp(CompletionCache* cache, std::vector<std::string> asked, Usable usable) : keys(std::move(asked)) {
        if (cache)
            known = cache->find(keys);
        std::erase_if(known, [&](const auto& entry) { return !usable(entry.first, entry.second); }); // another layout or damage: computed again
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (!known.count(keys[i]) && missingPlace.emplace(keys[i], missing.size()).second)
                missing.push_back(i);
    }
    Cost cost() const {
        Cost cost;
        cost.cacheMisses = static_cast<std::int64_t>(missing.size());
        cost.cacheHits = static_cast<std::int64_t>(keys.size() - missing.size());
        return cost;
    }
};

class Clock {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count(); }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

Result<void> keep(CompletionCache* cache, const std::map<std::string, std::string>& answers) {
    if (!cache || answers.empty())
        return {};
    return cache->store(answers);
}

tl::unexpected<Error> shortAnswer(const ModelInfo& model, std::size_t wanted, std::size_t got) {
    return fail(ErrorKind::internal, "CL-2083", fmt::format("The model '{}' gave {} answers to {} questions.", model.id, got, wanted),
                "Please report this.");
}

} // namespace

Result<Matrix> CachingModel::embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) {
    const std::size_t width = static_cast<std::size_t>(info().width);
    std::vector<std::string> keys;
    for (const auto& text : texts)
        keys.push_back(Key(info(), "embed").number(static_cast<std::int32_t>(pooling)).text(text).hex());
    LookUp look(m_cache, std::move(keys), [&](const std::string&, const std::string& bytes) { return bytes.size() == width * sizeof(float); });
    Cost cost = look.cost();
    if (!look.missing.empty()) {
        std::vector<std::string> asked;
        for (const auto i : look.missing)
            asked.push_back(texts[i]);
        const Clock clock;
        CAROUSEL_ASSIGN(const Matrix computed, m_model.embed(asked, pooling, control));
        cost.modelSeconds = clock.seconds();
        cost.modelCalls = 1;
        for (const auto& text : asked)
            cost.promptTokens += m_model.countTokens(text);
        if (computed.rows != asked.size() || computed.columns != width)
            return shortAnswer(info(), asked.size(), computed.rows);
        std::map<std::string, std::string> fresh;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const auto row = computed.row(i);
            fresh.emplace(look.keys[look.missing[i]], std::string(reinterpret_cast<const char*>(row.data()), row.size_bytes()));
        }
        CAROUSEL_TRY(keep(m_cache, fresh));
        look.known.merge(fresh);
    }
    Matrix result(texts.size(), width);
    for (std::size_t i = 0; i < texts.size(); ++i)
        std::memcpy(result.row(i).data(), look.known.at(look.keys[i]).data(), width * sizeof(float));
    if (m_cost)
        m_cost->add(cost);
    return result;
}

namespace {

// How a branch's answer is stored: the answers' logits, their mass, and a byte of flags.
struct StoredBranch {
    static constexpr std::uint8_t truncatedFlag = 1, censoredFlag = 2;

    static std::size_t size(std::size_t answers) { return (answers + 1) * sizeof(float) + 1; }
    static std::string bytes(std::span<const float> logits, float mass, bool truncated, bool censored) {
        std::string out(reinterpret_cast<const char*>(logits.data()), logits.size_bytes());
        put(out, mass);
        put(out, static_cast<std::uint8_t>((truncated ? truncatedFlag : 0) | (censored ? censoredFlag : 0)));
        return out;
    }
    // A failed answer is passed on, never kept.
    static bool lasts(ScoreStatus status, std::span<const float> logits, float mass) {
        return status != ScoreStatus::missing && status != ScoreStatus::invalid && std::isfinite(mass) &&
               std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); });
    }
};

} // namespace

Result<BranchScores> CachingModel::scoreBranches(const BranchRequest& request, const RunControl& control) {
    CAROUSEL_ASSIGN(std::vector<BranchScores> scores, scoreBranchesOf(std::span(&request, 1), control));
    return std::move(scores.front());
}

Result<std::vector<BranchScores>> CachingModel::scoreBranchesOf(std::span<const BranchRequest> requests, const RunControl& control) {
    std::vector<std::string> keys;
    std::vector<std::size_t> requestOf, branchOf; // by key
    std::map<std::string, std::size_t> answersOf; // how many answers the bytes of a key hold
    for (std::size_t r = 0; r < requests.size(); ++r) {
        const BranchRequest& request = requests[r];
        Key shared(info(), "branches");
        shared.messages(request.shared).text(request.tail).texts(request.answers).texts(request.answerForms);
        if (request.injects()) // what is answered without vectors keeps the keys it had before there were any
            shared.matrix(request.injected);
        const std::string common = shared.hex();
        for (std::size_t b = 0; b < request.branches.size(); ++b) {
            Key branch(info(), "branch");
            branch.text(common).text(request.branches[b]);
            if (b < request.injectedOfBranch.size())
                branch.matrix(request.injectedOfBranch[b]);
            keys.push_back(branch.hex());
            answersOf.emplace(keys.back(), request.answers.size());
            requestOf.push_back(r);
            branchOf.push_back(b);
        }
    }
    LookUp look(m_cache, std::move(keys), [&](const std::string& key, const std::string& bytes) {
        return bytes.size() == StoredBranch::size(answersOf.at(key));
    });
    Cost cost = look.cost();
    cost.scoredCandidates = static_cast<std::int64_t>(look.keys.size());
    std::vector<BranchScores> results(requests.size());
    for (BranchScores& result : results)
        result.calls = 0;
    std::map<std::string, std::pair<ScoreStatus, std::string>> failures; // by key
    if (!look.missing.empty()) {
        std::vector<BranchRequest> asked;
        std::vector<std::size_t> askedFor;            // the request that each stands for
        std::vector<std::vector<std::size_t>> places; // by asked request: the missing keys of its branches
        for (const std::size_t i : look.missing) {    // in the order of the requests
            if (askedFor.empty() || askedFor.back() != requestOf[i]) {
                askedFor.push_back(requestOf[i]);
                asked.push_back(requests[requestOf[i]]);
                asked.back().branches.clear();
                asked.back().injectedOfBranch.clear();
                places.emplace_back();
            }
            asked.back().branches.push_back(requests[requestOf[i]].branches[branchOf[i]]);
            if (const auto& rows = requests[requestOf[i]].injectedOfBranch; branchOf[i] < rows.size())
                asked.back().injectedOfBranch.push_back(rows[branchOf[i]]);
            places.back().push_back(i);
        }
        std::vector<std::uint8_t> kept(look.keys.size(), 0);
        for (std::size_t a = 0; a < asked.size(); ++a)
            asked[a].whenAnswered = [&, a](std::size_t branch, const BranchAnswer& answer) -> Result<void> {
                if (branch >= places[a].size() || answer.logits.size() != asked[a].answers.size() ||
                    !StoredBranch::lasts(answer.status, answer.logits, answer.answerMass))
                    return {};
                const std::size_t place = places[a][branch];
                CAROUSEL_TRY(keep(m_cache, {{look.keys[place], StoredBranch::bytes(answer.logits, answer.answerMass,
                                                                                   answer.status == ScoreStatus::truncated, answer.censored)}}));
                kept[place] = 1;
                return {};
            };
        const Clock clock;
        CAROUSEL_ASSIGN(const std::vector<BranchScores> computed, m_model.scoreBranchesOf(asked, control));
        cost.modelSeconds = clock.seconds();
        if (computed.size() != asked.size())
            return shortAnswer(info(), asked.size(), computed.size());
        std::map<std::string, std::string> fresh, lasting;
        for (std::size_t a = 0; a < asked.size(); ++a) {
            const BranchScores& scores = computed[a];
            const std::size_t n = asked[a].branches.size();
            auto fits = [&](const auto& list) { return list.empty() || list.size() == n; };
            if (scores.logits.rows != n || scores.logits.columns != asked[a].answers.size() || scores.answerMass.size() != n ||
                scores.truncated.size() != n || !fits(scores.status) || !fits(scores.censored) || !fits(scores.reasons))
                return shortAnswer(info(), n, scores.logits.rows);
            for (std::size_t i = 0; i < n; ++i) {
                const auto row = scores.logits.row(i);
                const std::string& key = look.keys[places[a][i]];
                const ScoreStatus status = scores.status.empty() ? ScoreStatus::ok : scores.status[i];
                std::string bytes = StoredBranch::bytes(row, scores.answerMass[i], scores.truncated[i] != 0,
                                                        !scores.censored.empty() && scores.censored[i] != 0);
                if (!kept[places[a][i]] && StoredBranch::lasts(status, row, scores.answerMass[i]))
                    lasting.emplace(key, bytes);
                if (scores.missing(i))
                    failures[key] = {status, scores.reasons.empty() ? std::string() : scores.reasons[i]};
                fresh.emplace(key, std::move(bytes));
            }
            BranchScores& result = results[askedFor[a]];
            result.calls = scores.calls;
            result.prefixTokens = scores.prefixTokens;
            result.branchTokens = scores.branchTokens;
            result.cachedTokens = scores.cachedTokens;
            cost.modelCalls += scores.calls;
            cost.promptTokens += scores.prefixTokens + scores.branchTokens;
            cost.sharedTokens += scores.cachedTokens;
        }
        CAROUSEL_TRY(keep(m_cache, lasting));
        look.known.merge(fresh);
    }
    for (std::size_t r = 0; r < requests.size(); ++r)
        results[r].logits = Matrix(requests[r].branches.size(), requests[r].answers.size());
    for (std::size_t i = 0; i < look.keys.size(); ++i) {
        BranchScores& result = results[requestOf[i]];
        const std::string& bytes = look.known.at(look.keys[i]);
        const std::size_t answers = result.logits.columns;
        if (answers > 0)
            std::memcpy(result.logits.row(branchOf[i]).data(), bytes.data(), answers * sizeof(float));
        result.answerMass.push_back(get<float>(bytes, answers * sizeof(float)));
        const auto flags = get<std::uint8_t>(bytes, (answers + 1) * sizeof(float));
        result.truncated.push_back((flags & StoredBranch::truncatedFlag) != 0);
        result.censored.push_back((flags & StoredBranch::censoredFlag) != 0);
        const auto failed = failures.find(look.keys[i]);
        const bool truncated = result.truncated.back() != 0;
        result.status.push_back(failed != failures.end() ? failed->second.first : truncated ? ScoreStatus::truncated : ScoreStatus::ok);
        result.reasons.push_back(failed != failures.end() ? failed->second.second : std::string());
    }
    if (m_cost)
        m_cost->add(cost);
    return results;
}

Result<ContinuationScores> CachingModel::scoreContinuations(const ContinuationRequest& request, const RunControl& control) {
    std::vector<std::string> keys;
    const std::string common = Key(info(), "continuations").messages(request.messages).hex();
    for (const auto& continuation : request.continuations)
        keys.push_back(Key(info(), "continuation").text(common).text(continuation).hex());
    constexpr std::size_t stored = sizeof(double) + sizeof(std::int32_t);
    LookUp look(m_cache, std::move(keys), [](const std::string&, const std::string& bytes) { return bytes.size() == stored; });
    Cost cost = look.cost();
    cost.scoredCandidates = static_cast<std::int64_t>(request.continuations.size());
    ContinuationScores result;
    if (!look.missing.empty()) {
        ContinuationRequest asked{request.messages, {}};
        for (const auto i : look.missing)
            asked.continuations.push_back(request.continuations[i]);
        const Clock clock;
        CAROUSEL_ASSIGN(const ContinuationScores computed, m_model.scoreContinuations(asked, control));
        cost.modelSeconds = clock.seconds();
        cost.modelCalls = 1;
        const std::size_t n = asked.continuations.size();
        if (computed.logProbability.size() != n || computed.tokens.size() != n)
            return shortAnswer(info(), n, computed.logProbability.size());
        std::map<std::string, std::string> fresh, lasting;
        cost.promptTokens = computed.promptTokens;
        cost.sharedTokens = computed.cachedTokens;
        for (std::size_t i = 0; i < n; ++i) {
            std::string bytes;
            put(bytes, computed.logProbability[i]);
            put(bytes, static_cast<std::int32_t>(computed.tokens[i]));
            cost.promptTokens += computed.tokens[i];
            if (std::isfinite(computed.logProbability[i]))
                lasting.emplace(look.keys[look.missing[i]], bytes);
            fresh.emplace(look.keys[look.missing[i]], std::move(bytes));
        }
        CAROUSEL_TRY(keep(m_cache, lasting));
        look.known.merge(fresh);
        result.promptTokens = computed.promptTokens;
        result.cachedTokens = computed.cachedTokens;
    }
    for (const auto& key : look.keys) {
        const std::string& bytes = look.known.at(key);
        result.logProbability.push_back(get<double>(bytes, 0));
        result.tokens.push_back(get<std::int32_t>(bytes, sizeof(double)));
    }
    if (m_cost)
        m_cost->add(cost);
    return result;
}

namespace {

std::string stored(const Generated& answer) {
    std::string bytes;
    put(bytes, answer.promptTokens);
    put(bytes, answer.generatedTokens);
    put(bytes, static_cast<std::uint8_t>(answer.reachedLimit));
    put(bytes, static_cast<std::uint64_t>(answer.text.size()));
    bytes += answer.text;
    put(bytes, static_cast<std::uint64_t>(answer.sequences.size()));
    for (const GeneratedSequence& sequence : answer.sequences) {
        put(bytes, sequence.logProbability);
        put(bytes, sequence.score);
        put(bytes, static_cast<std::int32_t>(sequence.tokens));
        put(bytes, static_cast<std::uint8_t>(sequence.reachedLimit));
        put(bytes, static_cast<std::uint64_t>(sequence.text.size()));
        bytes += sequence.text;
    }
    return bytes;
}

// Reads what stored() wrote; nothing when the bytes are cut or of another layout.
class StoredAnswer {
public:
    explicit StoredAnswer(const std::string& bytes) : m_bytes(bytes) {}
    std::optional<Generated> read() {
        Generated answer;
        std::uint64_t count = 0;
        bool sound = number(answer.promptTokens) && number(answer.generatedTokens) && flag(answer.reachedLimit) && text(answer.text) && number(count);
        for (std::uint64_t i = 0; sound && i < count; ++i) {
            GeneratedSequence sequence;
            std::int32_t tokens = 0;
            sound = number(sequence.logProbability) && number(sequence.score) && number(tokens) && flag(sequence.reachedLimit) && text(sequence.text);
            sequence.tokens = tokens;
            answer.sequences.push_back(std::move(sequence));
        }
        if (!sound || m_at != m_bytes.size())
            return std::nullopt;
        return answer;
    }

private:
    template <class T> bool number(T& value) {
        if (m_bytes.size() - m_at < sizeof value)
            return false;
        value = get<T>(m_bytes, m_at);
        m_at += sizeof value;
        return true;
    }
    bool flag(bool& value) {
        std::uint8_t byte = 0;
        const bool there = number(byte);
        value = byte != 0;
        return there;
    }
    bool text(std::string& value) {
        std::uint64_t size = 0;
        if (!number(size) || m_bytes.size() - m_at < size)
            return false;
        value = m_bytes.substr(m_at, size);
        m_at += size;
        return true;
    }
    const std::string& m_bytes;
    std::size_t m_at = 0;
};

} // namespace

Result<Generated> CachingModel::generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                                         const RunControl& control) {
    // Sampling is seeded, so a warm temperature is as repeatable as a cold one. Every field of GenerateOptions but onText is part of the key.
    const std::string key = Key(info(), "generate-2")
                                .messages(messages)
                                .number(static_cast<std::int32_t>(options.maximumTokens))
                                .number(options.temperature)
                                .number(options.topP)
                                .number(options.seed)
                                .texts(options.stop)
                                .number(static_cast<std::int32_t>(options.topK))
                                .number(options.repetitionPenalty)
                                .number(static_cast<std::int32_t>(options.beams))
                                .number(static_cast<std::int32_t>(options.sequences))
                                .number(options.lengthPenalty)
                                .texts(options.oneOf)
                                .text(options.grammar)
                                .hex();
    LookUp look(m_cache, {key}, [](const std::string&, const std::string& bytes) { return StoredAnswer(bytes).read().has_value(); });
    Cost cost = look.cost();
    Generated result;
    if (look.missing.empty()) {
        result = *StoredAnswer(look.known.at(key)).read();
        if (options.onText && !result.text.empty())
            options.onText(result.text);
    } else {
        const Clock clock;
        CAROUSEL_ASSIGN(result, m_model.generate(messages, options, control));
        cost.modelSeconds = clock.seconds();
        cost.modelCalls = 1;
        cost.promptTokens = result.promptTokens;
        cost.generatedTokens = result.generatedTokens;
        CAROUSEL_TRY(keep(m_cache, {{key, stored(result)}}));
    }
    if (m_cost)
        m_cost->add(cost);
    return result;
}

Result<HiddenVectors> CachingModel::hiddenStates(const HiddenRequest& request, const RunControl& control) {
    const std::size_t width = static_cast<std::size_t>(info().width), bytesOfRow = width * sizeof(float);
    const std::string common =
        Key(info(), "hidden").messages(request.shared).text(request.tail).number(static_cast<std::int32_t>(request.pooling)).hex();
    std::vector<std::string> keys;
    for (const auto& branch : request.branches)
        keys.push_back(Key(info(), "hidden branch").text(common).text(branch).hex());
    LookUp look(m_cache, std::move(keys), [&](const std::string&, const std::string& bytes) { return bytes.size() == bytesOfRow + 1; }); // and whether it was cut
    Cost cost = look.cost();
    HiddenVectors result;
    if (!look.missing.empty()) {
        HiddenRequest asked = request;
        asked.branches.clear();
        for (const auto i : look.missing)
            asked.branches.push_back(request.branches[i]);
        const Clock clock;
        CAROUSEL_ASSIGN(const HiddenVectors computed, m_model.hiddenStates(asked, control));
        cost.modelSeconds = clock.seconds();
        cost.modelCalls = 1;
        const std::size_t n = asked.branches.size();
        if (computed.rows.rows != n || computed.rows.columns != width || computed.truncated.size() != n)
            return shortAnswer(info(), n, computed.rows.rows);
        std::map<std::string, std::string> fresh;
        for (std::size_t i = 0; i < n; ++i) {
            std::string bytes(reinterpret_cast<const char*>(computed.rows.row(i).data()), bytesOfRow);
            put(bytes, computed.truncated[i]);
            fresh.emplace(look.keys[look.missing[i]], std::move(bytes));
        }
        CAROUSEL_TRY(keep(m_cache, fresh));
        look.known.merge(fresh);
        result.prefixTokens = computed.prefixTokens;
        result.branchTokens = computed.branchTokens;
        result.cachedTokens = computed.cachedTokens;
        cost.promptTokens = computed.prefixTokens + computed.branchTokens;
        cost.sharedTokens = computed.cachedTokens;
    }
    result.rows = Matrix(request.branches.size(), width);
    for (std::size_t i = 0; i < request.branches.size(); ++i) {
        const std::string& bytes = look.known.at(look.keys[i]);
        std::memcpy(result.rows.row(i).data(), bytes.data(), bytesOfRow);
        result.truncated.push_back(get<std::uint8_t>(bytes, bytesOfRow));
    }
    if (m_cost)
        m_cost->add(cost);
    return result;
}

} // namespace carousel
