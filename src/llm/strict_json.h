// SPDX-License-Identifier: GPL-3.0-or-later
// Small JSON files that come with a model (config.json, an index of shards), read as hostile input: UTF-8, no key twice, bounded nesting,
// every number range-checked where it is asked for. Every error is CL-2040 and names the file and the field.
#pragma once
#include "base/result.h"
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace carousel {

class StrictJson {
public:
    static Result<StrictJson> read(const std::string& path, std::size_t largestBytes = std::size_t(1) << 20);
    static Result<StrictJson> parse(std::string_view text, const std::string& path);

    const std::string& path() const { return m_path; }
    const nlohmann::json& root() const { return *m_root; } // an object
    // Fields of the root object; "a.b" looks into the object a. Absent and null fields are the same thing.
    bool has(std::string_view field) const;
    Result<std::int64_t> integer(std::string_view field, std::int64_t minimum, std::int64_t maximum) const;
    Result<double> number(std::string_view field, double minimum, double maximum) const; // finite
    Result<bool> boolean(std::string_view field) const;
    Result<std::string> text(std::string_view field) const;
    Result<std::map<std::string, std::string>> texts(std::string_view field) const; // an object of texts
    // The field, or the given value when it is absent.
    Result<std::int64_t> integerOr(std::string_view field, std::int64_t minimum, std::int64_t maximum, std::int64_t otherwise) const;
    Result<double> numberOr(std::string_view field, double minimum, double maximum, double otherwise) const;
    Result<bool> booleanOr(std::string_view field, bool otherwise) const;
    Result<std::string> textOr(std::string_view field, const std::string& otherwise) const;
    // A value as it stands, short enough for a message.
    std::string shown(std::string_view field) const;
    tl::unexpected<Error> refuse(const std::string& what) const; // CL-2040

private:
    StrictJson() = default;
    const nlohmann::json* find(std::string_view field) const;
    std::string m_path;
    std::shared_ptr<const nlohmann::json> m_root;
};

} // namespace carousel
