// SPDX-License-Identifier: GPL-3.0-or-later
// The document of the position lens: what every slot of a run is worth, what the fold hides, and what another fold, swipe or strategy changes.
// Figures and plots are made in lens_sections.cpp.
#include "workbench/analyses/lens_sections.h"
#include "base/text.h"
#include "evaluation/statistics/bootstrap.h"
#include <algorithm>
#include <cmath>

namespace carousel::analyses {

namespace {
constexpr std::size_t mostForBestOrder = 1500; // carousels whose best order is searched

Result<LensPart> partOf(const std::shared_ptr<const RunLens>& run, const LensPlan& plan, const RunControl& control) {
    LensPart part{.run = run};
    const auto& lens = run->lens;
    CAROUSEL_ASSIGN(part.figures, lens.figures(plan.model));
    CAROUSEL_ASSIGN(part.intervals, lens.intervals(plan.model, plan.draws, plan.confidence, plan.seed, control.slice(0, 0.3)));
    CAROUSEL_ASSIGN(part.change, lens.change(plan.model, plan.whatIf, plan.draws, plan.confidence, plan.seed, control.slice(0.3, 0.5)));
    const std::size_t stride = (lens.carousels() + mostForBestOrder - 1) / mostForBestOrder;
    CAROUSEL_ASSIGN(part.missed, lens.missed(plan.model, std::max<std::size_t>(1, stride), plan.draws, plan.confidence, plan.seed, control.slice(0.5, 0.9)));
    CAROUSEL_ASSIGN(part.heat, lens.heatMap(plan.model, plan.figure));
    part.landing = lens.landing(plan.model.window);
    if (run->conversion) {
        CAROUSEL_ASSIGN(part.conversion, run->conversion->figures(plan.model));
        CAROUSEL_ASSIGN(part.conversionIntervals, run->conversion->intervals(plan.model, plan.draws, plan.confidence, plan.seed, control.slice(0.9, 1)));
    }
    for (int window = 1; window <= 2 * plan.model.window; ++window) {
        CAROUSEL_ASSIGN(const auto other, lens.figures(withWindow(plan.model, window)));
        part.valueByWindow.push_back(other.value);
    }
    for (int step = 0; step <= 20; ++step) {
        auto other = plan.model;
        other.swipe = step / 20.0;
        CAROUSEL_ASSIGN(const auto figures, lens.figures(other));
        part.valueBySwipe.push_back(figures.value);
    }
    return part;
}

std::vector<std::string> lead(const LensPlan& plan, const std::vector<LensPart>& parts, const std::vector<PairedDifference>& differences) {
    std::vector<std::string> out;
    const auto& model = plan.model;
    const auto w = static_cast<std::size_t>(model.window);
    if (parts.size() == 2) {
        const auto& d = differences[0];
        out.push_back(d.words == "not significant" || d.words == "not comparable"
                          ? fmt::format("{} and {} are not shown to differ in value per visit: {} {}, paired over {}.", parts[1].run->strategy, parts[0].run->strategy, signedFigures(d.difference), range(d.interval),
                                        countOf(static_cast<std::size_t>(d.users), "user", "users"))
                          : fmt::format("{} is worth {} {} per visit {} {} (paired over {}).", parts[1].run->strategy, threeFigures(std::fabs(d.difference)), range(d.difference < 0 ? Interval{-d.interval.high, -d.interval.low} : d.interval),
                                        d.difference > 0 ? "more than" : "less than", parts[0].run->strategy, countOf(static_cast<std::size_t>(d.users), "user", "users")));
    }
    for (const auto& part : parts) {
        const auto& slots = part.figures.slots;
        std::string text = fmt::format("{}: with {} visible slots a visit is worth {}", part.run->strategy, w, estimate(part.figures.value, part.intervals.total));
        if (slots.size() > w)
            text += fmt::format("; position {} comes into view in {} of the visits, position {} behind the fold in {}", w, percent(slots[w - 1].reach), w + 1, percent(slots[w].reach));
        out.push_back(text + ".");
    }
    for (const auto& part : parts) {
        const auto& m = part.missed;
        out.push_back(fmt::format("{}: the best order of the same cards would be worth {}, so {} {} is missed ({} of the best).", part.run->strategy, threeFigures(m.best), threeFigures(m.missed), range(m.missedInterval),
                                  percent(m.best > 0 ? m.missed / m.best : 0)));
        const auto& c = part.change;
        const bool clear = isFinite(c.interval) && (c.interval.low > 0 || c.interval.high < 0);
        out.push_back(fmt::format("{}: {} {} {} {} per visit (paired){}.", part.run->strategy, plan.whatIfWords, c.difference >= 0 ? "adds" : "takes away", threeFigures(std::fabs(c.difference)),
                                  range(c.difference < 0 ? Interval{-c.interval.high, -c.interval.low} : c.interval), clear ? "" : "; not clearly different from none"));
        if (part.landing.withTarget > 0) {
            double inside = 0;
            for (std::size_t k = 0; k < w && k + 1 < part.landing.share.size(); ++k)
                inside += part.landing.share[k];
            out.push_back(fmt::format("{}: {} of the ideal items stand in view, {} just outside (positions {} to {}).", part.run->strategy, percent(inside), percent(part.landing.justOutside), w + 1, w + 4));
        }
    }
    return out;
}

void addFindings(const LensPlan& plan, const std::vector<LensPart>& parts, ReportModel& report) {
    const auto& run = *parts.front().run;
    const std::size_t n = run.lens.carousels();
    const Light users = n >= 100 ? Light::green : Light::amber;
    report.findings.push_back({users, "Users", fmt::format("{} are behind every figure; below 100 intervals are wide.", countOf(n, "carousel", "carousels"))});
    const bool known = !run.rawCtr.empty();
    report.findings.push_back({known ? Light::green : Light::amber, "Attraction",
                               known ? run.note : run.note + " What the other cards are worth is not known."});
    if (std::isfinite(run.measuredSwipe)) {
        const bool agrees = std::fabs(run.measuredSwipe - plan.model.swipe) <= 0.05;
        report.findings.push_back({agrees ? Light::green : Light::amber, "Swipe probability",
                                   fmt::format("{} is assumed here; the carousel model measures {} on this data set's own log{}.", threeFigures(plan.model.swipe), threeFigures(run.measuredSwipe),
                                               agrees ? "" : fmt::format(": use lens.swipe={:.3f}, or put it into the study", run.measuredSwipe))});
    } else {
        report.findings.push_back({Light::none, "Swipe probability", fmt::format("{} is assumed; the log cannot confirm it. The plot of value against it shows what depends on it.", threeFigures(plan.model.swipe))});
    }
    report.light = worst(users, known ? Light::none : Light::amber);
}
} // namespace

CarouselModel withWindow(const CarouselModel& model, int window) {
    CarouselModel out = model;
    out.window = window;
    const auto& theta = model.examination;
    const double ratio = theta.size() > 1 && theta[theta.size() - 2] > 0 ? theta.back() / theta[theta.size() - 2] : 1;
    while (out.examination.size() < static_cast<std::size_t>(window))
        out.examination.push_back(std::min(1.0, out.examination.empty() ? 1.0 : out.examination.back() * ratio));
    out.examination.resize(static_cast<std::size_t>(window));
    return out;
}

Result<AnalysisDocument> lensDocument(const std::string& datasetTitle, const std::vector<std::shared_ptr<const RunLens>>& runs, const AnalysisSpec& spec, const RunControl& control) {
    for (const auto& run : runs)
        if (run->users != runs.front()->users)
            return fail(ErrorKind::input, "CL-7010", fmt::format("Runs {} and {} evaluate different users and cannot be compared user by user.", runs.front()->run, run->run),
                        "Use runs of one study, or the same evaluation.users and seed for both.");
    if (runs.front()->lens.carousels() == 0)
        return fail(ErrorKind::input, "CL-7012", fmt::format("Run {} holds no carousel.", runs.front()->run), "Choose a complete run.");
    LensPlan plan;
    const auto& o = spec.options;
    plan.model = runs.front()->model;
    if (o.integer("window") > 0)
        plan.model = withWindow(plan.model, static_cast<int>(o.integer("window")));
    if (o.number("swipe") >= 0)
        plan.model.swipe = o.number("swipe");
    const int window = plan.model.window, other = o.integer("whatIfWindow") > 0 ? static_cast<int>(o.integer("whatIfWindow")) : window + 1;
    plan.whatIf = withWindow(plan.model, other);
    if (o.number("whatIfSwipe") >= 0)
        plan.whatIf.swipe = o.number("whatIfSwipe");
    const bool otherSwipe = std::fabs(plan.whatIf.swipe - plan.model.swipe) > 1e-12;
    plan.whatIfWords = other != window || !otherSwipe ? fmt::format("{} visible instead of {}", other, window) : "";
    if (otherSwipe)
        plan.whatIfWords += fmt::format("{}a swipe probability of {} instead of {}", plan.whatIfWords.empty() ? "" : " and ", threeFigures(plan.whatIf.swipe), threeFigures(plan.model.swipe));
    plan.draws = static_cast<int>(o.integer("draws"));
    plan.confidence = o.number("confidence");
    plan.seed = spec.seed;
    plan.figureName = o.text("figure");
    using F = PositionLens::Figure;
    plan.figure = plan.figureName == "reach" ? F::reach : plan.figureName == "examination" ? F::examination : plan.figureName == "value" ? F::value : plan.figureName == "hidden" ? F::hidden : F::click;

    std::vector<LensPart> parts;
    for (std::size_t r = 0; r < runs.size(); ++r) {
        const double n = static_cast<double>(runs.size());
        CAROUSEL_ASSIGN(auto part, partOf(runs[r], plan, control.slice(static_cast<double>(r) / n, static_cast<double>(r + 1) / n)));
        parts.push_back(std::move(part));
    }
    std::vector<PairedDifference> differences;
    if (parts.size() == 2) {
        const std::vector<float> a(parts[0].figures.valuePerCarousel.begin(), parts[0].figures.valuePerCarousel.end()), b(parts[1].figures.valuePerCarousel.begin(), parts[1].figures.valuePerCarousel.end());
        differences.push_back(pairedDifference(a, b, {.k = 10, .bootstrap = plan.draws, .confidence = plan.confidence, .seed = plan.seed}));
    }
    AnalysisDocument document{.kind = name(spec.kind), .report = {}, .figuresJson = lensFigures(plan, parts, differences), .specToml = {}};
    auto& report = document.report;
    report.title = parts.size() == 2 ? fmt::format("Position lens: {} and {}", runs[0]->strategy, runs[1]->strategy) : "Position lens: " + runs[0]->strategy;
    report.subtitle = fmt::format("{} · run{} · {} · {} visible · swipe {} · {} bootstrap intervals", datasetTitle,
                                  parts.size() == 2 ? fmt::format("s {} and {}", runs[0]->run, runs[1]->run) : fmt::format(" {}", runs[0]->run), countOf(runs[0]->lens.carousels(), "carousel", "carousels"), window,
                                  threeFigures(plan.model.swipe), level(plan.confidence));
    report.lead = lead(plan, parts, differences);
    report.facts = {{"Carousels", withThousands(static_cast<std::int64_t>(runs[0]->lens.carousels()))}, {"Slots", std::to_string(runs[0]->lens.slots())}, {"Visible", std::to_string(window)},
                    {"Swipe", threeFigures(plan.model.swipe)}};
    addFindings(plan, parts, report);
    report.sections = lensSections(plan, parts, differences);
    return document;
}

} // namespace carousel::analyses
