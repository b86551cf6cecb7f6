// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/metrics/text/text_features.h"
#include <algorithm>
#include <limits>

namespace carousel {

FeatureList::FeatureList(std::span<const std::string> features) {
    for (const auto& feature : features) {
        const auto tokens = textTokens(feature);
        if (tokens.empty())
            continue;
        auto& known = m_byFirst[tokens.front()];
        if (std::none_of(known.begin(), known.end(), [&](const auto& one) { return one.first == tokens; }))
            known.emplace_back(tokens, static_cast<std::int32_t>(m_size++));
    }
}

std::vector<std::int32_t> FeatureList::in(const TextTokens& text) const {
    std::vector<std::int32_t> found;
    for (std::size_t at = 0; at < text.size(); ++at)
        if (const auto here = m_byFirst.find(text[at]); here != m_byFirst.end())
            for (const auto& [tokens, code] : here->second)
                if (tokens.size() <= text.size() - at && std::equal(tokens.begin(), tokens.end(), text.begin() + static_cast<std::ptrdiff_t>(at)))
                    found.push_back(code);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

FeatureUse featureUse(std::span<const TextTokens> texts, const FeatureList& features) {
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
    if (features.size() == 0)
        return {undefined, undefined};
    std::vector<double> texted(features.size()); // texts per feature
    for (const auto& text : texts)
        for (const auto code : features.in(text))
            ++texted[static_cast<std::size_t>(code)];
    double used = 0, pairs = 0;
    for (const double n : texted) {
        used += n > 0;
        pairs += n * (n - 1) / 2; // pairs of texts that share this feature
    }
    const auto n = static_cast<double>(texts.size());
    return {used / static_cast<double>(features.size()), n < 2 ? undefined : pairs / (n * (n - 1) / 2)};
}

} // namespace carousel
