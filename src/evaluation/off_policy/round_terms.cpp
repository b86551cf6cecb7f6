// SPDX-License-Identifier: GPL-3.0-or-later
// The estimators' names, formulas and needs, and the terms of a round. Weighted multi-logger: Agarwal et al., KDD 2017.
#include "evaluation/off_policy/round_terms.h"
#include <algorithm>
#include <array>

namespace carousel {

const std::vector<OffPolicyInfo>& offPolicyEstimators() {
    static const std::string overlap =
        "Every action that the target policy may choose had a chance to be logged, and the propensities are right.";
    static const std::string model =
        "The reward model is right for every action that the target policy chooses; propensities are not used.";
    static const std::string either = "Propensities or the reward model are right; both need not be.";
    static const std::vector<OffPolicyInfo> all{
        {OffPolicy::rm, "rm", "Replay", "E[1{w>0} r] / E[1{w>0}]",
         "The target policy is deterministic, and the log chose uniformly at random, so that matching rounds are a fair sample.", false,
         false, false},
        {OffPolicy::ips, "ips", "IPS", "E[w r]", overlap, true, false, false},
        {OffPolicy::clippedIps, "clipped-ips", "Clipped IPS", "E[min(w, lambda) r]",
         "As IPS, except that weights above lambda are cut, which trades variance for a bias towards 0.", true, false, true},
        {OffPolicy::snips, "snips", "SNIPS", "E[w r] / E[w]", overlap, true, false, false},
        {OffPolicy::dm, "dm", "Direct method", "E[q(x, pi_e)]", model, false, true, false},
        {OffPolicy::dr, "dr", "DR", "E[q(x, pi_e) + w (r - q)]", either, true, true, false},
        {OffPolicy::sndr, "sndr", "SNDR", "E[q(x, pi_e) + w (r - q) / E[w]]", either, true, true, false},
        {OffPolicy::switchDr, "switch-dr", "Switch-DR", "E[q(x, pi_e) + 1{w <= lambda} w (r - q)]",
         "As DR where weights are at most lambda; elsewhere the reward model is right.", true, true, true},
        {OffPolicy::drOs, "dr-os", "DR with shrinkage", "E[q(x, pi_e) + lambda w / (w^2 + lambda) (r - q)]",
         "As DR for small weights; for large ones the reward model is right.", true, true, true},
        {OffPolicy::sgIps, "sg-ips", "Subgaussian IPS", "E[w / (1 - lambda + lambda w) r]",
         "As IPS, except that large weights are smoothed, which trades variance for bias.", true, false, true},
        {OffPolicy::sgDr, "sg-dr", "Subgaussian DR", "E[q(x, pi_e) + w / (1 - lambda + lambda w) (r - q)]",
         "As DR, except that large weights are smoothed, which leans on the reward model.", true, true, true},
        {OffPolicy::mips, "mips", "MIPS", "E[w(x, e) r]",
         "The action acts on the reward through its embedding alone, and every embedding had a chance to be logged.", false, false, false},
        {OffPolicy::balancedIps, "balanced-ips", "Balanced IPS", "E[pi_e / mean_k pi_k r]",
         "At least one of the logging policies had a chance to choose each action, and all their propensities are known.", false, false,
         false},
        {OffPolicy::weightedIps, "weighted-ips", "Weighted IPS", "sum_k c_k E_k[w r], c_k ~ n_k / Var_k[w r]",
         "Each logging policy alone covers the target policy; steadier loggers count for more.", true, false, false},
        {OffPolicy::weightedDr, "weighted-dr", "Weighted DR", "E[q(x, pi_e)] + sum_k c_k E_k[w (r - q)], c_k ~ n_k / Var_k",
         "As DR for each logging policy; steadier loggers count for more.", true, true, false},
    };
    return all;
}

namespace off_policy {

namespace {
constexpr std::size_t blockRounds = 1024;

const std::vector<double>& propensityOf(OffPolicy estimator, const BanditLog& log) {
    return estimator == OffPolicy::balancedIps ? log.mixturePropensity : log.propensity;
}

void fillLoggerWeights(Rule& rule, const BanditLog& log) {
    struct Running {
        double n = 0, mean = 0, squares = 0;
    };
    std::array<Running, 256> running{};
    const bool dr = rule.estimator == OffPolicy::weightedDr;
    Rule plain;
    plain.estimator = dr ? OffPolicy::dr : OffPolicy::ips;
    std::array<double, blockRounds> term;
    for (std::size_t from = 0; from < log.rounds(); from += blockRounds) {
        const std::size_t n = std::min(blockRounds, log.rounds() - from);
        fillTerms(plain, log, from, n, term.data(), nullptr, nullptr);
        for (std::size_t i = 0; i < n; ++i) {
            Running& of = running[log.logger[from + i]];
            ++of.n;
            const double step = term[i] - of.mean;
            of.mean += step / of.n;
            of.squares += step * (term[i] - of.mean);
        }
    }
    rule.loggerWeight.assign(running.size(), 1.0);
    for (std::size_t k = 0; k < running.size(); ++k)
        if (running[k].n > 0 && !(running[k].squares > 0)) {
            rule.note = fmt::format("the {:.0f} rounds of logger {} do not vary, so loggers are weighted by their number of rounds",
                                    running[k].n, k);
            std::fill(rule.loggerWeight.begin(), rule.loggerWeight.end(), 1.0);
            return;
        } else if (running[k].n > 0) {
            rule.loggerWeight[k] = running[k].n / running[k].squares;
        }
}
} // namespace

const OffPolicyInfo& infoOf(OffPolicy estimator) {
    return offPolicyEstimators()[static_cast<std::size_t>(estimator)];
}

std::string refusal(OffPolicy estimator, const BanditLog& log) {
    const OffPolicyInfo& info = infoOf(estimator);
    auto missing = [&](const char* what) { return fmt::format("needs {}: this log has none, so {} is not available", what, info.name); };
    if (info.needsPropensity && log.propensity.empty())
        return missing("propensities");
    if (estimator == OffPolicy::balancedIps && log.mixturePropensity.empty())
        return missing("propensities of the mixture of all loggers");
    if (estimator == OffPolicy::mips && log.embeddingWeight.empty())
        return missing("weights over action embeddings");
    if (estimator != OffPolicy::mips && estimator != OffPolicy::dm && log.target.empty())
        return missing("the target policy's probability of the logged action");
    if (info.needsPrediction && log.predictedUnderTarget.empty())
        return missing("predicted rewards under the target policy");
    if (info.needsPrediction && estimator != OffPolicy::dm && log.predicted.empty())
        return missing("predicted rewards of the logged action");
    if ((estimator == OffPolicy::weightedIps || estimator == OffPolicy::weightedDr) && log.logger.empty())
        return missing("the logging policy of each round");
    if (estimator == OffPolicy::rm) {
        for (std::size_t i = 0; i < log.target.size(); ++i)
            if (log.target[i] != 0 && log.target[i] != 1)
                return fmt::format(
                    "needs a deterministic target policy: it chooses the logged action of round {} with probability {:.6g}, so {} is "
                    "not available",
                    i + 1, log.target[i], info.name);
    }
    const bool normalised = estimator == OffPolicy::rm || estimator == OffPolicy::snips || estimator == OffPolicy::sndr;
    if (normalised && std::all_of(log.target.begin(), log.target.end(), [](double t) { return t == 0; }))
        return fmt::format("the target policy chooses none of the {} logged actions, so {} would be 0 / 0", log.rounds(), info.name);
    return {};
}

std::string refusedLambda(OffPolicy estimator, double lambda) {
    const OffPolicyInfo& info = infoOf(estimator);
    if (!info.hasLambda)
        return {};
    const bool smooth = estimator == OffPolicy::sgIps || estimator == OffPolicy::sgDr;
    if (!(lambda >= 0) || (smooth && lambda > 1))
        return fmt::format("lambda is {:.6g}, but {} takes {}", lambda, info.name, smooth ? "0 to 1" : "0 to infinity");
    return {};
}

Rule makeRule(OffPolicy estimator, const BanditLog& log, double lambda) {
    Rule rule;
    rule.estimator = estimator;
    rule.lambda = lambda;
    if (estimator == OffPolicy::weightedIps || estimator == OffPolicy::weightedDr)
        fillLoggerWeights(rule, log);
    return rule;
}

bool hasLinear(OffPolicy e) {
    return e != OffPolicy::rm && e != OffPolicy::snips && e != OffPolicy::weightedIps;
}
bool hasRatio(OffPolicy e) {
    return e == OffPolicy::rm || e == OffPolicy::snips || e == OffPolicy::sndr || e == OffPolicy::weightedIps || e == OffPolicy::weightedDr;
}

void fillTerms(const Rule& rule, const BanditLog& log, std::size_t first, std::size_t count, double* linear, double* numerator,
               double* denominator) {
    const double* r = log.reward.data() + first;
    const double* t = log.target.data() + first;
    const double* p = propensityOf(rule.estimator, log).data() + first;
    const double* q = log.predicted.data() + first;
    const double* under = log.predictedUnderTarget.data() + first;
    switch (rule.estimator) {
    case OffPolicy::rm:
        for (std::size_t i = 0; i < count; ++i) {
            numerator[i] = t[i] * r[i];
            denominator[i] = t[i];
        }
        return;
    case OffPolicy::snips:
        for (std::size_t i = 0; i < count; ++i) {
            denominator[i] = t[i] / p[i];
            numerator[i] = denominator[i] * r[i];
        }
        return;
    case OffPolicy::dm:
        std::copy_n(under, count, linear);
        return;
    case OffPolicy::sndr:
        for (std::size_t i = 0; i < count; ++i) {
            linear[i] = under[i];
            denominator[i] = t[i] / p[i];
            numerator[i] = denominator[i] * (r[i] - q[i]);
        }
        return;
    case OffPolicy::mips:
        for (std::size_t i = 0; i < count; ++i)
            linear[i] = log.embeddingWeight[first + i] * r[i];
        return;
    case OffPolicy::weightedIps:
        for (std::size_t i = 0; i < count; ++i) {
            denominator[i] = rule.loggerWeight[log.logger[first + i]];
            numerator[i] = denominator[i] * (t[i] / p[i]) * r[i];
        }
        return;
    case OffPolicy::weightedDr:
        for (std::size_t i = 0; i < count; ++i) {
            linear[i] = under[i];
            denominator[i] = rule.loggerWeight[log.logger[first + i]];
            numerator[i] = denominator[i] * (t[i] / p[i]) * (r[i] - q[i]);
        }
        return;
    case OffPolicy::ips:
    case OffPolicy::clippedIps:
    case OffPolicy::sgIps:
    case OffPolicy::balancedIps:
        return withWeight(rule.estimator, rule.lambda, [&](auto weight) {
            for (std::size_t i = 0; i < count; ++i)
                linear[i] = weight(t[i] / p[i]) * r[i];
        });
    case OffPolicy::dr:
    case OffPolicy::switchDr:
    case OffPolicy::drOs:
    case OffPolicy::sgDr:
        return withWeight(rule.estimator, rule.lambda, [&](auto weight) {
            for (std::size_t i = 0; i < count; ++i)
                linear[i] = under[i] + weight(t[i] / p[i]) * (r[i] - q[i]);
        });
    }
}

} // namespace off_policy
} // namespace carousel
