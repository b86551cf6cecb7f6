// SPDX-License-Identifier: GPL-3.0-or-later
// Mustache templates for item texts and prompts: {{title}} puts a value in, {{#tags}}...{{/tags}} is left out when tags is empty, and
// {{#liked}}- {{title}} ...{{/liked}} repeats for a list. Values are put in as they are and never read as template text.
#pragma once
#include "base/result.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace carousel::plugin {

struct PromptValues {
    std::map<std::string, std::string> texts; // empty ones count as absent
    std::map<std::string, std::vector<std::map<std::string, std::string>>> lists;
};

class PromptTemplate { // safe from any thread
public:
    // CL-6021 naming `owner` and `parameter` when the text is no valid template.
    static Result<PromptTemplate> parse(const std::string& owner, const std::string& parameter, const std::string& text);
    std::string render(const PromptValues& values) const;

private:
    struct Parsed;
    std::shared_ptr<const Parsed> m_parsed;
};

} // namespace carousel::plugin
