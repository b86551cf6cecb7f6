// SPDX-License-Identifier: GPL-3.0-or-later
// An analysis as files: one HTML page, one JSON document, or a folder with a table and a picture of everything.
#include "base/file.h"
#include "base/text.h"
#include "report/analysis_document.h"
#include "report/csv.h"
#include "report/report_record.h"
#include <filesystem>
#include <set>

namespace carousel {

namespace {
namespace fs = std::filesystem;

// A file name that every system takes: letters, digits and _.
std::string slug(std::string_view text, std::size_t limit = 40) {
    std::string out;
    for (const char c : lowered(text)) {
        const bool keeps = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (keeps)
            out += c;
        else if (!out.empty() && out.back() != '_')
            out += '_';
        if (out.size() >= limit)
            break;
    }
    while (!out.empty() && out.back() == '_')
        out.pop_back();
    return out;
}

std::string tableCsv(const ReportTable& table) {
    std::vector<bool> interval(table.columns.size()), note(table.columns.size());
    for (const auto& row : table.rows)
        for (std::size_t c = 0; c < row.size() && c < table.columns.size(); ++c) {
            interval[c] = interval[c] || !row[c].interval.empty();
            note[c] = note[c] || !row[c].note.empty();
        }
    std::vector<std::string> fields;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
        fields.push_back(table.columns[c].title);
        if (interval[c])
            fields.push_back(table.columns[c].title + " (interval)");
        if (note[c])
            fields.push_back(table.columns[c].title + " (note)");
    }
    std::string csv = csvRow(fields);
    for (const auto& row : table.rows) {
        fields.clear();
        for (std::size_t c = 0; c < row.size() && c < table.columns.size(); ++c) {
            fields.push_back(row[c].text);
            if (interval[c])
                fields.push_back(row[c].interval);
            if (note[c])
                fields.push_back(row[c].note);
        }
        csv += csvRow(fields);
    }
    return csv;
}

Result<void> writeFolder(const AnalysisDocument& document, const std::string& folder) {
    CAROUSEL_ASSIGN(const auto html, htmlReport(document.report, figuresRecord(document)));
    CAROUSEL_TRY(makeFolders(folder));
    std::set<std::string> taken;
    auto stem = [&](const std::string& wanted) { // no two files share a name
        std::string name = wanted.empty() ? "part" : wanted;
        for (int i = 2; !taken.insert(name).second; ++i)
            name = fmt::format("{}_{}", wanted.empty() ? "part" : wanted, i);
        return folder + "/" + name;
    };
    CAROUSEL_TRY(atomicWrite(folder + "/index.html", html));
    CAROUSEL_TRY(atomicWrite(folder + "/figures.json", document.figuresJson.empty() ? std::string("{}") : document.figuresJson));
    CAROUSEL_TRY(atomicWrite(folder + "/specification.toml", document.specToml));
    for (const auto& section : document.report.sections) {
        for (const auto& plot : section.plots) {
            const std::string file = stem(slug(plot.id.empty() ? plot.title : plot.id));
            CAROUSEL_TRY(atomicWrite(file + ".svg", toSvg(plot)));
            CAROUSEL_TRY(atomicWrite(file + ".csv", toCsv(plot)));
        }
        for (const auto& table : section.tables)
            CAROUSEL_TRY(atomicWrite(stem("table_" + slug(table.caption.empty() ? section.title : table.caption)) + ".csv", tableCsv(table)));
    }
    return {};
}
} // namespace

Result<void> writeAnalysis(const AnalysisDocument& document, const std::string& fileOrFolder) {
    std::error_code error;
    const fs::path path(fileOrFolder);
    const std::string extension = lowered(path.extension().string());
    if (fs::is_directory(path, error) || extension.empty())
        return writeFolder(document, fileOrFolder);
    if (extension != ".html" && extension != ".htm" && extension != ".json")
        return fail(ErrorKind::usage, "CL-5006", fmt::format("'{}' ends in '{}', and an analysis is written as .html, .json or a folder.", fileOrFolder, path.extension().string()),
                    "Name FILE.html, FILE.json or a folder.");
    if (const auto folder = path.parent_path().string(); !folder.empty())
        CAROUSEL_TRY(makeFolders(folder));
    if (extension == ".json")
        return atomicWrite(fileOrFolder, toJson(document));
    CAROUSEL_ASSIGN(const auto html, htmlReport(document.report, figuresRecord(document)));
    return atomicWrite(fileOrFolder, html);
}

} // namespace carousel
