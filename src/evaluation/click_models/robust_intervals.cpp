// SPDX-License-Identifier: GPL-3.0-or-later
// Sandwich intervals. With log b = a_item + phi_place (+ rho on later pages), a the log attraction and phi the log look relative to the
// first place, attractions are profiled out: a session's score for phi becomes s_phi + D' s_a, D = d a^(phi) / d phi, whose sums over
// clusters give the middle of the sandwich; its outside is the slope of the profiled score. Where nothing is hidden the information of the
// attractions is diagonal, and both follow from the counts (Schur complement); otherwise attractions are fitted anew a step away in every
// phi.
#include "base/parallel.h"
#include "evaluation/click_models/chain.h"
#include "evaluation/click_models/fit_steps.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
using K = ClickModelKind;

struct Global {
    std::size_t at = 0;       // in the flat vector
    std::size_t estimate = 0; // in the list of estimates
    bool odds = false;        // logit scale; otherwise log
};
double scaled(const Global& global, double p) {
    return global.odds ? std::log(p / (1 - p)) : std::log(p);
}
double unscaled(const Global& global, double x) {
    return global.odds ? 1 / (1 + std::exp(-x)) : std::exp(x);
}

double normalQuantile(double p) {
    double low = -10, high = 10;
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
    }
    return low;
}

