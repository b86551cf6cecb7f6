// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/evaluate.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/pdf.h"
#include "cli/table.h"
#include "workbench/finished_analysis.h"
#include <sys/ioctl.h>
#include <unistd.h>

namespace carousel::cli {

using nlohmann::json;

namespace {
int textWidth() {
    winsize size{};
    if (::isatty(STDOUT_FILENO) && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
        return size.ws_col;
    return 140;
}

Result<Answer> answerOf(const AnalysisDocument& document, std::int64_t id, const EvaluateOptions& options, bool partial = false) {
    const auto& report = document.report;
    Answer answer;
    answer.text = toText(document, textWidth());
    auto findings = json::array();
    for (const auto& finding : report.findings)
        findings.push_back({{"light", name(finding.light)}, {"title", finding.title}, {"text", finding.text}});
    answer.data = {{"analysis", id}, {"kind", document.kind}, {"title", report.title}, {"light", name(report.light)}, {"lead", report.lead}, {"findings", findings},
                   {"figures", json::parse(document.figuresJson, nullptr, false)}, {"specification", document.specToml}, {"command", report.command}};
    answer.warnings = report.warnings;
    if (partial) {
        answer.exitCode = exitCode(ErrorKind::partial);
        answer.data["partial"] = true;
        answer.warnings.emplace_back("Stopped before the last round: this is the result so far. Run the same command again to go on from here.");
    }
    if (id > 0)
        answer.text += fmt::format("Kept as analysis {}: `evaluate show {}`.\n", id, id);
    if (!options.output.empty()) {
        CAROUSEL_TRY(writeDocument(document, options.output));
        answer.text += fmt::format("Wrote {}\n", options.output);
        answer.data["file"] = options.output;
    }
    if (!options.failOn.empty()) {
        const bool failed = report.light == Light::red || (options.failOn == "amber" && report.light == Light::amber);
        answer.data["guard"] = {{"failOn", options.failOn}, {"failed", failed}};
        if (failed) {
            answer.exitCode = exitCode(ErrorKind::guard);
            answer.warnings.push_back(fmt::format("The evidence is '{}', and --fail-on {} was asked for.", name(report.light), options.failOn));
        }
    }
    return answer;
}
} // namespace

Result<Answer> evaluate(Session& session, const EvaluateOptions& options) {
    std::string toml;
    if (!options.specification.empty()) {
        CAROUSEL_ASSIGN(toml, readFile(options.specification, std::size_t(16) << 20));
    }
    std::vector<std::string> sets = options.sets;
    if (!options.data.empty())
        sets.insert(sets.begin(), "dataset=" + options.data);
    if (options.seed >= 0)
        sets.push_back(fmt::format("seed={}", options.seed));
    if (!options.device.empty())
        sets.push_back("device=" + options.device);
    if (!options.compute.empty())
        sets.push_back("compute=" + options.compute);
    if (!options.runs.empty())
        sets.push_back(fmt::format("runs={}", fmt::join(options.runs, ",")));
    auto spec = parseAnalysis(options.kind, toml, session.bench().plugins(), sets);
    if (!spec) {
        Error error = spec.error();
        if (!options.specification.empty())
            error.message = fmt::format("{}: {}", options.specification, error.message);
        return fail(std::move(error));
    }
    CAROUSEL_ASSIGN(Workbench* const bench, options.unsaved ? session.openToRead() : session.openToWrite());
    if (options.acks)
        session.printAcks();
    CAROUSEL_ASSIGN(const auto done, bench->analyse(*spec, session.control()));
    return answerOf(done.document, done.id, options, done.partial);
}

Result<Answer> listAnalyses(Session& session) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto rows, bench->store().analyses());
    Answer answer;
    TextTable table({">Analysis", "Kind", "Data", "Made", "Evidence", "Verdict"});
    auto list = json::array();
    for (const auto& row : rows) {
        table.add({std::to_string(row.id), row.kind, row.dataset, row.createdAt, row.light, shortened(row.verdict, 80)});
        list.push_back({{"id", row.id}, {"kind", row.kind}, {"title", row.title}, {"dataset", row.dataset}, {"createdAt", row.createdAt}, {"light", row.light}, {"verdict", row.verdict}});
    }
    answer.text = rows.empty() ? "No analyses yet. `evaluate clicks` makes the first." : table.text();
    answer.data = {{"analyses", list}};
    return answer;
}

Result<Answer> showAnalysis(Session& session, const EvaluateOptions& options) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto document, bench->analysis(options.id));
    CAROUSEL_ASSIGN(auto answer, answerOf(document, 0, options));
    answer.data["analysis"] = options.id;
    return answer;
}

Result<Answer> addAnalysis(Session& session, const std::string& file) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    CAROUSEL_ASSIGN(const auto id, addFinishedAnalysis(*bench, file));
    Answer answer;
    answer.text = fmt::format("Kept as analysis {}: `evaluate show {}`. Its numbers are those of the machine that made it.\n", id, id);
    answer.data = {{"analysis", id}};
    return answer;
}

Result<Answer> compareAnalyses(Session& session, const EvaluateOptions& options) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto document, bench->compareAnalyses(options.runs));
    CAROUSEL_ASSIGN(auto answer, answerOf(document, 0, options));
    answer.data["analyses"] = options.runs;
    return answer;
}

Result<Answer> removeAnalysis(Session& session, std::int64_t id) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    CAROUSEL_TRY(bench->store().removeAnalysis(id));
    Answer answer;
    answer.text = fmt::format("Removed analysis {}", id);
    answer.data = {{"removed", id}};
    return answer;
}

} // namespace carousel::cli
