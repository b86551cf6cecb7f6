// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/llm_visitors.h"
#include "experiment/text_words.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

constexpr const char* instruction = "You play a customer of an online shop. You see one row of products and do exactly one thing: open the product that you "
                                    "want most, look at the next row, or leave.";
constexpr const char* nobody = "Nothing is known about this customer.";
constexpr const char* blankProduct = "a product";

std::string onePage(const std::vector<std::string>& products) {
    std::string out = "\n\nThe row:\n";
    for (std::size_t i = 0; i < products.size(); ++i)
        out += fmt::format("{}. {}\n", i + 1, products[i]);
    return out + fmt::format("Answer with one character: 1 to {} opens that product, N is the next row, L leaves.", products.size());
}

double shifted(const std::vector<double>& page, const ActionOffsets& offsets, std::size_t action) {
    return page[action] * std::exp(action + 2 < page.size() ? offsets.product : action + 2 == page.size() ? offsets.next : 0);
}

} // namespace

ActionOffsets fitActionOffsets(std::span<const std::vector<double>> pages, double opened, double turned) {
    const auto inside = [](double share) { return std::clamp(share, 0.001, 0.999); };
    ActionOffsets out;
    // Means over the pages: share that opens, share of the rest that turns. Each rises in its own offset, so bisection finds it.
    const auto shares = [&](const ActionOffsets& offsets) {
        double open = 0, turn = 0, rest = 0;
        for (const auto& page : pages) {
            double sum = 0, products = 0;
            for (std::size_t a = 0; a < page.size(); ++a)
                sum += shifted(page, offsets, a);
            for (std::size_t a = 0; a + 2 < page.size(); ++a)
                products += shifted(page, offsets, a);
            open += products / sum, rest += 1 - products / sum, turn += shifted(page, offsets, page.size() - 2) / sum;
        }
        return std::pair{open / static_cast<double>(pages.size()), rest > 0 ? turn / rest : 0};
    };
    for (int round = 0; round < 20 && !pages.empty(); ++round)
        for (const bool product : {false, true}) {
            double low = -20, high = 20;
            for (int step = 0; step < 50; ++step) {
                double& offset = product ? out.product : out.next;
                offset = (low + high) / 2;
                const auto [open, turn] = shares(out);
                const bool tooFew = product ? open < inside(opened) : turn < inside(turned);
                (tooFew ? low : high) = offset;
            }
        }
    return out;
}

LlmVisitors::LlmVisitors(const Dataset& dataset, std::vector<std::vector<Code>> histories, std::vector<float> value, const Behaviour& behaviour,
                         LanguageModel& model, const LlmVisitorSettings& settings)
    : m_dataset(dataset), m_histories(std::move(histories)), m_value(std::move(value)), m_behaviour(behaviour), m_model(model), m_settings(settings) {}

std::string LlmVisitors::titleOf(std::int32_t item) const {
    return firstBytes(m_dataset.items.displayName(item), m_settings.titleLength);
}

std::string LlmVisitors::personaOf(std::int32_t user, std::span<const std::int32_t> clicked) const {
    const auto& history = m_histories[static_cast<std::size_t>(user)];
    if (history.empty() && clicked.empty())
        return nobody;
    std::string out;
    const auto list = [&](const char* heading, std::span<const std::int32_t> items) {
        out += items.empty() ? "" : heading;
        for (const std::int32_t item : items.last(std::min(items.size(), m_settings.likes)))
            out += fmt::format("- {}\n", titleOf(item));
    };
    list("This customer liked:\n", history);
    list("And opened on earlier visits:\n", clicked);
    return out.substr(0, out.size() - 1);
}

std::string LlmVisitors::pageWords(std::span<const std::int32_t> page) const {
    std::vector<std::string> products;
    for (const std::int32_t item : page)
        products.push_back(titleOf(item));
    return onePage(products);
}

