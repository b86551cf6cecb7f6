// SPDX-License-Identifier: GPL-3.0-or-later
// From the bytes of tokens to text that may be shown while it is written: whole UTF-8 characters only, and never a part of a stop text,
// wherever token borders lie.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

// Where the earliest of the stop texts begins, or npos.
std::size_t firstStop(std::string_view text, const std::vector<std::string>& stops);

class TextOut {
public:
    TextOut(std::vector<std::string> stops, std::function<void(std::string_view)> listener)
        : m_stops(std::move(stops)), m_listener(std::move(listener)) {}
    // True once a stop text is there; what follows it is not taken.
    bool add(std::string_view bytes);
    // No more comes: gives out what was held back because it could have become a stop text or a character.
    void finish();
    const std::string& text() const { return m_text; } // given out so far; bad bytes replaced by U+FFFD

private:
    void giveOut(std::size_t bytes);
    std::vector<std::string> m_stops;
    std::function<void(std::string_view)> m_listener;
    std::string m_held, m_text;
    bool m_stopped = false;
};

} // namespace carousel
