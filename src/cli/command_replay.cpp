// SPDX-License-Identifier: GPL-3.0-or-later
// replay REPORT: makes a report again from what it carries and says, figure by figure, whether the same came out.
#include "base/file.h"
#include "cli/replay.h"
#include "cli/table.h"
#include "workbench/replay.h"
#include <cmath>

namespace carousel::cli {

using nlohmann::json;

namespace {
constexpr std::size_t longestReport = std::size_t(512) << 20, longestTable = 60;

struct Options {
    std::string report;
    ReplayOptions replay;
    bool all = false;
};

// Figures by what they belong to: the path without its last step, and without a place in a list.
std::string groupOf(const std::string& path) {
    const auto dot = path.rfind('.');
    std::string group = dot == std::string::npos ? path : path.substr(0, dot);
    if (const auto open = group.rfind('['); open != std::string::npos && group.back() == ']' && group.find_first_not_of("0123456789", open + 1) == group.size() - 1)
        group.erase(open);
    return group == path ? std::string("(the report as a whole)") : group;
}

std::string groupTable(const FigureComparison& comparison) {
    struct Group {
        std::string name;
        std::size_t figures = 0, differing = 0;
    };
    std::vector<Group> groups;
    for (const auto& row : comparison.rows) {
        if (row.kind != FigureClass::figure)
            continue;
        const std::string name = groupOf(row.path);
        auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& group) { return group.name == name; });
        if (found == groups.end())
            found = groups.insert(groups.end(), Group{name});
        ++found->figures;
        found->differing += row.equal ? 0 : 1;
    }
    TextTable table({"Part of the report", ">Figures", "Verdict"});
    std::size_t equalRows = 0;
    for (const auto& group : groups) {
        if (group.differing == 0 && ++equalRows > longestTable)
            continue; // those that differ are never left out
        table.add({shortened(group.name, 80), std::to_string(group.figures), group.differing == 0 ? "equal" : fmt::format("{} differ", group.differing)});
    }
    return table.text() + (equalRows > longestTable ? fmt::format("and {} more parts, all equal\n", equalRows - longestTable) : std::string());
}

std::string figureTable(const FigureComparison& comparison, bool figures, bool all) {
    TextTable table(figures ? std::vector<std::string>{"Figure", ">Report", ">Replay", ">Difference"} : std::vector<std::string>{"Not compared", ">Report", ">Replay"});
    std::size_t shown = 0, left = 0;
    for (const auto& row : comparison.rows) {
        if ((row.kind == FigureClass::figure) != figures || (figures && !all && row.equal))
            continue;
        if (!all && shown >= longestTable) {
            ++left;
            continue;
        }
        ++shown;
        const auto cell = [](const std::string& text) { return text.empty() ? std::string("not there") : shortened(text, 28); };
        if (figures)
            table.add({shortened(row.path, 80), cell(row.report), cell(row.replay), row.equal ? "equal" : std::isfinite(row.difference) ? fmt::format("{:+.6g}", row.difference) : "other"});
        else
            table.add({shortened(row.path, 80), cell(row.report), cell(row.replay)});
    }
    if (table.empty())
        return {};
    return table.text() + (left > 0 ? fmt::format("and {} more: --all or --json shows every one\n", left) : std::string());
}

json rowJson(const ComparedFigure& row) {
    const auto value = [](const std::string& text) { return text.empty() ? json() : json::parse(text, nullptr, false); };
    json out{{"figure", row.path}, {"report", value(row.report)}, {"replay", value(row.replay)}, {"equal", row.equal}};
    out["difference"] = std::isfinite(row.difference) ? json(row.difference) : json();
    return out;
}

Result<Answer> replayReport(Session& session, const Options& options) {
    CAROUSEL_ASSIGN(const auto text, readFile(options.report, longestReport));
    auto record = readReportRecord(text);
    if (!record) {
        Error error = record.error();
        error.message = fmt::format("{}: {}", options.report, error.message);
        return fail(std::move(error));
    }
    CAROUSEL_ASSIGN(Workbench* const bench, options.replay.into.empty() ? session.openToWrite() : session.openToRead());
    CAROUSEL_ASSIGN(const auto done, replay(*bench, *record, options.replay, session.control()));
    const auto& comparison = done.comparison;
    Answer answer;
    answer.warnings = done.warnings;
    answer.text = comparison.equal() ? fmt::format("Equal: all {} figures of '{}' came out again, to the last digit.\n\n", comparison.figures, record->title)
                                     : fmt::format("Differs: {} of {} figures of '{}' came out otherwise.\n\n", comparison.differing, comparison.figures, record->title);
    TextTable checks({"Checked before", "Verdict"});
    for (const auto& check : done.checks)
        checks.add({shortened(check.what, 60), check.same ? "the same" : "another build"});
    answer.text += checks.text() + "\n" + groupTable(comparison);
    if (const auto table = figureTable(comparison, true, options.all); !table.empty())
        answer.text += "\n" + table;
    if (const auto table = figureTable(comparison, false, options.all); !table.empty())
        answer.text += "\n" + table + "These follow from the clock and from what was answered before; they are no part of the verdict.\n";
    if (done.analysis > 0)
        answer.text += fmt::format("\nKept as analysis {}.\n", done.analysis);
    else if (!done.runs.empty())
        answer.text += fmt::format("\nKept as run {}.\n", fmt::join(done.runs, ", "));

    auto differences = json::array(), apart = json::array(), figures = json::array(), checked = json::array();
    for (const auto& row : comparison.rows) {
        if (row.kind != FigureClass::figure) {
            apart.push_back(rowJson(row));
            apart.back()["why"] = row.kind == FigureClass::clock ? "clock" : "work";
        } else {
            if (!row.equal)
                differences.push_back(rowJson(row));
            if (options.all)
                figures.push_back(rowJson(row));
        }
    }
    for (const auto& check : done.checks)
        checked.push_back({{"what", check.what}, {"report", check.expected}, {"here", check.found}, {"same", check.same}});
    answer.data = {{"report", options.report}, {"kind", record->kind}, {"title", record->title}, {"equal", comparison.equal()}, {"figures", comparison.figures}, {"differing", comparison.differing},
                   {"differences", differences}, {"notCompared", apart}, {"checks", checked}, {"runs", done.runs}, {"analysis", done.analysis}, {"project", bench->store().file()}};
    if (options.all)
        answer.data["all"] = figures;
    if (!comparison.equal())
        answer.exitCode = exitCode(ErrorKind::replay);
    return answer;
}
} // namespace

void addReplayCommand(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    auto* sub = app.add_subcommand("replay", "Make a report again from what it carries, and compare every figure; exit code 10 when one differs");
    sub->add_option("report", options->report, "HTML or JSON file that `report` or `evaluate` wrote")->required()->type_name("REPORT");
    sub->add_option("--into", options->replay.into, "Do it in a new project, with the data of the open one and without its stored model answers")->type_name("FILE");
    sub->add_flag("--strict", options->replay.strict, "Refuse when a plugin is of another build than in the report");
    sub->add_flag("--all", options->all, "List every figure, also those that are equal");
    session.chosen(sub, "replay", [&session, options] { return replayReport(session, *options); });
}

} // namespace carousel::cli
