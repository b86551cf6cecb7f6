// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/click_models/fit_steps.h"
#include "base/random.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
using K = ClickModelKind;
constexpr double farthest = 30; // logits are held within

double logit(double p) {
    return std::clamp(std::log(p / (1 - p)), -farthest, farthest);
}
double logistic(double x) {
    return 1 / (1 + std::exp(-x));
}

class Climber {
public:
    Climber(const ClickCounts& counts, const ClickFitOptions& options, const RunControl& control, bool attractionOnly)
        : m_counts(counts), m_options(options), m_control(control), m_fixed(counts.layout.total, 0) {
        if (attractionOnly)
            std::fill(m_fixed.begin() + static_cast<std::ptrdiff_t>(counts.layout.satisfaction), m_fixed.end(), std::uint8_t{1});
        if (counts.layout.kind == K::carousel) {
            m_fixed[counts.layout.reset()] |= counts.layout.fixedReset;
            m_fixed[counts.layout.onAfterClick()] |= counts.layout.fixedContinue;
        }
    }

    Result<Climb> em(std::vector<double> p) {
        m_climb.p = std::move(p);
        expectClicks(m_counts, m_climb.p, m_climb.expectation);
        note(m_climb.expectation);
        double value = objective(m_climb.p, m_climb.expectation);
        Expectation next;
        while (m_climb.iterations < m_options.maxIterations) {
            if (m_control.stopRequested())
                return fail(RunControl::cancelled("Fitting the click model"));
            const double before = value;
            const std::vector<double> p0 = m_climb.p;
            value = step(m_climb.p, m_climb.expectation);
            if (m_options.accelerate && m_climb.iterations < m_options.maxIterations && !settled(before, value)) {
                const std::vector<double> p1 = m_climb.p;
                std::vector<double> p2 = stepped(m_climb.p, m_climb.expectation);
                const std::vector<double> leap = extrapolated(p0, p1, p2);
                ++m_climb.iterations;
                expectClicks(m_counts, leap, next);
                double reached = objective(leap, next);
                m_climb.p = leap;
                if (!(reached >= value)) {
                    m_climb.p = std::move(p2);
                    expectClicks(m_counts, m_climb.p, next);
                    reached = objective(m_climb.p, next);
                }
                std::swap(m_climb.expectation, next);
                note(m_climb.expectation);
                value = reached;
            }
            if (settled(before, value)) {
                m_climb.converged = true;
                break;
            }
        }
        return std::move(m_climb);
    }

