// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/vectors.h"
#include <array>
#include <cmath>
#include <cstring>

namespace carousel::server {

using nlohmann::json;

namespace {

tl::unexpected<std::string> unusable(std::string why) {
    return tl::unexpected<std::string>(std::move(why));
}

std::optional<std::string> fromBase64(const std::string& text) {
    std::array<int, 256> digit;
    digit.fill(-1);
    const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        digit[static_cast<unsigned char>(alphabet[i])] = static_cast<int>(i);
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    std::size_t end = text.size();
    while (end > 0 && text[end - 1] == '=')
        --end;
    for (std::size_t i = 0; i < end; ++i) {
        const int value = digit[static_cast<unsigned char>(text[i])];
        if (value < 0)
            return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xff);
        }
    }
    return out;
}

Read<std::vector<float>> vectorIn(const json& value) {
    std::vector<float> out;
    if (value.is_string()) {
        const auto bytes = fromBase64(value.get<std::string>());
        if (!bytes || bytes->empty() || bytes->size() % sizeof(float) != 0)
            return unusable("an embedding is no base64 of floats");
        out.resize(bytes->size() / sizeof(float));
        std::memcpy(out.data(), bytes->data(), bytes->size());
    } else if (value.is_array() && !value.empty()) {
        for (const auto& number : value) {
            if (!number.is_number())
                return unusable("an embedding holds something else than numbers");
            out.push_back(number.get<float>());
        }
    } else {
        return unusable("an embedding is missing");
    }
    bool anything = false;
    for (const float x : out) {
        if (!std::isfinite(x))
            return unusable("an embedding holds a value that is not finite");
        anything = anything || x != 0;
    }
    if (!anything)
        return unusable("an embedding is all zeros");
    return out;
}

} // namespace

Read<Matrix> vectorsIn(const json& reply, std::size_t wanted) {
    const auto data = reply.is_object() ? reply.find("data") : reply.end();
    if (!reply.is_object() || data == reply.end() || !data->is_array() || data->size() != wanted)
        return unusable(fmt::format("the reply has {} embeddings for {} texts",
                                    reply.is_object() && data != reply.end() && data->is_array() ? data->size() : 0, wanted));
    Matrix out;
    std::vector<bool> seen(wanted, false);
    for (const auto& entry : *data) {
        const auto index =
            entry.is_object() && entry.contains("index") && entry["index"].is_number_integer() ? entry["index"].get<std::int64_t>() : -1;
        if (index < 0 || index >= static_cast<std::int64_t>(wanted) || seen[static_cast<std::size_t>(index)])
            return unusable(fmt::format("the embeddings' indices are not 0 to {}", wanted - 1));
        seen[static_cast<std::size_t>(index)] = true;
        if (!entry.contains("embedding"))
            return unusable("an embedding is missing");
        const auto vector = vectorIn(entry["embedding"]);
        if (!vector)
            return unusable(vector.error());
        if (out.empty())
            out = Matrix(wanted, vector->size());
        if (vector->size() != out.columns)
            return unusable(fmt::format("embeddings are {} and {} wide", out.columns, vector->size()));
        std::copy(vector->begin(), vector->end(), out.row(static_cast<std::size_t>(index)).begin());
    }
    return out;
}

} // namespace carousel::server
