// SPDX-License-Identifier: GPL-3.0-or-later
// Feature: item attributes written out as text by a template, the plain way to make words for encoders and prompts.
#include "stages/plugin.h"
#include "support/item_text.h"
#include "support/prompt_template.h"
#include "support/specs.h"

namespace carousel {
namespace {

const char* const defaultTemplate = "{{title}}{{#details}}. {{details}}{{/details}}";

class TextTemplate final : public FeatureBuilder {
public:
    TextTemplate(plugin::PromptTemplate pattern, std::vector<std::string> fields, std::vector<std::string> tagFields, std::size_t limit)
        : m_pattern(std::move(pattern)), m_fields(std::move(fields)), m_tagFields(std::move(tagFields)), m_limit(limit) {}

    Result<FeatureTable> build(const TrainingView& training, const RunControl& control) override {
        const auto& items = training.items();
        CAROUSEL_TRY(plugin::checkFields(items, m_fields, "text_template"));
        CAROUSEL_TRY(plugin::checkFields(items, m_tagFields, "text_template"));
        const auto fields = m_fields.empty() ? plugin::describingFields(items) : m_fields;
        const auto tagFields = m_tagFields.empty() ? plugin::tagFields(items) : m_tagFields;
        FeatureTable out;
        out.itemTags = plugin::tagsFrom(items, tagFields);
        out.itemText.resize(items.size());
        std::size_t onlyIds = 0;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (i % 256 == 0) {
                if (control.stopRequested())
                    return fail(RunControl::cancelled("Writing item texts"));
                control.report("Writing item texts", static_cast<double>(i), static_cast<double>(items.size()), "items");
            }
            const auto item = static_cast<Code>(i);
            plugin::PromptValues values;
            for (const auto& column : items.attributes)
                values.texts[column.name()] = plugin::oneLine(column.text(i), m_limit);
            values.texts["id"] = plugin::oneLine(items.ids.id(item), m_limit);
            values.texts["title"] = plugin::titleOf(items, item, m_limit);
            values.texts["details"] = plugin::detailsOf(items, item, fields);
            std::string tags;
            if (!out.itemTags.empty())
                for (const auto& tag : out.itemTags[i])
                    tags += (tags.empty() ? "" : ", ") + tag.name;
            values.texts["tags"] = tags;
            out.itemText[i] = plugin::oneLine(m_pattern.render(values), m_limit);
            if (out.itemText[i].empty())
                out.itemText[i] = values.texts["id"];
            onlyIds += out.itemText[i] == values.texts["id"];
        }
        if (onlyIds > 0)
            out.notes.push_back(fmt::format("{} of {} items have no text but their id.", onlyIds, items.size()));
        return out;
    }

private:
    plugin::PromptTemplate m_pattern;
    std::vector<std::string> m_fields, m_tagFields;
    std::size_t m_limit;
};

PluginManifest manifest() {
    PluginManifest out;
    out.kind = StageKind::feature;
    out.id = "text_template";
    out.name = "Text from attributes";
    out.summary = "Writes each item's attributes as one text, by a template that the analyst can change. Items without text show their id.";
    out.source = "Column-by-column text templates as in TabLLM (Hegselmann et al., AISTATS 2023)";
    out.twin = "llm_tags";
    out.parameters = {
        plugin::prompt("template", "Template", defaultTemplate,
                       "Text of one item: {{title}}, {{details}}, {{tags}}, {{id}} or any attribute's name; {{#name}}...{{/name}} is left "
                       "out when empty."),
        plugin::dataFields("fields", "Attributes in details",
                           "Attributes that {{details}} lists; leave empty for all that describe an item."),
        plugin::dataFields("tagFields", "Attributes used as tags",
                           "Attributes whose values become tags (for diversity and focus); leave empty to find them."),
        plugin::integer("maximumLength", "Longest text", 400, 20, 10000, "bytes",
                        "Longer texts are cut; long texts cost more in every later place."),
    };
    out.createFeature = [](const Parameters& p, const StageEnvironment&) -> Result<std::unique_ptr<FeatureBuilder>> {
        CAROUSEL_ASSIGN(auto pattern, plugin::PromptTemplate::parse("text_template", "template", p.text("template")));
        return std::make_unique<TextTemplate>(std::move(pattern), p.list("fields"), p.list("tagFields"),
                                              static_cast<std::size_t>(p.integer("maximumLength")));
    };
    return out;
}

} // namespace
} // namespace carousel

CAROUSEL_PLUGIN(carousel::manifest)
