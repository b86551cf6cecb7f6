// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/unicode.h"
#include <algorithm>
#include <cstdlib>
#include <utf8proc.h>

namespace carousel {

Character characterAt(std::string_view text, std::size_t at) {
    utf8proc_int32_t code = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                         static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (length <= 0)
        return {};
    return {code, static_cast<std::size_t>(length)};
}

void appendUtf8(std::string& to, std::int32_t code) {
    utf8proc_uint8_t bytes[4];
    const auto length = utf8proc_encode_char(code, bytes);
    to.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

std::string composed(std::string_view text) {
    if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; }))
        return std::string(text);
    utf8proc_uint8_t* result = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                                     &result, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (length < 0)
        return std::string(text);
    std::string out(reinterpret_cast<const char*>(result), static_cast<std::size_t>(length));
    std::free(result);
    return out;
}

bool isLetter(std::int32_t code) {
    if (code >= 0 && code < 128)
        return (code | 32) >= 'a' && (code | 32) <= 'z';
    const auto category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool isNumber(std::int32_t code) {
    if (code >= 0 && code < 128)
        return code >= '0' && code <= '9';
    const auto category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool isWhiteSpace(std::int32_t code) {
    return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool isPunctuation(std::int32_t code) {
    const auto category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool isMark(std::int32_t code) {
    return utf8proc_category(code) == UTF8PROC_CATEGORY_MN;
}

bool isOther(std::int32_t code) {
    const auto category = utf8proc_category(code);
    return category == UTF8PROC_CATEGORY_CN || category >= UTF8PROC_CATEGORY_CC;
}

} // namespace carousel
