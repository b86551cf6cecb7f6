// SPDX-License-Identifier: GPL-3.0-or-later
// Feature words found in texts. Pure functions of their arguments.
#pragma once
#include "evaluation/metrics/text/text_tokens.h"
#include <cstdint>
#include <map>
#include <span>

namespace carousel {

// A closed list of features, each one or more tokens; equal ones count once, those without a token are left out.
class FeatureList {
public:
    explicit FeatureList(std::span<const std::string> features);
    std::size_t size() const { return m_size; }
    std::vector<std::int32_t> in(const TextTokens& text) const; // features that stand in the text: distinct, ascending, 0 .. size() - 1

private:
    std::size_t m_size = 0;
    std::map<std::string, std::vector<std::pair<TextTokens, std::int32_t>>> m_byFirst;
};

struct FeatureUse {
    double coverage = 0; // FCR: features in at least one text / all features; NaN without features
    double overlap = 0;  // DIV: mean number of features that two texts have in common, over all pairs; NaN with fewer than two texts
};
FeatureUse featureUse(std::span<const TextTokens> texts, const FeatureList& features);

} // namespace carousel
