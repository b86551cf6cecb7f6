// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/prompt_template.h"
#include <kainjow/mustache.hpp>

namespace carousel::plugin {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

struct PromptTemplate::Parsed {
    mustache tree;
};

Result<PromptTemplate> PromptTemplate::parse(const std::string& owner, const std::string& parameter, const std::string& text) {
    mustache tree(text);
    if (!tree.is_valid())
        return fail(ErrorKind::input, "CL-6021",
                    fmt::format("{}: parameter '{}' is not a valid template: {}.", owner, parameter, tree.error_message()),
                    "Every {{#name}} needs its {{/name}}, and every {{ its }}.");
    tree.set_custom_escape([](const std::string& plain) { return plain; });
    PromptTemplate out;
    out.m_parsed = std::make_shared<const Parsed>(Parsed{std::move(tree)});
    return out;
}

std::string PromptTemplate::render(const PromptValues& values) const {
    data root;
    for (const auto& [name, value] : values.texts)
        if (!value.empty())
            root.set(name, value);
    for (const auto& [name, rows] : values.lists) {
        data list(data::type::list);
        for (const auto& row : rows) {
            data entry;
            for (const auto& [key, value] : row)
                if (!value.empty())
                    entry.set(key, value);
            list.push_back(entry);
        }
        root.set(name, list);
    }
    mustache own = m_parsed->tree; // rendering keeps state in the tree
    return own.render(root);
}

} // namespace carousel::plugin