    // Adam from the best point so far, with half the step whenever it fell.
    Result<Climb> gradient(std::vector<double> p) {
        const std::size_t n = p.size();
        std::vector<double> x(n), m(n, 0.0), v(n, 0.0), best = p;
        Expectation here;
        expectClicks(m_counts, p, here);
        note(here);
        double value = objective(p, here), rate = 0.2, marked = value;
        m_climb.expectation = here;
        int age = 0, since = 0;
        for (std::size_t i = 0; i < n; ++i)
            x[i] = logit(p[i]);
        while (m_climb.iterations < m_options.maxIterations) {
            if (m_control.stopRequested())
                return fail(RunControl::cancelled("Fitting the click model"));
            ++age;
            for (std::size_t i = 0; i < n; ++i) {
                if (m_fixed[i] || here.trials[i] + m_options.priorImpressions <= 0)
                    continue;
                // Scaled by the curvature that complete data would have, so that rare items move as fast as frequent ones.
                const double trials = here.trials[i] + m_options.priorImpressions;
                const double slope =
                    (here.successes[i] + m_options.priorClicks - trials * p[i]) / (trials * std::max(p[i] * (1 - p[i]), 1e-6));
                m[i] = 0.9 * m[i] + 0.1 * slope;
                v[i] = 0.99 * v[i] + 0.01 * slope * slope;
                const double first = m[i] / (1 - std::pow(0.9, age)), second = v[i] / (1 - std::pow(0.99, age));
                x[i] = std::clamp(x[i] + rate * first / (std::sqrt(second) + 1e-8), -farthest, farthest);
                p[i] = logistic(x[i]);
            }
            ++m_climb.iterations;
            expectClicks(m_counts, p, here);
            const double reached = objective(p, here);
            if (reached >= value) {
                value = reached;
                best = p;
                m_climb.expectation = here;
            } else {
                rate /= 2;
                age = 0;
                p = best;
                here = m_climb.expectation;
                for (std::size_t i = 0; i < n; ++i) {
                    x[i] = logit(p[i]);
                    m[i] = v[i] = 0;
                }
            }
            note(m_climb.expectation);
            if (++since == 20) { // twenty steps, so that halved rates do not pass for an end
                if (settled(marked, value) || rate < 1e-9) {
                    m_climb.converged = true;
                    break;
                }
                marked = value;
                since = 0;
            }
        }
        m_climb.p = best;
        return std::move(m_climb);
    }

private:
    void note(const Expectation& expectation) {
        m_climb.trace.push_back(m_counts.sessions > 0 ? expectation.logLikelihood / m_counts.sessions : 0);
    }
    bool settled(double before, double after) const {
        return m_options.tolerance > 0 && (after - before) < m_options.tolerance * m_counts.sessions;
    }
    double objective(const std::vector<double>& p, const Expectation& expectation) const {
        double sum = expectation.logLikelihood;
        if (m_options.priorImpressions > 0 || m_options.priorClicks > 0)
            for (std::size_t i = 0; i < p.size(); ++i)
                if (!m_fixed[i])
                    sum += m_options.priorClicks * std::log(std::max(p[i], 1e-300)) +
                           (m_options.priorImpressions - m_options.priorClicks) * std::log(std::max(1 - p[i], 1e-300));
        return sum;
    }
    std::vector<double> stepped(const std::vector<double>& p, const Expectation& expectation) const {
        std::vector<double> next = p;
        for (std::size_t i = 0; i < p.size(); ++i)
            if (const double trials = expectation.trials[i] + m_options.priorImpressions; !m_fixed[i] && trials > 0)
                next[i] = std::clamp((expectation.successes[i] + m_options.priorClicks) / trials, 0.0, 1.0);
        return next;
    }
    double step(std::vector<double>& p, Expectation& expectation) {
        p = stepped(p, expectation);
        ++m_climb.iterations;
        expectClicks(m_counts, p, expectation);
        note(expectation);
        return objective(p, expectation);
    }
    // Varadhan and Roland's step (Scandinavian Journal of Statistics 2008) on the logit scale.
    static std::vector<double> extrapolated(const std::vector<double>& p0, const std::vector<double>& p1, const std::vector<double>& p2) {
        double r2 = 0, v2 = 0;
        std::vector<double> r(p0.size()), v(p0.size());
        for (std::size_t i = 0; i < p0.size(); ++i) {
            const double x1 = logit(p1[i]);
            r[i] = x1 - logit(p0[i]);
            v[i] = logit(p2[i]) - x1 - r[i];
            r2 += r[i] * r[i];
            v2 += v[i] * v[i];
        }
        const double length = v2 > 0 ? std::sqrt(r2 / v2) : 1;
        if (!(length > 1))
            return p2;
        std::vector<double> leap = p2;
        for (std::size_t i = 0; i < p0.size(); ++i)
            if (p2[i] > 0 && p2[i] < 1 && r[i] != 0)
                leap[i] = logistic(std::clamp(logit(p0[i]) + 2 * length * r[i] + length * length * v[i], -farthest, farthest));
        return leap;
    }

    const ClickCounts& m_counts;
    const ClickFitOptions& m_options;
    const RunControl& m_control;
    std::vector<std::uint8_t> m_fixed;
    Climb m_climb;
};

void setFixed(const ParameterLayout& layout, std::vector<double>& p) {
    if (layout.kind != K::carousel)
        return;
    if (layout.fixedReset)
        p[layout.reset()] = 1;
    if (layout.fixedContinue)
        p[layout.onAfterClick()] = 0;
}
} // namespace

Result<Climb> climb(const ClickCounts& counts, std::vector<double> start, const ClickFitOptions& options, const RunControl& control,
                    bool attractionOnly) {
    setFixed(counts.layout, start);
    auto run = [&](const ClickCounts& on, std::vector<double> from, const ClickFitOptions& how) {
        Climber climber(on, how, control, attractionOnly);
        return how.method == "gradient" ? climber.gradient(std::move(from)) : climber.em(std::move(from));
    };
    const ParameterLayout& layout = counts.layout;
    ClickFitOptions first = options;
    const bool mayHitBorder = layout.kind == K::carousel && !layout.fixedReset && !attractionOnly && options.tolerance > 0;
    if (mayHitBorder)
        first.tolerance = std::max(options.tolerance, 1e-8);
    CAROUSEL_ASSIGN(Climb best, run(counts, std::move(start), first));
    auto append = [&best](Climb&& more) {
        for (const double value : more.trace)
            if (value > best.trace.back())
                best.trace.push_back(value);
        best.iterations += more.iterations;
        best.converged = more.converged;
        best.p = std::move(more.p);
        best.expectation = std::move(more.expectation);
    };
    if (!mayHitBorder)
        return best;
    // Steps towards the border of a probability shrink without an end: look whether the maximum lies on it.
    if (best.p[layout.reset()] > 0.97) {
        ClickCounts held = counts;
        held.layout.fixedReset = true;
        std::vector<double> border = best.p;
        border[layout.reset()] = 1;
        CAROUSEL_ASSIGN(Climb other, run(held, std::move(border), options));
        if (other.trace.back() >= best.trace.back()) {
            append(std::move(other));
            return best;
        }
    }
    if (first.tolerance > options.tolerance && best.iterations < options.maxIterations) {
        ClickFitOptions rest = options;
        rest.maxIterations -= best.iterations;
        CAROUSEL_ASSIGN(Climb more, run(counts, best.p, rest));
        append(std::move(more));
    }
    return best;
}

