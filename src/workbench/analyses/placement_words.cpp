// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/analyses/placement_words.h"
#include "base/text.h"
#include "workbench/analyses/document_parts.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
std::string judgedBy(const PlacementFigures& f) { return f.byValue ? f.valueTitle : f.metricTitle; }

std::string at(const std::vector<std::size_t>& places, const PlacementFigures* f) {
    std::vector<std::string> words;
    for (const std::size_t p : places)
        words.push_back(fmt::format("the {}{}", placementTitle(p), f ? fmt::format(" ({} {})", signedFigures(f->gains.gain[p].value), range(f->gains.gain[p].interval)) : ""));
    return joined(words);
}

// "0.4 s", "31 h"
std::string duration(double seconds) {
    if (seconds < 0.001)
        return "less than a millisecond";
    if (seconds < 120)
        return threeFigures(seconds) + " s";
    return seconds < 7200 ? threeFigures(seconds / 60) + " min" : threeFigures(seconds / 3600) + " h";
}

std::string usersWord(double n) { return std::isfinite(n) && n < 1e12 ? "About " + withThousands(static_cast<std::int64_t>(std::ceil(n))) : "More than any number of"; }
} // namespace

std::string placesOf(std::uint32_t mask) {
    std::string out;
    for (std::size_t p = 0; p < 4; ++p)
        if (mask & (1u << p))
            out += (out.empty() ? "" : " × ") + std::string(placementTitle(p));
    return out.empty() ? "the mean" : out;
}

std::string shotPlacesOf(const PlacementPlan& plan) {
    std::vector<std::size_t> places;
    for (std::size_t p = 0; p < 4; ++p)
        if (plan.shotPlaces & (1u << p))
            places.push_back(p);
    return at(places, nullptr);
}

namespace {
std::string fewShotLead(const PlacementFigures& f, double confidence) {
    const FewShotFigures& few = *f.fewShot;
    std::vector<std::string> changed;
    for (std::size_t p = 0; p < 4; ++p)
        if (few.verdict[p] != f.verdict[p])
            changed.push_back(fmt::format("the {}: {} instead of {}", placementTitle(p), name(few.verdict[p]), name(f.verdict[p])));
    const PlacementEstimate& change = few.change.total;
    const bool clear = change.interval.low > 0 || change.interval.high < 0;
    return fmt::format("{} in the prompts of {} {} what all four gain by {} {} ({}){}; {}.", countOf(static_cast<std::size_t>(f.plan.shots), "worked example", "worked examples"), shotPlacesOf(f.plan),
                       f.plan.shots == 1 ? "changes" : "change", signedFigures(change.value), range(change.interval), level(confidence), clear ? "" : ", which is not told from 0",
                       changed.empty() ? "every verdict stays" : "the verdict changes at " + joined(changed));
}
} // namespace

std::vector<std::string> leadOf(const PlacementFigures& f, double confidence) {
    std::array<std::vector<std::size_t>, 4> of; // by verdict
    for (std::size_t p = 0; p < 4; ++p)
        of[static_cast<std::size_t>(f.verdict[p])].push_back(p);
    const auto& pays = of[static_cast<std::size_t>(PlacementVerdict::pays)];
    const auto& dear = of[static_cast<std::size_t>(PlacementVerdict::tooDear)];
    const auto& open = of[static_cast<std::size_t>(PlacementVerdict::notShown)];
    const auto& hurts = of[static_cast<std::size_t>(PlacementVerdict::hurts)];
    std::string first = pays.empty() ? "Where does the language model pay? Nowhere that these users can show" : "Where does the language model pay? At " + at(pays, &f);
    if (!dear.empty())
        first += fmt::format("; at {} it helps but costs more than is accepted", at(dear, &f));
    if (!hurts.empty())
        first += fmt::format("; at {} it hurts", at(hurts, &f));
    if (!open.empty())
        first += fmt::format("; at {} it is not shown to help", at(open, nullptr));
    std::vector<std::string> out{first + "."};
    const std::size_t last = f.plan.design.runs.size() - 1;
    out.push_back(fmt::format("With all four on, {} goes from {} to {}, a difference of {} {} ({}); a request takes {} instead of {}.", judgedBy(f), threeFigures(f.gains.levels.front().value),
                              threeFigures(f.gains.levels.back().value), signedFigures(f.gains.total.value), range(f.gains.total.interval), level(confidence), duration(f.meanSeconds(last)),
                              duration(f.meanSeconds(0))));
    if (f.fewShot)
        out.push_back(fewShotLead(f, confidence));
    if (f.plan.design.half)
        out.push_back("Half of the combinations were run: the gain of a place stands for itself plus the joint effect of the other three, which is taken to be small; pairs of places cannot be told from each other.");
    return out;
}

