// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/generation/json_schema.h"
#include "base/text.h"
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace carousel {

namespace {

using Json = nlohmann::ordered_json; // properties keep their order

constexpr const char* basics = "character ::= [^\"\\\\\\x00-\\x1F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" [0-9a-fA-F]{4})\n"
                               "string ::= \"\\\"\" character* \"\\\"\"\n"
                               "integer ::= \"-\"? (\"0\" | [1-9] [0-9]{0,17})\n"
                               "number ::= integer (\".\" [0-9]{1,17})? ([eE] [+\\-]? [0-9]{1,3})?\n"
                               "boolean ::= \"true\" | \"false\"\n"
                               "null ::= \"null\"\n";
constexpr int deepest = 64;

// Thrown and caught in this file only.
struct Refused {
    std::string place, what;
};

// A text as a part of a grammar.
std::string literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c; // JSON text has no raw line ends or control characters
    }
    return out + "\"";
}
std::string written(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Converter {
public:
    std::string run(const Json& schema) {
        m_root = &schema;
        m_rules.emplace_back("root", part(schema, "#", 0));
        std::string text;
        for (const auto& [name, body] : m_rules)
            text += name + " ::= " + body + "\n";
        return text + basics;
    }

private:
    // A rule of its own for what would make a part hard to read, or is needed twice.
    std::string rule(std::string body) {
        std::string name = fmt::format("part-{}", ++m_number);
        m_rules.emplace_back(name, std::move(body));
        return name;
    }
    std::uint64_t count(const Json& schema, const char* key, std::uint64_t otherwise, const std::string& place) const {
        if (!schema.contains(key))
            return otherwise;
        if (!schema[key].is_number_unsigned() || schema[key].get<std::uint64_t>() > 1000)
            throw Refused{place,
                          fmt::format("'{}' is {}; a whole number up to 1000 is known", key, quotedForMessage(written(schema[key])))};
        return schema[key].get<std::uint64_t>();
    }
    static std::string times(std::uint64_t least, std::uint64_t most) {
        return most == unlimited ? fmt::format("{{{},}}", least) : fmt::format("{{{},{}}}", least, most);
    }

    std::string part(const Json& schema, const std::string& place, int depth) {
        if (depth > deepest)
            throw Refused{place, fmt::format("more than {} levels", deepest)};
        if (schema.is_boolean() && schema.get<bool>())
            throw Refused{place, "any value at all (true)"};
        if (!schema.is_object())
            throw Refused{place, fmt::format("{} where a schema should be", quotedForMessage(written(schema)))};
        static const std::set<std::string> known{"type",      "properties", "required",    "items",      "minItems", "maxItems",
                                                 "minLength", "maxLength",  "enum",        "const",      "anyOf",    "oneOf",
                                                 "$ref",      "title",      "description", "default",    "examples", "additionalProperties",
                                                 "$schema",   "$id",        "$defs",       "definitions"};
        for (const auto& [key, value] : schema.items())
            if (!known.count(key))
                throw Refused{place, fmt::format("the keyword '{}' is not known", quotedForMessage(key))};
        if (schema.contains("$ref"))
            return reference(schema["$ref"], place, depth);
        if (schema.contains("const"))
            return literal(written(schema["const"]));
        if (schema.contains("enum")) {
            if (!schema["enum"].is_array() || schema["enum"].empty())
                throw Refused{place, "'enum' is not a list of values"};
            std::vector<std::string> ways;
            for (const Json& value : schema["enum"])
                ways.push_back(literal(written(value)));
            return fmt::format("({})", fmt::join(ways, " | "));
        }
        for (const char* key : {"anyOf", "oneOf"})
            if (schema.contains(key)) {
                if (!schema[key].is_array() || schema[key].empty())
                    throw Refused{place, fmt::format("'{}' is not a list of schemas", key)};
                std::vector<std::string> ways;
                for (std::size_t i = 0; i < schema[key].size(); ++i)
                    ways.push_back(part(schema[key][i], fmt::format("{}/{}/{}", place, key, i), depth + 1));
                return fmt::format("({})", fmt::join(ways, " | "));
            }
        if (!schema.contains("type"))
            throw Refused{place, "there is neither type, enum, const, anyOf, oneOf nor $ref"};
        const Json& type = schema["type"];
        if (type.is_array() && !type.empty()) {
            std::vector<std::string> ways;
            for (const Json& one : type)
                ways.push_back(ofType(schema, one, place, depth));
            return fmt::format("({})", fmt::join(ways, " | "));
        }
        return ofType(schema, type, place, depth);
    }
    std::string reference(const Json& given, const std::string& place, int depth) {
        const std::string name = given.is_string() ? given.get<std::string>() : "";
        if (name == "#")
            return "root";
        for (const std::string folder : {"$defs", "definitions"})
            if (const std::string start = "#/" + folder + "/"; startsWith(name, start) && m_root->contains(folder)) {
                const std::string key = name.substr(start.size());
                if (!(*m_root)[folder].is_object() || !(*m_root)[folder].contains(key))
                    break;
                if (const auto made = m_references.find(name); made != m_references.end())
                    return made->second;
                const std::string ruleName = fmt::format("ref-{}", m_references.size() + 1);
                m_references.emplace(name, ruleName); // before its body, which may need it again
                std::string body = part((*m_root)[folder][key], name, depth + 1);
                m_rules.emplace_back(ruleName, std::move(body));
                return ruleName;
            }
        throw Refused{place, fmt::format("'$ref' is {}; # and #/$defs/NAME that is there are known", quotedForMessage(written(given)))};
    }
    std::string ofType(const Json& schema, const Json& type, const std::string& place, int depth) {
        if (type == "object")
            return object(schema, place, depth);
        if (type == "array")
            return array(schema, place, depth);
        if (type == "string") {
            const std::uint64_t least = count(schema, "minLength", 0, place), most = count(schema, "maxLength", unlimited, place);
            if (least == 0 && most == unlimited)
                return "string";
            if (most < least)
                throw Refused{place, fmt::format("a length from {} to {}", least, most)};
            return fmt::format("\"\\\"\" character{} \"\\\"\"", times(least, most));
        }
        for (const char* name : {"integer", "number", "boolean", "null"})
            if (type == name)
                return name;
        throw Refused{place, fmt::format("'type' is {}", quotedForMessage(written(type)))};
    }
    std::string object(const Json& schema, const std::string& place, int depth) {
        std::set<std::string> required;
        if (schema.contains("required")) {
            if (!schema["required"].is_array())
                throw Refused{place, "'required' is not a list of names"};
            for (const Json& name : schema["required"])
                required.insert(name.is_string() ? name.get<std::string>() : written(name));
        }
        struct Property {
            std::string text;
            bool required;
        };
        std::vector<Property> all;
        if (schema.contains("properties")) {
            if (!schema["properties"].is_object())
                throw Refused{place, "'properties' is not an object"};
            for (const auto& [name, inner] : schema["properties"].items())
                all.push_back({rule(literal(written(Json(name)) + ": ") + " " + part(inner, place + "/properties/" + name, depth + 1)),
                               required.erase(name) > 0});
        }
        if (!required.empty())
            throw Refused{place, fmt::format("'{}' is required and no property", quotedForMessage(*required.begin()))};
        // From behind: what may follow once a property has been written, and what may follow while none has.
        std::string after, first;
        bool mayEnd = true;
        for (std::size_t i = all.size(); i-- > 0;) {
            const std::string rest = after.empty() ? "" : " " + after;
            std::string begun = all[i].text + rest;
            if (all[i].required) {
                first = rule(begun);
                after = rule("\", \" " + begun);
                mayEnd = false;
            } else {
                first = rule(begun + (first.empty() ? "" : " | " + first));
                after = rule("\", \" " + begun + " | " + (after.empty() ? "\"\"" : after));
            }
        }
        if (first.empty())
            return "\"{}\"";
        return fmt::format("\"{{\" {}{} \"}}\"", first, mayEnd ? "?" : "");
    }
    std::string array(const Json& schema, const std::string& place, int depth) {
        if (!schema.contains("items"))
            throw Refused{place, "an array without 'items'"};
        const std::uint64_t least = count(schema, "minItems", 0, place), most = count(schema, "maxItems", unlimited, place);
        if (most < least)
            throw Refused{place, fmt::format("{} to {} items", least, most)};
        const std::string item = rule(part(schema["items"], place + "/items", depth + 1));
        if (most == 0)
            return "\"[]\"";
        const std::string filled =
            fmt::format("{} (\", \" {}){}", item, item, times(least > 0 ? least - 1 : 0, most == unlimited ? unlimited : most - 1));
        return least > 0 ? fmt::format("\"[\" {} \"]\"", filled) : fmt::format("\"[\" ({})? \"]\"", filled);
    }

    static constexpr std::uint64_t unlimited = static_cast<std::uint64_t>(-1);
    const Json* m_root = nullptr;
    int m_number = 0;
    std::vector<std::pair<std::string, std::string>> m_rules;
    std::map<std::string, std::string> m_references;
};

} // namespace

Result<std::string> grammarOfJsonSchema(std::string_view schema) {
    constexpr std::size_t longest = 65536;
    if (schema.size() > longest)
        return fail(ErrorKind::input, "CL-2165", fmt::format("a JSON schema of {} bytes; at most {} are taken", schema.size(), longest),
                    "shorten it");
    const Json document = Json::parse(schema, nullptr, false);
    if (document.is_discarded())
        return fail(ErrorKind::input, "CL-2165", fmt::format("the JSON schema is no JSON; it begins '{}'", quotedForMessage(schema, 60)),
                    "correct it");
    try {
        return Converter().run(document);
    } catch (const Refused& refused) {
        return fail(ErrorKind::input, "CL-2165", fmt::format("JSON schema, {}: {}", refused.place, refused.what),
                    "use the known keywords, or write a grammar, which can say more");
    }
}

} // namespace carousel