// Inverse of a small matrix by Gauss-Jordan with pivots; false when singular.
bool invert(std::vector<double>& a, std::size_t n) {
    std::vector<double> b(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
        b[i * n + i] = 1;
    for (std::size_t c = 0; c < n; ++c) {
        std::size_t pivot = c;
        for (std::size_t r = c + 1; r < n; ++r)
            if (std::fabs(a[r * n + c]) > std::fabs(a[pivot * n + c]))
                pivot = r;
        if (!(std::fabs(a[pivot * n + c]) > 1e-12))
            return false;
        for (std::size_t k = 0; k < n; ++k) {
            std::swap(a[pivot * n + k], a[c * n + k]);
            std::swap(b[pivot * n + k], b[c * n + k]);
        }
        const double scale = 1 / a[c * n + c];
        for (std::size_t k = 0; k < n; ++k) {
            a[c * n + k] *= scale;
            b[c * n + k] *= scale;
        }
        for (std::size_t r = 0; r < n; ++r)
            if (const double factor = a[r * n + c]; r != c && factor != 0)
                for (std::size_t k = 0; k < n; ++k) {
                    a[r * n + k] -= factor * a[c * n + k];
                    b[r * n + k] -= factor * b[c * n + k];
                }
    }
    a = std::move(b);
    return true;
}

struct Profile {
    std::vector<double> slope;  // globals x globals: minus the derivative of the profiled score
    std::vector<double> follow; // items x globals: D
};

class Robust {
public:
    Robust(const ClickLog& log, const ClickCounts& counts, const std::vector<double>& p, const RunControl& control)
        : m_log(log), m_counts(counts), m_layout(counts.layout), m_p(p), m_control(control) {
        Expectation here;
        expectClicks(counts, p, here);
        const std::size_t places = m_layout.continuation - m_layout.examination;
        m_ofPlace.assign(places, -1);
        for (std::size_t k = 1; k < places; ++k)
            if (const std::size_t at = m_layout.examination + k; here.trials[at] > 0 && p[at] > 0) {
                m_ofPlace[k] = static_cast<int>(m_globals.size());
                m_globals.push_back({at, k - 1, false});
            }
        if (m_layout.kind != K::carousel)
            return;
        auto inside = [&](std::size_t at) { return here.trials[at] > 0 && p[at] > 1e-9 && p[at] < 1 - 1e-9; };
        if (inside(m_layout.swipe()))
            m_swipe = add({m_layout.swipe(), places - 1, true});
        if (!m_layout.fixedContinue && inside(m_layout.onAfterClick()))
            m_continue = add({m_layout.onAfterClick(), places, true});
        if (!m_layout.fixedReset && here.trials[m_layout.reset()] > 0 && p[m_layout.reset()] > 1e-9)
            m_reset = add({m_layout.reset(), places + 1, false});
    }
    const std::vector<Global>& globals() const { return m_globals; }

    // Information of certain rows: n b / (1 - b) per cell for log b, expected over clicks.
    Profile fromCounts() const {
        const std::size_t g = m_globals.size();
        Profile profile{std::vector<double>(g * g, 0.0), std::vector<double>(m_layout.items * g, 0.0)};
        for (std::size_t i = 0; i < m_layout.items; ++i) {
            double all = 0;
            std::vector<double> cross(g, 0.0);
            for (std::size_t c = m_counts.start[i]; c < m_counts.start[i + 1]; ++c) {
                const auto context = static_cast<std::size_t>(m_counts.context[c]);
                const double b = std::min(m_p[i] * m_layout.look(m_p, context), 1 - 1e-9), weight = m_counts.shown[c] * b / (1 - b);
                all += weight;
                const int a = m_ofPlace[m_layout.place(context) - m_layout.examination];
                const int r = later(context) ? m_reset : -1;
                for (const int x : {a, r})
                    if (x >= 0)
                        cross[static_cast<std::size_t>(x)] += weight;
                for (const int x : {a, r})
                    for (const int y : {a, r})
                        if (x >= 0 && y >= 0)
                            profile.slope[static_cast<std::size_t>(x) * g + static_cast<std::size_t>(y)] += weight;
            }
            if (all <= 0)
                continue;
            for (std::size_t x = 0; x < g; ++x) {
                profile.follow[i * g + x] = -cross[x] / all;
                for (std::size_t y = 0; y < g; ++y)
                    profile.slope[x * g + y] -= cross[x] * cross[y] / all;
            }
        }
        if (m_swipe >= 0) {
            const double s = m_p[m_layout.swipe()], n = m_counts.wentOn + m_counts.wentOnCrossing + m_counts.ended;
            profile.slope[static_cast<std::size_t>(m_swipe) * (g + 1)] = n * s * (1 - s);
        }
        return profile;
    }

    // Attractions fitted anew with one global parameter a step away.
    Result<Profile> bySteps() const {
        const std::size_t g = m_globals.size();
        Profile profile{std::vector<double>(g * g, 0.0), std::vector<double>(m_layout.items * g, 0.0)};
        ClickFitOptions options;
        options.maxIterations = 200;
        options.tolerance = 1e-12;
        CAROUSEL_ASSIGN(const Climb base, climb(m_counts, m_p, options, m_control, true));
        const std::vector<double> score = globalScore(base.p, base.expectation);
        constexpr double step = 0.02;
        for (std::size_t x = 0; x < g; ++x) {
            std::vector<double> p = base.p;
            p[m_globals[x].at] = unscaled(m_globals[x], scaled(m_globals[x], p[m_globals[x].at]) - step);
            CAROUSEL_ASSIGN(const Climb moved, climb(m_counts, p, options, m_control, true));
            const std::vector<double> other = globalScore(moved.p, moved.expectation);
            for (std::size_t y = 0; y < g; ++y)
                profile.slope[y * g + x] = (other[y] - score[y]) / step;
            for (std::size_t i = 0; i < m_layout.items; ++i)
                if (base.p[i] > 1e-12 && moved.p[i] > 1e-12)
                    profile.follow[i * g + x] = (std::log(base.p[i]) - std::log(moved.p[i])) / step;
            m_control.report("Intervals", static_cast<double>(x + 1), static_cast<double>(g), "parameters");
        }
        for (std::size_t x = 0; x < g; ++x)
            for (std::size_t y = 0; y < x; ++y)
                profile.slope[x * g + y] = profile.slope[y * g + x] = (profile.slope[x * g + y] + profile.slope[y * g + x]) / 2;
        return profile;
    }

    // Sum over clusters of the outer products of profiled scores.
    Result<std::vector<double>> middle(const Profile& profile) const {
        const std::size_t g = m_globals.size(), n = m_log.sessions(), clusters = m_log.clusters();
        std::vector<double> scores(n * g, 0.0);
        const ClickModelParameters parameters = m_layout.unpack(m_p);
        parallelFor(n, 16384, [&](std::size_t begin, std::size_t end) {
            std::vector<std::uint8_t> alive, hidden;
            std::vector<double> living;
            for (std::size_t s = begin; s < end && !m_control.stopRequested(); ++s) {
                const SessionView view = session(m_log, s);
                ShortArray<ChainRow> rows(view.size());
                chainRows(m_layout.kind, parameters, m_log.slots, view, rows.data());
                living.assign(view.size(), 1.0);
                if (m_layout.kind == K::carousel) {
                    alive.resize(view.size());
                    hidden.resize(view.size());
                    pageReach(view, static_cast<int>(m_layout.window), alive.data(), hidden.data());
                    for (std::size_t r = 0; r < view.size(); ++r)
                        if (hidden[r])
                            rows[r].look = 0;
                    alivePosterior({rows.data(), view.size()}, view.click, alive.data(), living.data());
                }
                addSession(view, rows.data(), living.data(), profile, scores.data() + s * g);
            }
        });
        if (m_control.stopRequested())
            return fail(RunControl::cancelled("Computing intervals"));
        if (!m_log.cluster.empty()) {
            std::vector<double> sums(clusters * g, 0.0);
            for (std::size_t s = 0; s < n; ++s)
                for (std::size_t x = 0; x < g; ++x)
                    sums[static_cast<std::size_t>(m_log.cluster[s]) * g + x] += scores[s * g + x];
            scores = std::move(sums);
        }
        std::vector<double> outer(g * g, 0.0);
        for (std::size_t u = 0; u < scores.size() / std::max<std::size_t>(g, 1); ++u)
            for (std::size_t x = 0; x < g; ++x)
                for (std::size_t y = 0; y < g; ++y)
                    outer[x * g + y] += scores[u * g + x] * scores[u * g + y];
        const double size = static_cast<double>(clusters);
        for (double& value : outer)
            value *= size / std::max(size - 1, 1.0);
        return outer;
    }

private:
    int add(Global global) {
        m_globals.push_back(global);
        return static_cast<int>(m_globals.size()) - 1;
    }
    bool later(std::size_t context) const { return m_layout.kind == K::carousel && context >= m_layout.window; }

    // Slope of the log-likelihood in every global parameter. EM's expectations give d / d logit p; for a log scale that is divided by 1 -
    // p, which breaks down at p = 1, so the looks are summed from the cells instead.
    std::vector<double> globalScore(const std::vector<double>& p, const Expectation& expectation) const {
        std::vector<double> score(m_globals.size(), 0.0);
        for (std::size_t x = 0; x < m_globals.size(); ++x)
            if (const Global& global = m_globals[x]; global.odds)
                score[x] = expectation.successes[global.at] - p[global.at] * expectation.trials[global.at];
        std::vector<double> mass = livingTailRows(p);
        for (std::size_t i = 0; i < m_layout.items; ++i)
            for (std::size_t c = m_counts.start[i]; c < m_counts.start[i + 1]; ++c) {
                const auto context = static_cast<std::size_t>(m_counts.context[c]);
                const double b = std::min(p[i] * m_layout.look(p, context), 1 - 1e-12);
                const double slope = m_counts.clicks[c] - (m_counts.shown[c] - m_counts.clicks[c] + mass[c]) * b / (1 - b);
                if (const int x = m_ofPlace[m_layout.place(context) - m_layout.examination]; x >= 0)
                    score[static_cast<std::size_t>(x)] += slope;
                if (m_reset >= 0 && later(context))
                    score[static_cast<std::size_t>(m_reset)] += slope;
            }
        return score;
    }
    std::vector<double> livingTailRows(const std::vector<double>& p) const {
        std::vector<double> mass(m_counts.context.size(), 0.0), emission(m_counts.context.size());
        for (std::size_t i = 0; i < m_layout.items; ++i)
            for (std::size_t c = m_counts.start[i]; c < m_counts.start[i + 1]; ++c)
                emission[c] = p[i] * m_layout.look(p, static_cast<std::size_t>(m_counts.context[c]));
        std::vector<double> ahead(m_layout.slots + 2), alive(m_layout.slots + 2);
        for (const ClickTail& tail : m_counts.tails) {
            tailPosterior(m_counts, emission.data(), tailFirstStay(m_counts, p, tail), hiddenStay(m_layout, p), tail, ahead.data(),
                          alive.data());
            for (std::size_t j = 0; j < tail.rows; ++j)
                if (const std::int32_t cell = m_counts.tailRows[tail.begin + j].cell; cell >= 0)
                    mass[static_cast<std::size_t>(cell)] += tail.weight * alive[j];
        }
        return mass;
    }
    void addSession(const SessionView& view, const ChainRow* rows, const double* living, const Profile& profile, double* score) const {
        const std::size_t g = m_globals.size(), n = view.size();
        const auto window = static_cast<std::size_t>(std::max(parametersWindow(), 1));
        const bool pages = m_layout.kind == K::carousel;
        for (std::size_t r = 0; r < n; ++r) {
            const double b = std::min(rows[r].emission(), 1 - 1e-9), slope = view.click[r] ? 1 : -living[r] * b / (1 - b);
            const auto slot = static_cast<std::size_t>(view.slot[r]);
            const double* follow = profile.follow.data() + static_cast<std::size_t>(view.item[r]) * g;
            for (std::size_t x = 0; x < g; ++x)
                score[x] += slope * follow[x];
            if (const int x = m_ofPlace[pages ? slot % window : slot]; x >= 0)
                score[x] += slope;
            if (!pages)
                continue;
            if (m_reset >= 0 && slot >= window)
                score[m_reset] += slope;
            if (r + 1 < n)
                addStep(view.click[r] != 0, static_cast<std::size_t>(view.slot[r + 1]) / window != slot / window, living[r], living[r + 1],
                        score);
        }
    }
    void addStep(bool click, bool crossing, double here, double next, double* score) const {
        const double s = m_p[m_layout.swipe()], c = m_p[m_layout.onAfterClick()];
        double willing = here; // the visit goes on as far as the click is concerned
        if (click)
            willing = !crossing ? next : c * s < 1 ? 1 - (1 - next) * (1 - c) / (1 - c * s) : 1;
        if (click && m_continue >= 0)
            score[m_continue] += willing - c;
        if (crossing && m_swipe >= 0)
            score[m_swipe] += next - s * willing;
    }
    int parametersWindow() const { return static_cast<int>(m_layout.window); }

    const ClickLog& m_log;
    const ClickCounts& m_counts;
    const ParameterLayout& m_layout;
    const std::vector<double>& m_p;
    const RunControl& m_control;
    std::vector<Global> m_globals;
    std::vector<int> m_ofPlace;
    int m_swipe = -1, m_continue = -1, m_reset = -1;
};
} // namespace

