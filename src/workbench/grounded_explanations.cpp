// SPDX-License-Identifier: GPL-3.0-or-later
// A run's recommendations in words: facts from what the run learned from, a writer, the check, and how often a writer makes things up.
#include "workbench/grounded_explanations.h"
#include "base/random.h"
#include "base/text.h"
#include "evaluation/statistics/bootstrap.h"
#include "llm/caching_model.h"
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>

namespace carousel {

struct GroundedExplainer::Source {
    RunRow row;
    StudySpec study;
    std::shared_ptr<const ExplanationGround> ground;
    std::string scorer; // plugin
};

namespace {

using Json = nlohmann::json;
constexpr int resamples = 2000;
constexpr std::size_t worstShown = 3;

// What the trace says where it speaks of this item: "order_for_value moved: from 9, to 3".
void collectReasons(const Json& value, const std::string& where, const std::string& id, const std::string& title, std::vector<std::string>& out) {
    if (value.is_object()) {
        const auto item = value.find("item");
        if (item != value.end() && item->is_string() && (*item == id || *item == title)) {
            std::vector<std::string> parts;
            for (const auto& [key, each] : value.items())
                if (key != "item" && each.is_primitive())
                    parts.push_back(key + " " + (each.is_string() ? each.get<std::string>() : each.dump()));
            if (!parts.empty())
                out.push_back(fmt::format("{}: {}", where, fmt::join(parts, ", ")));
            return;
        }
    }
    if (value.is_structured())
        for (const auto& each : value)
            collectReasons(each, where, id, title, out);
}

std::vector<std::string> reasonsOf(const std::string& trace, const std::string& id, const std::string& title) {
    std::vector<std::string> out;
    const auto steps = Json::parse(trace, nullptr, false);
    if (steps.is_array())
        for (const auto& step : steps)
            if (step.is_object())
                collectReasons(step, step.value("stage", std::string()) + " " + step.value("step", std::string()), id, title, out);
    return out;
}

Result<const UserResult*> resultOf(const std::vector<UserResult>& users, std::int64_t run, Code user) {
    const auto it = std::lower_bound(users.begin(), users.end(), user, [](const UserResult& a, Code code) { return a.user < code; });
    if (it == users.end() || it->user != user)
        return fail(ErrorKind::input, "CL-7014", fmt::format("Run {} has no result for this user (code {}).", run, user), "Choose one of the users of the run.");
    return &*it;
}

template <class Source> Result<ExplanationFacts> factsOf(const Source& source, const UserResult& result, Code item, int lastChoices) {
    const auto it = std::find_if(result.slate.begin(), result.slate.end(), [&](const ScoredItem& s) { return s.item == item; });
    if (it == result.slate.end())
        return fail(ErrorKind::input, "CL-7014",
                    fmt::format("'{}' is not among the {} items stored for this user.", source.ground->items().displayName(item), result.slate.size()), "Raise evaluation.depth to store longer lists.");
    ExplanationFacts facts = source.ground->facts(result.user, item, lastChoices);
    facts.position = static_cast<int>(it - result.slate.begin()) + 1;
    facts.strategy = source.row.strategy;
    facts.scorer = source.scorer;
    facts.reasons = reasonsOf(result.trace, source.ground->items().ids.id(item), facts.title);
    return facts;
}

GroundedExplanation plain(ExplanationFacts facts, const ExplanationGround& ground) {
    GroundedExplanation out;
    out.writer = "plain";
    const auto start = std::chrono::steady_clock::now();
    out.text = plainExplanation(facts);
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out.checked = checkStatements(out.text, facts, ground);
    out.facts = std::move(facts);
    return out;
}

Result<GroundedExplanation> written(ExplanationFacts facts, const ExplanationGround& ground, LanguageModel& model, const Parameters& options, std::uint64_t seed, CostMeter& cost,
                                    const RunControl& control) {
    GroundedExplanation out;
    out.writer = "model";
    out.model = options.text("model");
    CAROUSEL_ASSIGN(out.prompt, explanationPrompt(facts, options.text("prompt")));
    GenerateOptions generate;
    generate.maximumTokens = static_cast<int>(options.integer("maximumTokens"));
    generate.temperature = options.number("temperature");
    generate.seed = seed;
    const Cost before = cost.total();
    const auto start = std::chrono::steady_clock::now();
    CAROUSEL_ASSIGN(const Generated answer, model.generate({{"user", out.prompt}}, generate, control));
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out.fromCache = (cost.total() - before).cacheHits > 0;
    out.text = std::string(trimmed(answer.text));
    out.cut = answer.reachedLimit;
    out.promptTokens = answer.promptTokens;
    out.generatedTokens = answer.generatedTokens;
    out.checked = checkStatements(out.text, facts, ground);
    out.facts = std::move(facts);
    return out;
}

WriterFigures figuresOf(const std::vector<GroundedExplanation>& texts, std::uint64_t seed) {
    WriterFigures out;
    out.texts = static_cast<int>(texts.size());
    if (texts.empty())
        return out;
    out.writer = texts.front().writer;
    out.model = texts.front().model;
    std::vector<std::vector<float>> columns(2);
    for (const auto& text : texts) {
        const int unsupported = text.checked.unsupported();
        columns[0].push_back(unsupported > 0 ? 1.0F : 0.0F);
        columns[1].push_back(static_cast<float>(unsupported));
        for (const auto& statement : text.checked.statements) {
            out.statements += 1;
            out.supported += statement.status == StatementStatus::supported;
            out.noClaim += statement.status == StatementStatus::noClaim;
            out.contradicted += statement.status == StatementStatus::contradicted;
        }
        out.promptTokens += text.promptTokens;
        out.generatedTokens += text.generatedTokens;
        out.cached += text.fromCache;
        out.seconds += text.seconds;
    }
    const auto n = static_cast<double>(texts.size());
    out.share = std::accumulate(columns[0].begin(), columns[0].end(), 0.0) / n;
    out.unsupported = std::accumulate(columns[1].begin(), columns[1].end(), 0.0) / n;
    for (double* sum : {&out.statements, &out.supported, &out.noClaim, &out.contradicted})
        *sum /= n;
    const auto intervals = bootstrapMeans(columns, resamples, 0.95, seed);
    out.shareInterval = intervals[0];
    out.unsupportedInterval = intervals[1];
    return out;
}

Result<Parameters> checkedOptions(const Parameters& given) {
    const auto specs = explanationParameters();
    CAROUSEL_ASSIGN(auto options, validate(specs, given, "explanation"));
    CAROUSEL_TRY(explanationPrompt({}, options.text("prompt"))); // before a model is loaded for nothing
    return options;
}

} // namespace

Result<GroundedExplainer::Source> GroundedExplainer::source(std::int64_t run, const RunControl& control) {
    if (!m_bench.isOpen())
        return fail(ErrorKind::usage, "CL-4010", "No project is open.", "Create one with `init`, or open one (--project FILE).");
    Source out;
    CAROUSEL_ASSIGN(out.row, m_bench.store().run(run));
    CAROUSEL_ASSIGN(out.study, parseStudy(out.row.studyToml, m_bench.plugins()));
    const auto strategy = Json::parse(out.row.strategyJson, nullptr, false);
    if (strategy.is_object() && strategy.contains("scorer") && strategy["scorer"].is_object())
        out.scorer = strategy["scorer"].value("plugin", std::string());
    CAROUSEL_ASSIGN(const auto data, m_bench.dataset(out.row.dataset, control));
    const std::string key = fmt::format("{}|{}|{}|{}", data->digest, out.row.splitDigest, out.study.split.targetModel, out.study.evaluation.refitOnValidation);
    {
        std::scoped_lock lock(m_mutex);
        if (m_ground && m_key == key) {
            out.ground = m_ground;
            return out;
        }
    }
    CAROUSEL_ASSIGN(const auto parts, makeSplit(*data, out.study.split, control));
    CAROUSEL_ASSIGN(const auto model, presetEventModel(out.study.split.targetModel));
    CAROUSEL_ASSIGN(auto training, TrainingView::make(data, parts, model, out.study.evaluation.refitOnValidation));
    out.ground = std::make_shared<const ExplanationGround>(std::make_shared<const TrainingView>(std::move(training)));
    std::scoped_lock lock(m_mutex);
    m_key = key;
    m_ground = out.ground;
    return out;
}

Result<GroundedExplanation> GroundedExplainer::explain(std::int64_t run, Code user, Code item, const Parameters& given, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto options, checkedOptions(given));
    CAROUSEL_ASSIGN(const auto source, this->source(run, control.slice(0, 0.1)));
    CAROUSEL_ASSIGN(const auto users, m_bench.store().userResults(run));
    CAROUSEL_ASSIGN(const UserResult* const result, resultOf(users, run, user));
    CAROUSEL_ASSIGN(auto facts, factsOf(source, *result, item, static_cast<int>(options.integer("lastChoices"))));
    if (options.text("writer") == "plain")
        return plain(std::move(facts), *source.ground);
    CostMeter cost;
    CAROUSEL_ASSIGN(LanguageModel* const bare, m_bench.languageModel(options.text("model")));
    CachingModel model(*bare, m_bench.store().readOnly() ? nullptr : &m_bench.store(), &cost);
    return written(std::move(facts), *source.ground, model, options, source.study.seed, cost, control);
}

