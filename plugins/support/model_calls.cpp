// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/model_calls.h"
#include "llm/caching_model.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace carousel::plugin {

Result<CountedModel> CountedModel::open(const StageEnvironment& environment, const std::string& modelId) {
    if (!environment.languageModel)
        return fail(ErrorKind::plugin, "CL-6022", fmt::format("The language model '{}' was asked for where none is offered.", modelId),
                    "Switch this place to its plain twin, or run with language models.");
    CAROUSEL_ASSIGN(LanguageModel * model, environment.languageModel(modelId));
    CountedModel out;
    out.m_model = model;
    if (!dynamic_cast<CachingModel*>(model)) {
        out.m_owned = std::make_shared<CachingModel>(*model, environment.cache, environment.cost);
        out.m_model = out.m_owned.get();
    }
    return out;
}

Result<BranchScores> scoreBranchesInFixedOrder(LanguageModel& model, const BranchRequest& request, const RunControl& control) {
    const Matrix none;
    const auto rowsOf = [&](std::size_t i) -> const Matrix& {
        return i < request.injectedOfBranch.size() ? request.injectedOfBranch[i] : none;
    };
    const auto before = [&](std::size_t a, std::size_t b) {
        return std::tie(request.branches[a], rowsOf(a).values) < std::tie(request.branches[b], rowsOf(b).values);
    };
    std::vector<std::size_t> order(request.branches.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), before);
    order.erase(std::unique(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return !before(a, b) && !before(b, a); }),
                order.end());
    BranchRequest fixed = request;
    fixed.branches.clear();
    fixed.injectedOfBranch.clear();
    for (const auto i : order) {
        fixed.branches.push_back(request.branches[i]);
        if (i < request.injectedOfBranch.size())
            fixed.injectedOfBranch.push_back(request.injectedOfBranch[i]);
    }
    CAROUSEL_ASSIGN(auto answers, model.scoreBranches(fixed, control));
    const auto n = fixed.branches.size();
    if (answers.logits.rows != n || answers.logits.columns != request.answers.size() || answers.answerMass.size() != n)
        return fail(ErrorKind::internal, "CL-9020",
                    fmt::format("The model '{}' answered {} branches with {} rows.", model.info().id, n, answers.logits.rows),
                    "Check the model with `models check`.");
    BranchScores out = answers;
    out.logits = Matrix(request.branches.size(), request.answers.size());
    out.answerMass.assign(request.branches.size(), 0.0f);
    out.truncated.assign(request.branches.size(), 0);
    out.status.assign(request.branches.size(), ScoreStatus::ok);
    out.censored.assign(request.branches.size(), 0);
    out.reasons.assign(request.branches.size(), {});
    for (std::size_t i = 0; i < request.branches.size(); ++i) {
        const auto at = static_cast<std::size_t>(std::lower_bound(order.begin(), order.end(), i, before) - order.begin());
        std::copy_n(answers.logits.row(at).begin(), request.answers.size(), out.logits.row(i).begin());
        out.answerMass[i] = answers.answerMass[at];
        out.truncated[i] = at < answers.truncated.size() ? answers.truncated[at] : std::uint8_t{0};
        out.status[i] = at < answers.status.size() ? answers.status[at] : out.truncated[i] ? ScoreStatus::truncated : ScoreStatus::ok;
        out.censored[i] = at < answers.censored.size() ? answers.censored[at] : std::uint8_t{0};
        if (at < answers.reasons.size())
            out.reasons[i] = answers.reasons[at];
    }
    return out;
}

Result<Matrix> embedAll(LanguageModel& model, const std::vector<std::string>& texts, Pooling pooling, const std::string& stage,
                        const RunControl& control) {
    constexpr std::size_t chunk = 64;
    Matrix out;
    for (std::size_t first = 0; first < texts.size(); first += chunk) {
        if (control.stopRequested())
            return fail(RunControl::cancelled(stage));
        const auto last = std::min(first + chunk, texts.size());
        CAROUSEL_ASSIGN(const auto part,
                        model.embed({texts.begin() + static_cast<std::ptrdiff_t>(first), texts.begin() + static_cast<std::ptrdiff_t>(last)},
                                    pooling, control));
        if (part.rows != last - first || (out.columns != 0 && part.columns != out.columns))
            return fail(ErrorKind::internal, "CL-9020",
                        fmt::format("The model '{}' gave {} vectors for {} texts.", model.info().id, part.rows, last - first),
                        "Check the model with `models check`.");
        if (out.empty())
            out = Matrix(texts.size(), part.columns);
        std::copy(part.values.begin(), part.values.end(), out.values.begin() + static_cast<std::ptrdiff_t>(first * part.columns));
        control.report(stage, static_cast<double>(last), static_cast<double>(texts.size()), "items");
    }
    for (const float value : out.values)
        if (!std::isfinite(value))
            return fail(ErrorKind::internal, "CL-9021",
                        fmt::format("The model '{}' gave a vector with a value that is not finite.", model.info().id),
                        "Check the model file with `models check`.");
    return out;
}

namespace {
Result<std::vector<double>> likelihoods(LanguageModel& model, std::vector<ChatMessage> messages, const std::vector<std::string>& options,
                                        const RunControl& control) {
    CAROUSEL_ASSIGN(auto scored, model.scoreContinuations({std::move(messages), options}, control));
    if (scored.logProbability.size() != options.size() ||
        !std::all_of(scored.logProbability.begin(), scored.logProbability.end(), [](double x) { return std::isfinite(x); }))
        return fail(ErrorKind::internal, "CL-9022",
                    fmt::format("The model '{}' gave no usable likelihood for one of {} options.", model.info().id, options.size()),
                    "Check the model with `models check`.");
    return std::move(scored.logProbability);
}
} // namespace

Result<OptionScores> scoreOptions(LanguageModel& model, std::vector<ChatMessage> messages, const std::vector<double>& neutral,
                                  const std::vector<std::string>& options, double neutralWeight, const RunControl& control) {
    OptionScores out;
    CAROUSEL_ASSIGN(out.logProbability, likelihoods(model, std::move(messages), options, control));
    out.neutral = neutral;
    out.score = out.logProbability;
    if (!neutral.empty())
        for (std::size_t i = 0; i < options.size(); ++i)
            out.score[i] -= neutralWeight * neutral[i];
    if (options.empty())
        return out;
    out.best = static_cast<std::size_t>(std::max_element(out.score.begin(), out.score.end()) - out.score.begin());
    double second = -1e300, sum = 0;
    out.share.resize(options.size());
    for (std::size_t i = 0; i < options.size(); ++i) {
        if (i != out.best)
            second = std::max(second, out.score[i]);
        sum += out.share[i] = std::exp(out.score[i] - out.score[out.best]);
    }
    for (auto& share : out.share)
        share /= sum;
    out.margin = options.size() < 2 ? 0 : out.score[out.best] - second;
    return out;
}

Result<OptionScores> scoreOptions(LanguageModel& model, const std::string& prompt, const std::string& neutralPrompt,
                                  const std::vector<std::string>& options, double neutralWeight, const RunControl& control) {
    std::vector<double> neutral;
    if (neutralWeight > 0) {
        CAROUSEL_ASSIGN(neutral, likelihoods(model, {{"user", neutralPrompt}}, options, control));
    }
    return scoreOptions(model, std::vector<ChatMessage>{{"user", prompt}}, neutral, options, neutralWeight, control);
}

} // namespace carousel::plugin
