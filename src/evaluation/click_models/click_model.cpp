// SPDX-License-Identifier: GPL-3.0-or-later
// Probabilities, posteriors, draws and scores of every click model through the two-state chain of chain.h.
#include "evaluation/click_models/click_model.h"
#include "base/parallel.h"
#include "base/random.h"
#include "evaluation/click_models/chain.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {
class Chain final : public ClickModel {
public:
    Chain(ClickModelKind kind, ClickModelParameters parameters, std::int32_t slots)
        : m_kind(kind), m_parameters(std::move(parameters)), m_slots(slots) {}
    ClickModelKind kind() const override { return m_kind; }
    const ClickModelParameters& parameters() const override { return m_parameters; }

    void conditional(const SessionView& session, std::span<double> out) const override {
        const std::size_t n = session.size();
        ShortArray<ChainRow> rows(n);
        chainRows(m_kind, m_parameters, m_slots, session, rows.data());
        double alive = 1;
        for (std::size_t r = 0; r < n; ++r) {
            const double b = rows[r].emission();
            out[r] = alive * b;
            if (session.click[r])
                alive = rows[r].stay1;
            else
                alive = out[r] < 1 ? alive * (1 - b) * rows[r].stay0 / (1 - out[r]) : 0;
        }
    }
    void marginal(const SessionView& session, std::span<double> out) const override {
        const std::size_t n = session.size();
        if (m_kind == ClickModelKind::ubm)
            return marginalUbm(session, out);
        ShortArray<ChainRow> rows(n);
        chainRows(m_kind, m_parameters, m_slots, session, rows.data());
        double alive = 1;
        for (std::size_t r = 0; r < n; ++r) {
            const double b = rows[r].emission();
            out[r] = alive * b;
            alive *= b * rows[r].stay1 + (1 - b) * rows[r].stay0;
        }
    }
    void examined(const SessionView& session, std::span<double> out) const override {
        const SessionPosterior posterior = sessionPosterior(*this, session, m_slots);
        std::copy(posterior.examined.begin(), posterior.examined.end(), out.begin());
    }
    void draw(const SessionView& session, std::uint64_t seed, std::uint64_t index, std::span<std::uint8_t> click,
              std::span<std::uint8_t> reached) const override {
        const std::size_t n = session.size();
        RandomStream random(seed, "clicks", index);
        auto happens = [&](double p) { return p >= 1 || (p > 0 && static_cast<double>(random.next32()) < p * 0x1.0p32); };
        ShortArray<ChainRow> rows(n);
        std::fill(click.begin(), click.end(), std::uint8_t{0});
        SessionView drawn = session;
        drawn.click = click;
        chainRows(m_kind, m_parameters, m_slots, drawn, rows.data());
        std::size_t last = 0;
        bool alive = true, inView = true;
        for (std::size_t r = 0; r < n; ++r) {
            const auto slot = static_cast<std::size_t>(session.slot[r]);
            if (m_kind == ClickModelKind::ubm)
                rows[r].look = m_parameters.examination[slot * (static_cast<std::size_t>(m_slots) + 1) + last];
            if (m_kind == ClickModelKind::carousel && !reached.empty()) {
                // A page stays in view when the visit ends within it.
                const auto window = m_parameters.window;
                if (r == 0 || session.slot[r] / window != session.slot[r - 1] / window)
                    inView = alive;
                reached[r] = inView;
            }
            if (!alive)
                continue;
            click[r] = happens(rows[r].emission());
            if (click[r])
                last = slot + 1;
            alive = happens(click[r] ? rows[r].stay1 : rows[r].stay0);
        }
    }

private:
    // before[p]: probability that the last click so far was on slot p - 1 (0: none yet)
    void marginalUbm(const SessionView& session, std::span<double> out) const {
        const auto width = static_cast<std::size_t>(m_slots) + 1;
        std::vector<double> before(width, 0.0);
        before[0] = 1;
        for (std::size_t r = 0; r < session.size(); ++r) {
            const auto slot = static_cast<std::size_t>(session.slot[r]);
            const double alpha = m_parameters.attraction[static_cast<std::size_t>(session.item[r])];
            double clicked = 0;
            for (std::size_t p = 0; p <= slot; ++p) {
                const double now = before[p] * m_parameters.examination[slot * width + p] * alpha;
                before[p] -= now;
                clicked += now;
            }
            before[slot + 1] = clicked;
            out[r] = clicked;
        }
    }

    ClickModelKind m_kind;
    ClickModelParameters m_parameters;
    std::int32_t m_slots;
};

Result<void> checkBlock(const char* model, const char* block, const std::vector<double>& values, std::size_t wanted) {
    if (values.size() != wanted)
        return fail(ErrorKind::input, "CL-8022",
                    fmt::format("Click model {}: block '{}' has {} values, {} are needed.", model, block, values.size(), wanted),
                    "Give every block the size of its items, slots or places; leave unused blocks empty.");
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!(values[i] >= 0 && values[i] <= 1))
            return fail(ErrorKind::input, "CL-8022", fmt::format("Click model {}: {}[{}] is {}.", model, block, i, values[i]),
                        "Every parameter is a probability between 0 and 1.");
    return {};
}
double held(double p) {
    return std::clamp(p, 1e-12, 1 - 1e-12);
}
} // namespace

