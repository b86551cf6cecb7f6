// SPDX-License-Identifier: GPL-3.0-or-later
// The check of stopping rules, from top to bottom: the metric's values, thousands of experiments drawn from them, then simulated ones with a
// known truth.
#include "workbench/analyses/ab_check.h"
#include "base/text.h"
#include "experiment/simulated_strategy.h"
#include "experiment/simulation_parameters.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {

Result<std::vector<double>> valuesOf(const Dataset& dataset, const std::string& metric, std::string& words) {
    std::vector<double> out;
    const auto refused = [&](const std::string& why) {
        return fail(ErrorKind::input, "CL-3140", fmt::format("'{}' cannot give the metric '{}': {}.", dataset.name, metric, why), "Choose another one: --set metric=log, events, spend or normal.");
    };
    if (metric == "normal") {
        words = "a normal distribution";
        return out;
    }
    if (metric == "log") {
        CarouselLog log;
        if (!readCarouselLog(dataset, 6, log))
            return refused("it has no log of whole carousels with known users");
        std::vector<double> clicks(dataset.users.size(), 0), slates(clicks);
        for (std::size_t i = 0; i < log.rows(); ++i) {
            clicks[static_cast<std::size_t>(log.user[i])] += log.click[i];
            slates[static_cast<std::size_t>(log.user[i])] += i == 0 || log.slate[i] != log.slate[i - 1];
        }
        for (std::size_t u = 0; u < clicks.size(); ++u)
            if (slates[u] > 0)
                out.push_back(clicks[u] / slates[u]);
        words = "clicks per carousel of the log's users";
        return out;
    }
    const InteractionTable& events = dataset.interactions;
    out.assign(dataset.users.size(), 0);
    if (metric == "events") {
        for (const Code user : events.user)
            out[static_cast<std::size_t>(user)] += 1;
        words = "events of the data set's users";
        return out;
    }
    const auto purchase = std::find(events.kinds.begin(), events.kinds.end(), "purchase");
    const auto* price = dataset.items.attribute("price");
    if (purchase == events.kinds.end() || !price || !price->isNumeric())
        return refused("it takes purchases and a price of items");
    for (std::size_t row = 0; row < events.size(); ++row)
        if (events.kind[row] == purchase - events.kinds.begin() && !price->missing(static_cast<std::size_t>(events.item[row])))
            out[static_cast<std::size_t>(events.user[row])] += price->numbers(static_cast<std::size_t>(events.item[row])).front();
    words = "spend of the data set's users";
    return out;
}

void describeMetric(const std::vector<double>& values, AbCheckFacts& facts) {
    facts.metricUsers = static_cast<double>(values.size());
    double mean = 0, second = 0, third = 0;
    for (const double x : values)
        mean += x / facts.metricUsers, facts.metricZeros += (x == 0) / facts.metricUsers;
    for (const double x : values)
        second += (x - mean) * (x - mean) / facts.metricUsers, third += (x - mean) * (x - mean) * (x - mean) / facts.metricUsers;
    facts.metricMean = mean;
    facts.metricSkewness = second > 0 ? third / std::pow(second, 1.5) : 0;
}

std::vector<StrategySpec> defaultArms(const PluginRegistry& plugins) {
    std::vector<StrategySpec> out;
    for (const char* scorer : {"popularity", "item_neighbours"}) {
        StrategySpec strategy;
        strategy.name = scorer;
        strategy.stage(StageKind::feature).plugin = "text_template", strategy.stage(StageKind::encoder).plugin = "one_hot_embedding";
        strategy.stage(StageKind::scorer).plugin = scorer, strategy.stage(StageKind::controller).plugin = "fixed_cascade";
        if (auto whole = resolved(strategy, plugins))
            out.push_back(std::move(*whole));
    }
    return out;
}