Result<void> robustIntervals(const ClickLog& log, const ClickCounts& counts, const std::vector<double>& p, const IntervalOptions& intervals,
                             const RunControl& control, std::vector<ParameterEstimate>& estimates) {
    const Robust robust(log, counts, p, control);
    const std::vector<Global>& globals = robust.globals();
    const std::size_t g = globals.size();
    if (g == 0 || !(p[counts.layout.examination] > 0))
        return {};
    Profile profile;
    if (counts.tails.empty()) {
        profile = robust.fromCounts();
    } else {
        CAROUSEL_ASSIGN(profile, robust.bySteps());
    }
    CAROUSEL_ASSIGN(const std::vector<double> middle, robust.middle(profile));
    std::vector<double> bread = profile.slope;
    if (!invert(bread, g))
        return {}; // places that share no item: nothing to say
    const double z = normalQuantile((1 + intervals.confidence) / 2);
    for (std::size_t x = 0; x < g; ++x) {
        double variance = 0;
        for (std::size_t y = 0; y < g; ++y)
            for (std::size_t w = 0; w < g; ++w)
                variance += bread[x * g + y] * middle[y * g + w] * bread[w * g + x];
        const double error = std::sqrt(variance),
                     at = scaled(globals[x], globals[x].odds ? p[globals[x].at] : estimates[globals[x].estimate].value);
        Interval interval{unscaled(globals[x], at - z * error), unscaled(globals[x], at + z * error)};
        if (counts.layout.kind == K::carousel && globals[x].at == counts.layout.reset())
            interval.high = std::min(interval.high, 1.0); // held within probabilities
        if (std::isfinite(interval.low) && std::isfinite(interval.high))
            estimates[globals[x].estimate].interval = interval;
    }
    return {};
}

} // namespace carousel
