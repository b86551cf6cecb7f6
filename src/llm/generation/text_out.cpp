// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/text_out.h"
#include "base/text.h"
#include <algorithm>

namespace carousel {

namespace {

// Length of the longest end of `text` that is the beginning, but not the whole, of a stop text.
std::size_t begunStop(std::string_view text, const std::vector<std::string>& stops) {
    std::size_t longest = 0;
    for (const std::string& stop : stops)
        for (std::size_t length = std::min(stop.empty() ? 0 : stop.size() - 1, text.size()); length > longest; --length)
            if (text.substr(text.size() - length) == std::string_view(stop).substr(0, length))
                longest = length;
    return longest;
}

// Bytes at the end of `text` that may be the beginning of one character.
std::size_t begunCharacter(std::string_view text) {
    for (std::size_t length = 1; length <= std::min<std::size_t>(3, text.size()); ++length) {
        const auto lead = static_cast<unsigned char>(text[text.size() - length]);
        if ((lead & 0xC0) == 0x80)
            continue;
        const std::size_t whole = lead >= 0xF0 && lead < 0xF8 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC0 && lead < 0xE0 ? 2 : 1;
        return length < whole ? length : 0;
    }
    return 0;
}

} // namespace

std::size_t firstStop(std::string_view text, const std::vector<std::string>& stops) {
    std::size_t first = std::string::npos;
    for (const std::string& stop : stops)
        if (!stop.empty())
            first = std::min(first, text.find(stop));
    return first;
}

bool TextOut::add(std::string_view bytes) {
    if (m_stopped)
        return true;
    m_held += bytes;
    if (const std::size_t stop = firstStop(m_held, m_stops); stop != std::string::npos) {
        m_held.resize(stop);
        m_stopped = true;
        giveOut(m_held.size());
        return true;
    }
    std::size_t safe = m_held.size() - begunStop(m_held, m_stops);
    safe -= begunCharacter(std::string_view(m_held).substr(0, safe));
    giveOut(safe);
    return false;
}

void TextOut::finish() {
    giveOut(m_held.size());
}

void TextOut::giveOut(std::size_t bytes) {
    if (bytes == 0)
        return;
    const std::string piece = replaceInvalidUtf8(std::string_view(m_held).substr(0, bytes));
    m_held.erase(0, bytes);
    m_text += piece;
    if (m_listener)
        m_listener(piece);
}

} // namespace carousel
