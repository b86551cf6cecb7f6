// SPDX-License-Identifier: GPL-3.0-or-later
// What may follow in an answer that must have a certain form. States are small numbers, so that many beams can be followed at once.
// Not for several threads at once: what was worked out is kept.
#pragma once
#include "llm/tokenizer.h"
#include <limits>
#include <span>

namespace carousel {

class TokenConstraint {
public:
    using State = std::uint32_t;
    virtual ~TokenConstraint() = default;
    virtual State start() = 0;
    // The tokens that may follow, ascending; valid until the next call of any function. A constraint that knows the length of what follows
    // leaves out tokens after which the answer could not be whole with `left` more tokens (this one counted).
    virtual std::span<const TokenId> allowed(State state, std::int64_t left) = 0;
    // The answer may be over here.
    virtual bool canEnd(State state) = 0;
    // `token` is one of allowed(state).
    virtual State after(State state, TokenId token) = 0;
    // Every answer is whole however small the limit is, since allowed() sees to it.
    virtual bool fitsAnyLimit() const = 0;
};

} // namespace carousel
