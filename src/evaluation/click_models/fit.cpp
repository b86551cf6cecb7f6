// SPDX-License-Identifier: GPL-3.0-or-later
// Fits: restarts, scaling, and what the log could not tell.
#include "evaluation/click_models/fit.h"
#include "evaluation/click_models/fit_steps.h"
#include <cmath>
#include <limits>
#include <numeric>

namespace carousel {

namespace {
using K = ClickModelKind;

// Places that share no item, not even through other places, cannot be compared: how many such groups there are.
std::size_t placeGroups(const ClickCounts& counts) {
    const ParameterLayout& layout = counts.layout;
    const std::size_t places = layout.continuation - layout.examination;
    std::vector<std::size_t> parent(places);
    std::iota(parent.begin(), parent.end(), std::size_t{0});
    auto root = [&](std::size_t k) {
        while (parent[k] != k)
            k = parent[k] = parent[parent[k]];
        return k;
    };
    std::vector<std::uint8_t> used(places, 0);
    for (std::size_t i = 0; i < layout.items; ++i)
        for (std::size_t c = counts.start[i]; c < counts.start[i + 1]; ++c) {
            const std::size_t k = layout.place(static_cast<std::size_t>(counts.context[c])) - layout.examination;
            const std::size_t first = layout.place(static_cast<std::size_t>(counts.context[counts.start[i]])) - layout.examination;
            used[k] = 1;
            parent[root(k)] = root(first);
        }
    std::size_t groups = 0;
    for (std::size_t k = 0; k < places; ++k)
        groups += used[k] && root(k) == k;
    return groups;
}

void addNotes(const ClickCounts& counts, const Climb& climbed, const ClickFitOptions& options, ClickModelFit& fit) {
    const ParameterLayout& layout = counts.layout;
    std::size_t unseen = 0;
    for (std::size_t i = 0; i < layout.items; ++i)
        unseen += counts.start[i] == counts.start[i + 1];
    if (unseen > 0)
        fit.notes.push_back(fmt::format("{} of {} {} were never shown; their values are the mean of the others.", unseen, layout.items,
                                        fit.kind == K::rankCtr ? "positions" : "items"));
    if (layout.examination < layout.continuation) {
        if (const std::size_t groups = placeGroups(counts); groups > 1)
            fit.notes.push_back(
                fmt::format("Positions fall into {} groups that share no item; examination is not comparable between them.", groups));
        if (!options.relativeToFirst)
            fit.notes.push_back("Examination and attraction are determined up to a common factor only.");
    }
    if (fit.kind == K::carousel) {
        if (climbed.expectation.trials[layout.swipe()] <= 0)
            fit.notes.push_back("No session has a page behind one that was left without an end; swipe is not identified.");
        else if (layout.fixedReset)
            fit.notes.push_back("Reach was not logged: swipe is not told apart from a weaker look after it, which is held at 1.");
        if (layout.fixedContinue)
            fit.notes.push_back("No visit is seen to go on after a click; continuing after a click is 0.");
    }
    if (!fit.converged)
        fit.notes.push_back(fmt::format("Not converged after {} iterations.", fit.iterations));
}

Climb countedForms(const ClickCounts& counts, const ClickFitOptions& options) {
    const ParameterLayout& layout = counts.layout;
    Climb result;
    result.p.assign(layout.total, 0.5);
    auto share = [&](std::size_t at, double successes, double trials) {
        if (trials + options.priorImpressions > 0)
            result.p[at] = (successes + options.priorClicks) / (trials + options.priorImpressions);
    };
    for (std::size_t i = 0; i < layout.items; ++i) {
        double shown = 0, clicks = 0;
        for (std::size_t c = counts.start[i]; c < counts.start[i + 1]; ++c) {
            shown += counts.shown[c];
            clicks += counts.clicks[c];
        }
        share(i, clicks, shown);
        if (layout.kind == K::sdbn)
            share(layout.satisfaction + i, counts.lastItem[i], counts.lastItem[i] + counts.wentOnItem[i]);
    }
    if (layout.kind == K::dcm)
        for (std::size_t s = 0; s < layout.slots; ++s)
            share(layout.continuation + s, counts.wentOnSlot[s], counts.lastSlot[s] + counts.wentOnSlot[s]);
    expectClicks(counts, result.p, result.expectation);
    if (layout.kind == K::sdbn) // a click on the last position counts here
        for (std::size_t i = 0; i < layout.items; ++i)
            result.expectation.trials[layout.satisfaction + i] = counts.lastItem[i] + counts.wentOnItem[i];
    result.trace = {result.expectation.logLikelihood / counts.sessions};
    result.converged = true;
    return result;
}
} // namespace

Result<ClickModelFit> fitClickModel(ClickModelKind kind, const ClickLog& log, const ClickFitOptions& options, const RunControl& control) {
    CAROUSEL_TRY(checkClickFit(kind, log, options));
    const ParameterLayout layout = parameterLayout(kind, log, options.window);
    CAROUSEL_ASSIGN(const ClickCounts counts, countClicks(layout, log, {}, control));
    ClickModelFit fit;
    fit.kind = kind;
    Climb best;
    double bestValue = -std::numeric_limits<double>::infinity();
    if (options.method == "counts") {
        best = countedForms(counts, options);
    } else {
        for (int restart = 0; restart < std::max(options.restarts, 1); ++restart) {
            CAROUSEL_ASSIGN(Climb climbed, climb(counts, startingPoint(layout, options.seed, restart), options, control));
            fit.restartEnds.push_back(climbed.trace.back());
            if (restart == 0 || climbed.trace.back() > bestValue) {
                bestValue = climbed.trace.back();
                best = std::move(climbed);
            }
            control.report("Fitting " + clickModels()[static_cast<std::size_t>(kind)].name, restart + 1, std::max(options.restarts, 1),
                           "starts");
        }
    }
    if (options.relativeToFirst) {
        scaleToFirst(layout, best.expectation, best.p);
        if (layout.examination < layout.continuation && best.p[firstPlace(layout, best.expectation)] < 1)
            fit.notes.push_back("Another position is looked at more than the first; the largest is set to 1.");
    }
    fillUnseen(layout, best.expectation, best.p);
    fit.parameters = layout.unpack(best.p);
    fit.trace = best.trace;
    fit.iterations = best.iterations;
    fit.converged = best.converged;
    addNotes(counts, best, options, fit);
    return fit;
}

std::vector<ParameterEstimate> globalParameters(const ClickModelFit& fit) {
    std::vector<ParameterEstimate> all;
    const ClickModelParameters& p = fit.parameters;
    auto add = [&](const char* block, std::string label, double value) { all.push_back({block, std::move(label), value, noInterval()}); };
    const double first = p.examination.empty() ? 1 : p.examination.front();
    const std::size_t slots = p.continuation.size();
    switch (fit.kind) {
    case K::rankCtr:
        for (std::size_t k = 0; k < p.examination.size(); ++k)
            add("click rate", fmt::format("position {}", k + 1), p.examination[k]);
        break;
    case K::pbm:
    case K::carousel:
        for (std::size_t k = 1; k < p.examination.size(); ++k)
            add("examination", fmt::format("position {} / position 1", k + 1), p.examination[k] / first);
        break;
    case K::ubm: {
        const auto width = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(p.examination.size()) + 0.25) + 0.5));
        for (std::size_t s = 1; s + 1 < width; ++s)
            for (std::size_t before = 0; before <= s; ++before)
                add("examination",
                    before == 0 ? fmt::format("position {}, no click before / position 1", s + 1)
                                : fmt::format("position {}, last click on {} / position 1", s + 1, before),
                    p.examination[s * width + before] / first);
        break;
    }
    case K::dcm:
        for (std::size_t s = 0; s + 1 < slots; ++s)
            add("continuation", fmt::format("after a click on position {}", s + 1), p.continuation[s]);
        break;
    case K::dbn:
        add("continuation", "patience", p.continuation[0]);
        break;
    case K::ccm:
        add("continuation", "without a click", p.continuation[0]);
        add("continuation", "after a click, not relevant", p.continuation[1]);
        add("continuation", "after a click, relevant", p.continuation[2]);
        break;
    default:
        break;
    }
    if (fit.kind == K::carousel) {
        add("swipe", "swipe", p.swipe);
        add("continuation", "after a click", p.continueAfterClick);
        add("reset", "look after a swipe", p.reset);
    }
    return all;
}

} // namespace carousel