Result<ExplanationSample> GroundedExplainer::sample(std::int64_t run, int count, std::uint64_t seed, const Parameters& given, const RunControl& control) {
    if (count < 1)
        return fail(ErrorKind::usage, "CL-3071", fmt::format("A sample of {} explanations says nothing.", count), "Ask for at least 1; 50 give a useful interval.");
    CAROUSEL_ASSIGN(const auto options, checkedOptions(given));
    CAROUSEL_ASSIGN(const auto source, this->source(run, control.slice(0, 0.02)));
    CAROUSEL_ASSIGN(auto users, m_bench.store().userResults(run));
    std::erase_if(users, [](const UserResult& each) { return each.slate.empty(); });
    if (users.empty())
        return fail(ErrorKind::input, "CL-7012", fmt::format("Run {} has no finished user yet.", run), fmt::format("Go on with `resume {}`.", source.row.study));

    ExplanationSample out;
    out.run = run;
    out.seed = seed;
    const auto wanted = std::min(users.size(), static_cast<std::size_t>(count));
    out.note = fmt::format("{} of {} users, each with one of the first {} items of their carousel", wanted, users.size(), source.study.evaluation.window);
    RandomStream random(seed, "explanations");
    for (std::size_t i = 0; i < wanted; ++i) // the first `wanted` of a shuffle
        std::swap(users[i], users[i + random.below(users.size() - i)]);
    CostMeter cost;
    CAROUSEL_ASSIGN(LanguageModel* const bare, m_bench.languageModel(options.text("model")));
    CachingModel model(*bare, m_bench.store().readOnly() ? nullptr : &m_bench.store(), &cost);
    const RunControl writing = control.slice(0.02, 1);
    std::vector<GroundedExplanation> plains, texts;
    for (std::size_t i = 0; i < wanted; ++i) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("explaining a sample"));
        const auto& user = users[i];
        const auto seen = std::min(user.slate.size(), static_cast<std::size_t>(std::max(1, source.study.evaluation.window)));
        const Code item = user.slate[random.below(seen)].item;
        CAROUSEL_ASSIGN(auto facts, factsOf(source, user, item, static_cast<int>(options.integer("lastChoices"))));
        plains.push_back(plain(facts, *source.ground));
        CAROUSEL_ASSIGN(auto text, written(std::move(facts), *source.ground, model, options, seed + i, cost, writing.quiet()));
        texts.push_back(std::move(text));
        writing.report("Explaining", static_cast<double>(i + 1), static_cast<double>(wanted), "explanations");
    }
    out.writers = {figuresOf(plains, seed), figuresOf(texts, seed)};
    std::stable_sort(texts.begin(), texts.end(), [](const auto& a, const auto& b) { return a.checked.unsupported() > b.checked.unsupported(); });
    for (auto& text : texts)
        if (out.worst.size() < worstShown && text.checked.unsupported() > 0)
            out.worst.push_back(std::move(text));
    return out;
}

} // namespace carousel
