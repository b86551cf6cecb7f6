// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/report_record.h"
#include "base/text.h"
#include <nlohmann/json.hpp>
#include <optional>

namespace carousel {

namespace {
using nlohmann::json;
constexpr const char* format = "carousel-lab/figures";
constexpr int version = 1;

tl::unexpected<Error> refused(const std::string& message) {
    return fail(ErrorKind::input, "CL-5007", message, "Name an HTML or JSON file that `report` or `evaluate` wrote; write it again if a version without figures wrote it.");
}

// The text of the script element with this id; none when there is no such element or it never ends.
std::optional<std::string> scriptText(const std::string& html, const std::string& id) {
    const auto start = html.find("<script type=\"application/json\" id=\"" + id + "\">");
    if (start == std::string::npos)
        return {};
    const auto from = html.find('>', start) + 1, to = html.find("</script>", from);
    return to == std::string::npos ? std::optional<std::string>() : html.substr(from, to - from);
}

std::string textOf(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Specification, kind, title and figures of either form.
Result<ReportRecord> readParts(const json& from) {
    ReportRecord out{.kind = textOf(from, "kind"), .title = textOf(from, "title"), .specToml = textOf(from, "specification"), .figuresJson = {}, .provenanceJson = {}};
    const auto figures = from.find("figures");
    if (out.kind.empty() || out.specToml.empty() || figures == from.end())
        return refused("The report names no kind, specification or figures.");
    const json held = figures->is_string() ? json::parse(figures->get_ref<const std::string&>(), nullptr, false) : *figures;
    if (!held.is_object())
        return refused("The figures of the report are no JSON object.");
    out.figuresJson = held.dump(-1, ' ', false, json::error_handler_t::replace);
    return out;
}
} // namespace

std::string figuresRecord(const AnalysisDocument& document) {
    const json figures = json::parse(document.figuresJson, nullptr, false);
    if (!figures.is_object())
        return {};
    const json out{{"format", format}, {"version", version}, {"kind", document.kind}, {"title", document.report.title}, {"specification", document.specToml}, {"figures", figures}};
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<ReportRecord> readReportRecord(const std::string& text) {
    const std::string_view inside = trimmed(text);
    if (!inside.empty() && inside.front() == '{') {
        const json document = json::parse(inside, nullptr, false);
        if (!document.is_object())
            return refused("The file begins like JSON and cannot be read to its end.");
        if (textOf(document, "format") != "carousel-lab/analysis")
            return refused("The file is JSON, but no report of this program.");
        CAROUSEL_ASSIGN(auto out, readParts(document));
        const auto provenance = document.find("provenance");
        out.provenanceJson = provenance == document.end() ? "" : provenance->is_string() ? provenance->get<std::string>() : provenance->dump();
        return out;
    }
    const auto provenance = scriptText(text, "carousel-lab-provenance"), figures = scriptText(text, "carousel-lab-figures");
    if (!provenance)
        return refused("The file is no report of this program: it carries no provenance.");
    if (!figures)
        return refused("The report carries no figures in machine-readable form.");
    const json block = json::parse(*figures, nullptr, false);
    if (!block.is_object() || textOf(block, "format") != format)
        return refused("The figures of the report cannot be read.");
    if (const auto written = block.find("version"); written == block.end() || *written != version)
        return refused(fmt::format("The figures of the report are of version {}, and this program reads version {}.", written == block.end() ? std::string("unknown") : written->dump(), version));
    CAROUSEL_ASSIGN(auto out, readParts(block));
    out.provenanceJson = *provenance;
    return out;
}

} // namespace carousel