std::string verdictNote(const PlacementFigures& f, std::size_t p) {
    const PlacementEvidence& e = f.evidence[p];
    if (f.gains.reachesNothing[p])
        return "it changes no list: nothing in the other places uses what it makes";
    switch (f.verdict[p]) {
    case PlacementVerdict::pays:
        return fmt::format("{} for {} users once", duration(e.seconds * static_cast<double>(f.datasetUsers)), withThousands(static_cast<std::int64_t>(f.datasetUsers)));
    case PlacementVerdict::tooDear:
        return e.mostSeconds > 0 && e.seconds > e.mostSeconds ? fmt::format("{} more a request, {} accepted", duration(e.seconds), duration(e.mostSeconds))
                                                              : fmt::format("{} more for 1,000 requests, {} accepted", threeFigures(e.money), threeFigures(e.mostMoney));
    case PlacementVerdict::hurts: return "";
    case PlacementVerdict::notShown: break;
    }
    if (e.users < fewestUsersForVerdict)
        return fmt::format("a verdict takes {:.0f} users", fewestUsersForVerdict);
    if (e.interval.low > 0)
        return fmt::format("above 0, but less than {}", threeFigures(e.smallestGain));
    return mayStillMatter(e) ? "too few users to tell" : fmt::format("less than {} at most", threeFigures(e.smallestGain));
}

std::string whatWouldChange(const PlacementFigures& f, std::size_t p, double confidence) {
    const PlacementEvidence& e = f.evidence[p];
    if (f.gains.reachesNothing[p])
        return "Another plugin elsewhere that uses what this place makes.";
    const double money = f.cost[p].money, tokens = f.cost[p].tokens;
    switch (f.verdict[p]) {
    case PlacementVerdict::pays: {
        std::string out = fmt::format("A smallest gain above {}", threeFigures(e.gain));
        if (e.seconds > 0.001)
            out += fmt::format(", a limit below {} a request", duration(e.seconds));
        if (std::isfinite(money) && e.mostMoney > 0 && tokens > 0)
            out += fmt::format(", a price above {} per million tokens", threeFigures(e.mostMoney * 1000 / tokens));
        return out + ".";
    }
    case PlacementVerdict::tooDear:
        if (e.mostSeconds > 0 && e.seconds > e.mostSeconds)
            return fmt::format("A limit of {} a request or more, or a machine {} times as fast.", duration(e.seconds), threeFigures(e.seconds / e.mostSeconds));
        return fmt::format("A price below {} per million tokens.", threeFigures(tokens > 0 ? e.mostMoney * 1000 / tokens : std::nan("")));
    case PlacementVerdict::hurts: return "Another model or prompt; more users would only make it surer.";
    case PlacementVerdict::notShown: break;
    }
    if (e.users < fewestUsersForVerdict)
        return fmt::format("At least {:.0f} users.", fewestUsersForVerdict);
    if (e.interval.low > 0)
        return fmt::format("A smallest gain of {} or less.", threeFigures(e.gain));
    if (!mayStillMatter(e))
        return "Another model or prompt; more users would not.";
    if (e.gain <= 0)
        return fmt::format("{} users would show a gain of {} if there is one; what was found points the other way.", usersWord(usersToTell(e, e.smallestGain, confidence, 0.8)), threeFigures(e.smallestGain));
    if (e.gain < e.smallestGain)
        return fmt::format("{} users would show a gain of {} if there is one; what was found is less.", usersWord(usersToTell(e, e.smallestGain, confidence, 0.8)), threeFigures(e.smallestGain));
    return fmt::format("{} users would show the gain that was found, if it is the true one.", usersWord(usersToTell(e, e.gain, confidence, 0.8)));
}

std::string exampleNote(const PlacementFigures& f) {
    return f.fewShot ? "Zero-shot and few-shot rows are the same users." : "Few-shot was not run: the option shots puts so many worked examples into the prompts and sets them beside these.";
}

