// SPDX-License-Identifier: GPL-3.0-or-later
// export and report.
#include "base/file.h"
#include "base/text.h"
#include "cli/pdf.h"
#include "cli/session.h"
#include "workbench/study_report.h"
#include <algorithm>
#include <filesystem>

namespace carousel::cli {

using nlohmann::json;

namespace {
struct OutputOptions {
    std::int64_t run = 0;
    std::vector<std::int64_t> runs;
    std::string as, file, study;
    bool png = false;
};

Result<Answer> exportRun(Session& session, const OutputOptions& options) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_TRY(bench->exportRun(options.run, options.as, options.file));
    Answer answer;
    answer.text = fmt::format("Wrote {}", options.file);
    answer.data = {{"run", options.run}, {"as", options.as}, {"file", options.file}};
    return answer;
}

// The runs of a study, in the order of its strategies; "latest" is the newest study.
Result<std::vector<std::int64_t>> runsOfStudy(ProjectStore& store, const std::string& study) {
    std::int64_t id = 0;
    if (study == "latest") {
        CAROUSEL_ASSIGN(id, store.latestStudy());
        if (id == 0)
            return fail(ErrorKind::input, "CL-4007", "The project holds no study yet.", "`run SPEC.toml` makes the first.");
    } else if (const auto number = parseInteger(study)) {
        id = *number;
    } else {
        return fail(ErrorKind::usage, "CL-3000", fmt::format("--study takes a number or 'latest', not '{}'.", quotedForMessage(study)), "See `runs list`.");
    }
    CAROUSEL_TRY(store.studyToml(id));
    CAROUSEL_ASSIGN(const auto rows, store.runs());
    std::vector<std::int64_t> runs;
    for (const auto& row : rows)
        if (row.study == id && row.state == RunState::complete)
            runs.push_back(row.id);
    std::reverse(runs.begin(), runs.end());
    if (runs.empty())
        return fail(ErrorKind::input, "CL-7012", fmt::format("Study {} has no complete run.", id), fmt::format("Go on with `resume {}`.", id));
    return runs;
}

Result<Answer> writeReport(Session& session, const OutputOptions& options) {
    if (options.runs.empty() == options.study.empty())
        return fail(ErrorKind::usage, "CL-3000", "Name the runs of the report, or its study.", "Write `report 1 2 3 -o FILE.html` or `report --study latest -o FILE.html`.");
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    auto runs = options.runs;
    if (!options.study.empty()) {
        CAROUSEL_ASSIGN(runs, runsOfStudy(bench->store(), options.study));
    }
    if (isPdf(options.file)) {
        if (options.png)
            return fail(ErrorKind::usage, "CL-3000", "--png goes with an HTML report; a PDF holds its plots.", "Write `report RUN... -o FILE.html --png`.");
        CAROUSEL_ASSIGN(const auto document, reportDocument(*bench, runs, session.control()));
        CAROUSEL_TRY(writePdf(document, options.file));
    } else {
        CAROUSEL_TRY(bench->writeReport(runs, options.file, options.png, session.control()));
    }
    Answer answer;
    answer.text = fmt::format("Wrote {}", options.file);
    answer.data = {{"file", options.file}, {"runs", runs}, {"png", options.png}};
    return answer;
}
} // namespace

void addOutputCommands(CLI::App& app, Session& session) {
    auto options = std::make_shared<OutputOptions>();
    auto* out = app.add_subcommand("export", "Write one run for other programs");
    out->add_option("run", options->run, "Run")->required();
    out->add_option("--as", options->as, "trec, csv, json or jsonl")->required()->check(CLI::IsMember({"trec", "csv", "json", "jsonl"}));
    out->add_option("-o,--output", options->file, "File to write")->required();
    session.chosen(out, "export", [&session, options] { return exportRun(session, *options); });
    auto* report = app.add_subcommand("report", "Write a report of several runs");
    report->add_option("runs", options->runs, "Runs");
    report->add_option("--study", options->study, "All complete runs of a study")->type_name("ID|latest");
    report->add_option("-o,--output", options->file, "FILE.html, FILE.pdf, FILE.json or a folder")->required()->type_name("FILE");
    report->add_flag("--png", options->png, "Also write the plots as PNG beside it");
    session.chosen(report, "report", [&session, options] { return writeReport(session, *options); });
}

} // namespace carousel::cli