std::vector<double> startingPoint(const ParameterLayout& layout, std::uint64_t seed, int restart) {
    std::vector<double> p(layout.total, 0.5);
    if (restart > 0) {
        RandomStream random(seed, "click model start", static_cast<std::uint64_t>(restart));
        for (double& value : p)
            value = 0.1 + 0.8 * random.uniform();
    }
    setFixed(layout, p);
    return p;
}

std::vector<double> warmStart(const ParameterLayout& layout, const ClickModelParameters& parameters) {
    std::vector<double> p = layout.pack(parameters);
    for (double& value : p)
        value = std::clamp(value, 1e-3, 0.98);
    setFixed(layout, p);
    return p;
}

std::size_t firstPlace(const ParameterLayout& layout, const Expectation& expectation) {
    for (std::size_t k = layout.examination; k < layout.continuation; ++k)
        if (expectation.trials[k] > 0)
            return k;
    return layout.examination;
}

double scaleToFirst(const ParameterLayout& layout, const Expectation& expectation, std::vector<double>& p) {
    if (layout.examination == layout.continuation)
        return 1;
    double scale = p[firstPlace(layout, expectation)];
    for (std::size_t k = layout.examination; k < layout.continuation; ++k)
        if (expectation.trials[k] > 0)
            scale = std::max(scale, p[k]);
    if (!(scale > 0))
        return 1;
    for (std::size_t k = layout.examination; k < layout.continuation; ++k)
        if (expectation.trials[k] > 0)
            p[k] /= scale;
    for (std::size_t i = 0; i < layout.items; ++i)
        if (expectation.trials[i] > 0)
            p[i] *= scale;
    return scale;
}

void fillUnseen(const ParameterLayout& layout, const Expectation& expectation, std::vector<double>& p) {
    auto fill = [&](std::size_t begin, std::size_t end) {
        double successes = 0, trials = 0;
        for (std::size_t i = begin; i < end; ++i) {
            successes += expectation.trials[i] * p[i];
            trials += expectation.trials[i];
        }
        for (std::size_t i = begin; i < end && trials > 0; ++i)
            if (!(expectation.trials[i] > 0))
                p[i] = successes / trials;
    };
    fill(0, layout.satisfaction);
    fill(layout.satisfaction, layout.examination);
}

Result<void> checkClickFit(ClickModelKind kind, const ClickLog& log, const ClickFitOptions& options) {
    const ClickModelInfo& info = clickModels()[static_cast<std::size_t>(kind)];
    auto refuse = [&](const std::string& reason, const std::string& hint) {
        return fail(ErrorKind::input, "CL-8023", fmt::format("Click model {} cannot be fitted to this log: {}.", info.id, reason), hint);
    };
    const bool counted = kind == K::rankCtr || kind == K::itemCtr || kind == K::cascade || kind == K::dcm || kind == K::sdbn;
    if (options.method != "em" && options.method != "gradient" && !(options.method == "counts" && counted))
        return fail(ErrorKind::usage, "CL-8024", fmt::format("Click model {} has no fitting method '{}'.", info.id, options.method),
                    "Use em or gradient; counts for rank-ctr, item-ctr, cascade, dcm and sdbn.");
    if (kind == K::carousel && options.window < 1)
        return fail(ErrorKind::usage, "CL-8022", fmt::format("Click model carousel: the window has {} slots.", options.window),
                    "A page has at least one slot.");
    if (std::find(log.click.begin(), log.click.end(), 1) == log.click.end())
        return refuse(fmt::format("none of its {} sessions has a click", log.sessions()), "Check the click column; clicks are needed.");
    if (info.needsWholeSlates && !log.wholeSlates())
        return refuse("some sessions leave slots out", "Log every slot of a slate from the first on, or use the position-based model.");
    if (info.singleClick && log.severalClicks())
        return refuse("some sessions have more than one click", "Use dcm, sdbn or dbn, or keep the first click of every session.");
    return {};
}

} // namespace carousel