std::vector<ReportFinding> findingsOf(const PlacementFigures& f) {
    std::vector<ReportFinding> out;
    out.push_back({Light::green, "Same users, same seeds", fmt::format("All {} combinations answered the same {} under {}; differences are taken user by user.", f.plan.strategies(),
                                                                        countOf(f.users, "user", "users"), f.seeds > 1 ? fmt::format("each of {} seeds", f.seeds) : "one seed")});
    if (f.gains.rows < 100)
        out.push_back({Light::amber, "Few users", fmt::format("{} are behind every interval; the table below says how many would be needed.", countOf(f.gains.rows, "answer", "answers"))});
    if (f.seeds == 1)
        out.push_back({Light::amber, "One seed", "Intervals hold what changes from user to user, not what another draw of users, ties and starting values would change."});
    else if (f.seeds < 5)
        out.push_back({Light::amber, "Few seeds", fmt::format("{} seeds are redrawn as well as users; so few tell little of how much seeds matter.", f.seeds)});
    if (f.fewShot && f.seeds == 1)
        out.push_back({Light::amber, "One draw of worked examples", "How well they do depends on which ones and in what order they stand; every seed draws its own, and there is one."});
    out.push_back(f.gains.totalIsClear ? ReportFinding{Light::green, "The whole gain is told from 0", fmt::format("{} {}.", signedFigures(f.gains.total.value), range(f.gains.total.interval))}
                                       : ReportFinding{Light::amber, "The whole gain is not told from 0", fmt::format("{} {}: shares of it in % are not shown.", signedFigures(f.gains.total.value), range(f.gains.total.interval))});
    // A place that is not shown to help everybody may help some, if as many answers as any verdict takes say so; one of so many intervals may
    // also do so by chance.
    std::vector<std::string> some;
    std::size_t looked = 0;
    for (const PlacementSlice& slice : f.slices)
        for (std::size_t p = 0; p < 4 && static_cast<double>(slice.gains.rows) >= fewestUsersForVerdict; ++p) {
            ++looked;
            if (const PlacementEstimate& gain = slice.gains.gain[p]; gain.interval.low > 0 && f.verdict[p] != PlacementVerdict::pays)
                some.push_back(fmt::format("the {} in the slice '{}': {} {} from {}", placementTitle(p), slice.title, signedFigures(gain.value), range(gain.interval), countOf(slice.users, "answer", "answers")));
        }
    if (!some.empty())
        out.push_back({Light::none, "It may pay for some", fmt::format("Gain above 0 at {}. {} of {} intervals by slice and place, none corrected for their number.", joined(some), some.size(), looked)});
    for (std::size_t p = 0; p < 4; ++p)
        if (f.gains.reachesNothing[p])
            out.push_back({Light::red, fmt::format("No list depends on the {}", placementTitle(p)), fmt::format("Switching '{}' to '{}' changed no user's figure: no scorer or controller here uses what it makes.", f.plan.titleOff[p], f.plan.titleOn[p])});
    return out;
}

std::vector<ReportDefinition> definitionsOf(const PlacementFigures& f, const AnalysisSpec& spec) {
    std::vector<ReportDefinition> out;
    if (f.plan.design.half)
        out.push_back({"gain", "Mean over the four combinations with the place on less that over the four with it off; aliased with the joint effect of the other three (resolution IV, controller = features × encoder × scorer). Shapley shares need all 16 combinations and are not computed.", "Box, Hunter and Hunter, 2005, ch. 6"});
    else
        out.push_back({"gain", "Shapley share: how much more the carousel scores when the place is switched on, averaged over all 24 orders of switching the four on, user by user. The four add up to the gain of all together.", "Shapley, 1953"});
    out.push_back({"effect", "Yates contrast: mean of the combinations with the place on less the mean of those with it off; of several places, half of the difference that the others make to it.", "Yates, 1937; Box, Hunter and Hunter, 2005, ch. 5"});
    out.push_back({"interval", f.seeds > 1 ? "Percentiles over redrawn users and redrawn seeds; an answer counts as often as both were drawn." : "Percentiles over redrawn users.", "Owen, 2007"});
    out.push_back({"verdict", fmt::format("hurts: the interval lies below 0. pays: it lies above 0, the gain is at least {}{}{}. helps but costs too much: the same beyond such a limit. not shown to help: anything else, and anything from fewer than 20 users.",
                                          threeFigures(spec.options.number("smallestGain")), spec.options.number("mostSeconds") > 0 ? fmt::format(", and a request grows by at most {} s", threeFigures(spec.options.number("mostSeconds"))) : "",
                                          spec.options.number("mostMoney") > 0 ? fmt::format(", and 1,000 requests by at most {} in money", threeFigures(spec.options.number("mostMoney"))) : ""),
                   "ours"});
    if (f.fewShot)
        out.push_back({"few-shot", fmt::format("The same prompts with {} before the question, drawn with the seed from the training part and the same for every user; a question shows only what its user had met before. Places without such prompts run as they are.",
                                               countOf(static_cast<std::size_t>(f.plan.shots), "question and its right answer", "questions and their right answers")),
                       "Brown et al., 2020"});
    out.push_back({"value shown", f.valueNote, "ours"});
    return out;
}

} // namespace carousel::analyses
