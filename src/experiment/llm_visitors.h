// SPDX-License-Identifier: GPL-3.0-or-later
// Simulated users that are a language model: told what a customer bought and liked, shown a page of the carousel, it picks an action (the number
// of a product, the next page, or leaving) by the likelihood of the answers. The same model with a blank customer and blank products says what
// it picks whatever it is told, and that is taken off (Zhao et al., ICML 2021, contextual calibration). An idea of Agent4Rec and RecAgent,
// held to what it can show: how often it is wrong about the log is measured beside it.
#pragma once
#include "data/dataset.h"
#include "evaluation/simulation/visitors.h"
#include "stages/language_model.h"
#include <map>

namespace carousel {

struct LlmVisitorSettings {
    std::size_t likes = 8;      // items of the history that the persona names, the newest
    double temperature = 1;     // of the picks
    std::size_t titleLength = 60; // bytes; longer titles are cut
};
// What was counted while they visited.
struct LlmVisitorCounts {
    std::int64_t pages = 0, clicks = 0, swipes = 0, leaves = 0;
    std::int64_t leakedPages = 0;  // pages with a title that the persona names as well
    std::int64_t leakedClicks = 0; // clicks on such a title
    std::int64_t cutPrompts = 0;   // that did not fit the model's context
    double answerMass = 0;         // sum over pages: probability of all actions together, before calibration
};

// Added to the log-odds of opening any product and of turning the page, so that the model does each as often as people do; which product it
// opens stays its own affair.
struct ActionOffsets {
    double product = 0, next = 0;
};
// So that over `pages` (probabilities of actions(), by page) the mean chance to open a product is `opened`, and of the rest the share `turned`
// turns the page. Both are kept inside [0.001, 0.999].
ActionOffsets fitActionOffsets(std::span<const std::vector<double>> pages, double opened, double turned);

class LlmVisitors final : public Visitors {
public:
    // `histories`: per user, oldest first, what they liked before the simulation. `behaviour`: window, buying and satisfaction hold; looking and
    // swiping are the model's. All outlive the visitors.
    LlmVisitors(const Dataset& dataset, std::vector<std::vector<Code>> histories, std::vector<float> value, const Behaviour& behaviour, LanguageModel& model,
                const LlmVisitorSettings& settings);
    std::size_t users() const override { return m_dataset.users.size(); }
    std::size_t items() const override { return m_dataset.items.size(); }
    const Behaviour& behaviour() const override { return m_behaviour; }
    double valueOf(std::int32_t item) const override { return m_value.empty() ? 1.0 : static_cast<double>(m_value[static_cast<std::size_t>(item)]); }
    bool oneAtATime() const override { return true; }
    Result<Visit> visit(std::int32_t user, std::span<const std::int32_t> slate, VisitMemory& memory, RandomStream& random,
                        const RunControl& control) const override;

    // Probabilities of the actions on one page: its products in order, the next page, leaving. Sums to 1.
    Result<std::vector<double>> actions(const std::string& persona, std::span<const std::int32_t> page, const RunControl& control) const;
    void setOffsets(const ActionOffsets& offsets) { m_offsets = offsets; } // before anybody visits
    void forgetCounts() { m_counts = {}; }
    std::string personaOf(std::int32_t user, std::span<const std::int32_t> clicked = {}) const; // clicked: in this simulation
    std::string pageWords(std::span<const std::int32_t> page) const;
    LlmVisitorCounts counts() const { return m_counts; }

private:
    Result<std::vector<float>> answers(const std::string& persona, const std::string& page, std::size_t products, const RunControl& control) const;
    std::string titleOf(std::int32_t item) const;

    const Dataset& m_dataset;
    std::vector<std::vector<Code>> m_histories;
    std::vector<float> m_value;
    const Behaviour& m_behaviour;
    LanguageModel& m_model;
    LlmVisitorSettings m_settings;
    ActionOffsets m_offsets;
    mutable std::map<std::size_t, std::vector<float>> m_blank; // by number of products: log-probabilities of a blank page
    mutable LlmVisitorCounts m_counts;
};

} // namespace carousel