Result<std::unique_ptr<ClickModel>> makeClickModel(ClickModelKind kind, ClickModelParameters parameters, std::int32_t items,
                                                   std::int32_t slots) {
    using K = ClickModelKind;
    const std::string id = clickModels()[static_cast<std::size_t>(kind)].id;
    const auto i = static_cast<std::size_t>(std::max(items, 0)), s = static_cast<std::size_t>(std::max(slots, 0));
    if (kind == K::carousel && parameters.window < 1)
        return fail(ErrorKind::input, "CL-8022", fmt::format("Click model carousel: the window has {} slots.", parameters.window),
                    "A page has at least one slot.");
    std::size_t examination = 0, continuation = 0;
    if (kind == K::rankCtr || kind == K::pbm)
        examination = s;
    else if (kind == K::ubm)
        examination = s * (s + 1);
    else if (kind == K::carousel)
        examination = static_cast<std::size_t>(parameters.window);
    if (kind == K::dcm)
        continuation = s;
    else if (kind == K::dbn || kind == K::ccm)
        continuation = kind == K::dbn ? 1 : 3;
    CAROUSEL_TRY(checkBlock(id.c_str(), "attraction", parameters.attraction, kind == K::rankCtr ? 0 : i));
    CAROUSEL_TRY(checkBlock(id.c_str(), "satisfaction", parameters.satisfaction, kind == K::sdbn || kind == K::dbn ? i : 0));
    CAROUSEL_TRY(checkBlock(id.c_str(), "examination", parameters.examination, examination));
    CAROUSEL_TRY(checkBlock(id.c_str(), "continuation", parameters.continuation, continuation));
    if (kind == K::carousel)
        CAROUSEL_TRY(checkBlock(id.c_str(), "swipe, continueAfterClick, reset",
                                {parameters.swipe, parameters.continueAfterClick, parameters.reset}, 3));
    return std::unique_ptr<ClickModel>(std::make_unique<Chain>(kind, std::move(parameters), slots));
}

double logLikelihood(const ClickModel& model, const SessionView& session) {
    ShortArray<double> p(session.size());
    model.conditional(session, {p.data(), session.size()});
    double sum = 0;
    for (std::size_t r = 0; r < session.size(); ++r)
        sum += std::log(session.click[r] ? held(p[r]) : 1 - held(p[r]));
    return sum;
}

ClickModelScore scoreClickModel(const ClickModel& model, const ClickLog& log) {
    ClickModelScore score;
    const std::size_t n = log.sessions(), slots = static_cast<std::size_t>(log.slots);
    constexpr std::size_t grain = 4096;
    struct Part {
        std::vector<double> marginal, conditional, rows;
    };
    std::vector<Part> parts((n + grain - 1) / grain);
    score.perSession.assign(n, 0.0);
    parallelFor(n, grain, [&](std::size_t begin, std::size_t end) {
        Part& part = parts[begin / grain];
        part.marginal.assign(slots, 0.0);
        part.conditional = part.rows = part.marginal;
        std::vector<double> p;
        for (std::size_t s = begin; s < end; ++s) {
            const SessionView view = session(log, s);
            p.resize(view.size());
            auto logOf = [&](std::size_t r) { return std::log(view.click[r] ? held(p[r]) : 1 - held(p[r])); };
            model.conditional(view, p);
            for (std::size_t r = 0; r < view.size(); ++r) {
                const double value = logOf(r);
                score.perSession[s] += value;
                part.conditional[static_cast<std::size_t>(view.slot[r])] += value;
                part.rows[static_cast<std::size_t>(view.slot[r])] += 1;
            }
            model.marginal(view, p);
            for (std::size_t r = 0; r < view.size(); ++r)
                part.marginal[static_cast<std::size_t>(view.slot[r])] += logOf(r);
        }
    });
    for (const double value : score.perSession)
        score.logLikelihood += value;
    score.logLikelihood = n > 0 ? score.logLikelihood / static_cast<double>(n) : std::nan("");
    score.perplexity.assign(slots, std::nan(""));
    score.conditionalPerplexity = score.perplexity;
    int counted = 0;
    for (std::size_t k = 0; k < slots; ++k) {
        double marginal = 0, conditional = 0, rows = 0;
        for (const Part& part : parts) {
            marginal += part.marginal[k];
            conditional += part.conditional[k];
            rows += part.rows[k];
        }
        if (rows == 0)
            continue;
        score.perplexity[k] = std::exp(-marginal / rows); // 2^(-mean log2 p)
        score.conditionalPerplexity[k] = std::exp(-conditional / rows);
        score.meanPerplexity += score.perplexity[k];
        score.meanConditionalPerplexity += score.conditionalPerplexity[k];
        ++counted;
    }
    score.meanPerplexity = counted > 0 ? score.meanPerplexity / counted : std::nan("");
    score.meanConditionalPerplexity = counted > 0 ? score.meanConditionalPerplexity / counted : std::nan("");
    return score;
}

} // namespace carousel
