// SPDX-License-Identifier: GPL-3.0-or-later
// Semantic item ids: items with alike vectors get codes that begin alike. A first level of k-means over the vectors, a second one over what
// the first leaves over, and so on; the last code tells apart items that share all others.
// Source: TIGER (Rajput et al., NeurIPS 2023, section 3.1), whose quantiser is a trained RQ-VAE. Here residual k-means takes its place (no
// training, and nothing that can collapse), on columns of mean 0 and variance 1, with k-means++ (Arthur and Vassilvitskii, SODA 2007).
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include "base/run_control.h"
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

struct SemanticIdentifierSettings {
    int levels = 3;      // of k-means, 1..8
    int codes = 256;     // per level, 1..65536
    int iterations = 25; // of Lloyd's algorithm per level, at least 1; fewer when nothing moves any more
    std::uint64_t seed = 1;
};

struct SemanticLevel {
    std::size_t used = 0;  // codes that at least one item has
    double perplexity = 0; // exp of the entropy (natural log) of the codes over the items: 1..codes; 0 without items
    double reconstructionError =
        0; // mean squared error of the standardised vectors rebuilt from the codes so far, over their mean square: 0..1
};

class SemanticIdentifiers {
public:
    // embeddings: items x width. A row that is all zero or holds a value that is not finite counts as cold: it has no place among the
    // others and gets the reserved first code `codes()`; its other codes count cold items.
    // The result depends on the set of vectors and the seed, not on the order of the items: the same items in another order get the same
    // ids, except that items whose vectors are equal to the last bit take their last codes (cold ones: all) in the order given.
    // CL-1040: a setting that is out of range. CL-7001 when asked to stop. Any thread; uses parallelFor.
    static Result<SemanticIdentifiers> make(const Matrix& embeddings, const SemanticIdentifierSettings& settings,
                                            const RunControl& control);

    std::size_t items() const { return m_length == 0 ? 0 : m_codes.size() / m_length; }
    std::size_t length() const { return m_length; } // codes per item: levels + 1
    // Unique over the items. Codes of a level of k-means: 0 .. codes() - 1, and codes() first for a cold item; the last: 0 .. lastCodes()
    // - 1.
    std::span<const std::int32_t> of(std::size_t item) const { return {m_codes.data() + item * m_length, m_length}; }
    bool isCold(std::size_t item) const { return of(item).front() == m_levelCodes; }
    std::int32_t codes() const { return m_levelCodes; }
    std::int32_t lastCodes() const { return m_lastCodes; }

    // About the items that are not cold.
    const std::vector<SemanticLevel>& levels() const { return m_levels; }
    double collisionRate() const { return m_collisionRate; } // 1 - different codes before the last one / items; 0 without items
    std::size_t coldItems() const { return m_cold; }
    std::string describe() const; // one sentence for people

private:
    std::size_t m_length = 0, m_cold = 0;
    std::int32_t m_levelCodes = 0, m_lastCodes = 1;
    std::vector<std::int32_t> m_codes; // items x length
    std::vector<SemanticLevel> m_levels;
    double m_collisionRate = 0;
};

} // namespace carousel