// Log-probabilities among the actions; what the whole vocabulary gives them is added to the counts' answer mass.
Result<std::vector<float>> LlmVisitors::answers(const std::string& persona, const std::string& page, std::size_t products, const RunControl& control) const {
    BranchRequest request;
    request.shared = {{"system", instruction}, {"user", persona}};
    request.branches = {page};
    for (std::size_t i = 0; i < products; ++i)
        request.answers.push_back(std::to_string(i + 1));
    request.answers.emplace_back("N");
    request.answers.emplace_back("L");
    CAROUSEL_ASSIGN(const BranchScores scores, m_model.scoreBranches(request, control.quiet()));
    if (scores.missing(0))
        return fail(ErrorKind::partial, "CL-3135", fmt::format("The language model gave no answer to a page: {}.", scores.reasons.empty() ? "no reason given" : scores.reasons.front()),
                    "Run it again; what was answered is kept.");
    const auto row = scores.logits.row(0);
    std::vector<float> out(row.begin(), row.end());
    const float top = *std::max_element(out.begin(), out.end());
    double sum = 0;
    for (const float x : out)
        sum += std::exp(static_cast<double>(x - top));
    for (float& x : out)
        x -= top + static_cast<float>(std::log(sum));
    m_counts.answerMass += static_cast<double>(scores.answerMass.front());
    m_counts.cutPrompts += !scores.truncated.empty() && scores.truncated.front();
    return out;
}

Result<std::vector<double>> LlmVisitors::actions(const std::string& persona, std::span<const std::int32_t> page, const RunControl& control) const {
    auto blank = m_blank.find(page.size());
    if (blank == m_blank.end()) {
        const LlmVisitorCounts before = m_counts;
        CAROUSEL_ASSIGN(auto made, answers(nobody, onePage(std::vector<std::string>(page.size(), blankProduct)), page.size(), control));
        m_counts = before; // it was nobody's page
        blank = m_blank.emplace(page.size(), std::move(made)).first;
    }
    CAROUSEL_ASSIGN(const auto said, answers(persona, pageWords(page), page.size(), control));
    std::vector<double> out(said.size());
    double top = -1e300, sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i)
        top = std::max(top, out[i] = static_cast<double>(said[i] - blank->second[i]) / m_settings.temperature);
    for (double& x : out)
        x = std::exp(x - top);
    std::vector<double> moved;
    for (std::size_t a = 0; a < out.size(); ++a)
        moved.push_back(shifted(out, m_offsets, a)), sum += moved.back();
    for (double& x : moved)
        x /= sum;
    return moved;
}

Result<Visit> LlmVisitors::visit(std::int32_t user, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random, const RunControl& control) const {
    if (control.stopRequested())
        return fail(RunControl::cancelled("the simulated users"));
    Visit out;
    const auto length = static_cast<std::size_t>(std::find(slate.begin(), slate.end(), -1) - slate.begin());
    const std::string persona = personaOf(user, memory.clicked);
    std::vector<double> liking(length, 0); // chance to be picked on its page, for what was missed
    for (std::size_t first = 0; first < length; first += static_cast<std::size_t>(m_behaviour.window)) {
        const auto page = slate.subspan(first, std::min(static_cast<std::size_t>(m_behaviour.window), length - first));
        CAROUSEL_ASSIGN(const auto chance, actions(persona, page, control));
        ++out.pages, ++m_counts.pages;
        out.looks += static_cast<float>(page.size()); // the model reads the whole page
        std::vector<bool> named;
        for (const std::int32_t item : page)
            named.push_back(persona.find(titleOf(item)) != std::string::npos);
        m_counts.leakedPages += std::find(named.begin(), named.end(), true) != named.end();
        std::copy_n(chance.begin(), page.size(), liking.begin() + static_cast<std::ptrdiff_t>(first));
        double draw = random.uniform();
        std::size_t action = 0;
        while (action + 1 < chance.size() && draw >= chance[action])
            draw -= chance[action++];
        if (action < page.size()) {
            out.clickSlot = static_cast<int>(first + action);
            out.bought = random.uniform() < m_behaviour.buy;
            ++m_counts.clicks, m_counts.leakedClicks += named[action];
            return out;
        }
        if (action > page.size()) {
            ++m_counts.leaves;
            break;
        }
        ++m_counts.swipes;
    }
    // What it would have picked on the pages that it did not turn to, one more answer a page.
    const auto seen = static_cast<std::size_t>(out.pages * m_behaviour.window);
    if (seen < length) {
        double best = *std::max_element(liking.begin(), liking.begin() + static_cast<std::ptrdiff_t>(std::min(seen, length)));
        for (std::size_t first = seen; first < length && !out.missed; first += static_cast<std::size_t>(m_behaviour.window)) {
            const auto page = slate.subspan(first, std::min(static_cast<std::size_t>(m_behaviour.window), length - first));
            CAROUSEL_ASSIGN(const auto chance, actions(persona, page, control));
            out.missed = *std::max_element(chance.begin(), chance.begin() + static_cast<std::ptrdiff_t>(page.size())) > best;
        }
    }
    return out;
}

} // namespace carousel