Result<void> simulated(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host, AbCheckFacts& facts, const RunControl& control) {
    const auto& options = spec.options;
    const int repetitions = static_cast<int>(options.integer("repetitions"));
    if (repetitions == 0)
        return {};
    Parameters users;
    for (const ParameterSpec& each : simulationParameters())
        users.set(each.id, each.defaultValue);
    users.set("population", options.text("population"));
    users.set("rounds", options.integer("rounds"));
    auto world = makeSimulationWorld(dataset, users, spec.seed, host, control.slice(0, 0.1));
    if (!world) {
        if (world.error().code != "CL-3131")
            return fail(world.error());
        facts.notes.push_back(fmt::format("Experiments with a known truth were left out: {} {}", world.error().message, world.error().hint));
        return {};
    }
    facts.people = (*world)->about;
    const std::vector<StrategySpec> arms = spec.strategies.size() >= 2 ? spec.strategies : defaultArms(*host.plugins);
    std::vector<std::unique_ptr<StrategySource>> sources;
    for (std::size_t a = 0; a < 2; ++a) {
        StrategySource::Request request;
        request.dataset = dataset, request.strategy = arms[a], request.people = (*world)->people, request.before = (*world)->trainBefore;
        request.length = std::min(dataset->items.size(), static_cast<std::size_t>(12 + options.integer("rounds")));
        request.seed = spec.seed, request.device = spec.device, request.host = host;
        CAROUSEL_ASSIGN(auto source, StrategySource::make(std::move(request), control.slice(0.1 + 0.1 * static_cast<double>(a), 0.2 + 0.1 * static_cast<double>(a))));
        sources.push_back(std::move(source));
        facts.arms.push_back(arms[a].name);
    }
    CoveragePlan plan;
    plan.control = sources[0].get(), plan.treatment = sources[1].get();
    plan.simulation.rounds = static_cast<int>(options.integer("rounds"));
    plan.design.rounds = plan.design.looks = plan.simulation.rounds;
    plan.design.primary = facts.primary = *userMetric(options.text("primary"));
    plan.design.confidence = 1 - options.number("alpha");
    plan.users = facts.simulatedUsers = static_cast<std::size_t>(options.integer("simulatedUsers"));
    plan.repetitions = repetitions, plan.seed = spec.seed;
    CAROUSEL_ASSIGN(facts.feedbackOn, checkCoverage(**world, plan, control.slice(0.3, 0.9)));
    plan.simulation.feedback = false;
    plan.repetitions = 0;
    CAROUSEL_ASSIGN(facts.feedbackOff, checkCoverage(**world, plan, control.slice(0.9, 1)));
    return {};
}

} // namespace

Result<AnalysisDocument> abCheckDocument(DatasetPtr dataset, const AnalysisSpec& spec, const ExperimentHost& host, const RunControl& control) {
    const auto& options = spec.options;
    AbCheckFacts facts;
    facts.dataset = dataset->title.empty() ? dataset->name : dataset->title;
    CAROUSEL_ASSIGN(const std::vector<double> values, valuesOf(*dataset, options.text("metric"), facts.metric));
    if (!values.empty())
        describeMetric(values, facts);
    CharacteristicsPlan& plan = facts.plan;
    plan.experiments = static_cast<int>(options.integer("experiments")), plan.looks = static_cast<int>(options.integer("looks"));
    plan.users = options.integer("users"), plan.alpha = options.number("alpha"), plan.tuneN = options.number("tuneN"), plan.seed = spec.seed;
    std::vector<StoppingRule> rules;
    for (const StoppingRule rule : stoppingRules())
        if (const auto& asked = options.list("rules"); std::find(asked.begin(), asked.end(), name(rule)) != asked.end())
            rules.push_back(rule);
    std::vector<double> effects;
    for (const std::string& text : options.list("effects")) {
        const auto effect = parseNumber(text);
        if (!effect || *effect <= 0)
            return fail(ErrorKind::input, "CL-3138", fmt::format("'{}' of effects is not a number above 0.", quotedForMessage(text)), "Separate numbers by commas: 0.02,0.05.");
        effects.push_back(*effect);
    }
    const double parts = static_cast<double>(effects.size()) + 1;
    CAROUSEL_ASSIGN(facts.none, operatingCharacteristics(values, rules, plan, control.slice(0, 0.5 / parts)));
    for (std::size_t e = 0; e < effects.size(); ++e) {
        plan.effect = effects[e];
        CAROUSEL_ASSIGN(auto power, operatingCharacteristics(values, rules, plan, control.slice(0.5 * static_cast<double>(e + 1) / parts, 0.5 * static_cast<double>(e + 2) / parts)));
        facts.power.push_back(std::move(power));
    }
    plan.effect = 0;
    facts.effects = std::move(effects);
    CAROUSEL_TRY(simulated(std::move(dataset), spec, host, facts, control.slice(0.5, 1)));
    return abCheckReport(facts);
}

} // namespace carousel::analyses
