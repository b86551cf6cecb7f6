// SPDX-License-Identifier: GPL-3.0-or-later
// runs list|show|compare|tag|remove, and the carousel of one user.
#include "base/text.h"
#include "cli/comparison_text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "workbench/run_pairs.h"

namespace carousel::cli {

using nlohmann::json;

namespace {
Result<Answer> listRuns(Session& session) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto rows, bench->store().runs());
    Answer answer;
    TextTable table({">Run", ">Study", "Study name", "Strategy", "Data", "State", ">Users", "Created", "Tag"});
    json list = json::array();
    for (const auto& row : rows) {
        table.add({std::to_string(row.id), std::to_string(row.study), shortened(row.studyName), row.strategy, row.dataset, name(row.state), fmt::format("{} of {}", row.usersDone, row.usersTotal),
                   row.createdAt, row.tag});
        list.push_back(described(row));
    }
    answer.text = rows.empty() ? "No runs yet. `run SPEC.toml` makes the first." : table.text();
    answer.data = {{"runs", list}};
    return answer;
}

Result<Answer> showRun(Session& session, std::int64_t id) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto row, bench->store().run(id));
    Answer answer;
    TextTable table({"Field", "Value"});
    const json facts = described(row);
    for (const auto& [key, value] : facts.items())
        table.add({key, value.is_string() ? value.get<std::string>() : value.dump()});
    answer.text = table.text() + "\n" + row.studyToml;
    answer.data = facts;
    answer.data["studyToml"] = row.studyToml;
    for (const auto& [key, text] : {std::pair<const char*, const std::string*>{"strategySpec", &row.strategyJson}, {"provenance", &row.provenanceJson}, {"notes", &row.notesJson}}) {
        json parsed = json::parse(*text, nullptr, false);
        answer.data[key] = parsed.is_discarded() ? json(*text) : parsed;
    }
    return answer;
}

std::string tableText(const ReportTable& table) {
    std::vector<std::string> headings;
    for (const auto& column : table.columns)
        headings.push_back((column.numeric ? ">" : "") + column.title);
    TextTable out(headings);
    for (const auto& row : table.rows) {
        std::vector<std::string> cells;
        for (const auto& cell : row)
            cells.push_back(cell.text + (cell.interval.empty() ? "" : " " + cell.interval));
        out.add(std::move(cells));
    }
    return table.caption + "\n" + out.text() + table.note + "\n";
}

struct CompareOptions {
    std::vector<std::int64_t> runs;
    bool all = false, pairs = false;
    std::string metric, correction = "tukey";
};

Result<void> addPairs(Workbench& bench, const StudyComparison& comparison, const CompareOptions& options, const RunControl& control, Answer& answer) {
    CAROUSEL_ASSIGN(const auto metric, pairMetric(comparison, options.metric));
    CAROUSEL_ASSIGN(auto pairs, comparePairs(comparison, metric, control));
    CAROUSEL_TRY(addSeedSpread(bench, comparison, pairs, control));
    PairCorrection correction = PairCorrection::tukey;
    for (const auto each : {PairCorrection::holm, PairCorrection::benjaminiHochberg, PairCorrection::none})
        if (options.correction == name(each))
            correction = each;
    answer.text += "\n" + tableText(pairTable(comparison, pairs, correction)) + "\n" + (pairs.spread.empty() ? pairs.spreadNote + "\n" : tableText(spreadTable(comparison, pairs)));
    answer.data["pairs"] = pairsJson(comparison, pairs, true);
    answer.data["pairs"]["correction"] = name(correction);
    return {};
}

Result<Answer> compareRuns(Session& session, const CompareOptions& options) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto comparison, bench->compare(options.runs, session.control()));
    Answer answer;
    answer.text = comparisonText(comparison, options.all);
    answer.data = comparisonJson(comparison);
    answer.warnings = comparison.warnings;
    if (options.pairs)
        CAROUSEL_TRY(addPairs(*bench, comparison, options, session.control(), answer));
    return answer;
}

Result<Answer> tagRun(Session& session, std::int64_t id, const std::string& tag) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    CAROUSEL_TRY(bench->store().tagRun(id, tag));
    Answer answer;
    answer.text = fmt::format("Run {} is tagged '{}'.", id, tag);
    answer.data = {{"run", id}, {"tag", tag}};
    return answer;
}

Result<Answer> removeRuns(Session& session, const std::vector<std::int64_t>& ids) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    for (const auto id : ids) // all are there, or none is removed
        CAROUSEL_TRY(bench->store().run(id));
    Answer answer;
    for (const auto id : ids) {
        CAROUSEL_TRY(bench->store().removeRun(id));
        answer.text += fmt::format("Removed run {}.\n", id);
    }
    answer.data = {{"removed", ids}};
    return answer;
}

Result<Answer> showCarousel(Session& session, std::int64_t run, const std::string& userId) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto row, bench->store().run(run));
    CAROUSEL_ASSIGN(const auto users, bench->runUsers(run));
    if (users.empty())
        return fail(ErrorKind::input, "CL-7012", fmt::format("Run {} has no finished user yet.", run), fmt::format("Go on with `resume {}`.", row.study));
    CAROUSEL_ASSIGN(const auto dataset, bench->dataset(row.dataset, session.control()));
    const Code user = userId.empty() ? users.front() : dataset->users.ids.find(userId);
    if (user == noCode || std::find(users.begin(), users.end(), user) == users.end())
        return fail(ErrorKind::input, "CL-7012", fmt::format("Run {} has no result for the user '{}'.", run, quotedForMessage(userId)),
                    fmt::format("It has {} users; the first is '{}'.", users.size(), dataset->users.ids.id(users.front())));
    CAROUSEL_ASSIGN(const auto shown, bench->carousel(run, user));
    CAROUSEL_ASSIGN(const auto study, parseStudy(row.studyToml, bench->plugins()));
    const auto window = static_cast<std::size_t>(study.evaluation.window);
    Answer answer;
    answer.text = fmt::format("{}, user {}\nLikes: {}\n\n", row.strategy, shown.userId, shown.likes.empty() ? std::string("nothing yet") : fmt::format("{}", fmt::join(shown.likes, "; ")));
    TextTable table({">", "", "Item", "", ">Score", ">Attraction", ">Value", "Status"});
    json cards = json::array();
    for (std::size_t slot = 0; slot < shown.cards.size(); ++slot) {
        const auto& card = shown.cards[slot];
        std::vector<std::string> cells{std::to_string(slot + 1), card.isTarget ? "*" : "", shortened(card.title, 48), shortened(card.subtitle, 40), threeFigures(card.score), threeFigures(card.attraction),
                                       threeFigures(card.value), card.status == ScoreStatus::ok ? "" : name(card.status)};
        table.add(std::move(cells));
        cards.push_back({{"position", slot + 1}, {"item", dataset->items.ids.id(card.item)}, {"title", card.title}, {"subtitle", card.subtitle}, {"score", card.score}, {"status", name(card.status)},
                         {"isTarget", card.isTarget}, {"attraction", card.attraction}, {"value", card.value}, {"visible", slot < window}});
    }
    std::size_t line = 0;
    const std::string lines = table.text(); // the parts point into it
    for (const auto part : split(lines, '\n')) {
        answer.text += std::string(part) + "\n";
        if (++line == window + 2 && shown.cards.size() > window) // two lines of heading
            answer.text += "==== fold: what follows is seen only after a swipe ====\n";
    }
    std::string places;
    for (const auto position : shown.targetPositions)
        places += fmt::format("{}{}", places.empty() ? "" : ", ", position > 0 ? fmt::format("{}", position) : std::string("not ranked"));
    answer.text += fmt::format("* what the user chose in the test part; its position in the whole order: {}\n", places.empty() ? "none" : places);
    const json trace = json::parse(shown.trace, nullptr, false);
    answer.data = {{"run", run}, {"strategy", row.strategy}, {"user", shown.userId}, {"window", window}, {"likes", shown.likes}, {"cards", cards}, {"targetPositions", shown.targetPositions},
                   {"trace", trace.is_discarded() ? json() : trace}};
    return answer;
}
} // namespace

void addResultCommands(CLI::App& app, Session& session) {
    auto* runs = app.add_subcommand("runs", "Runs of the project");
    runs->require_subcommand(1);
    auto* list = runs->add_subcommand("list", "All runs, newest first");
    session.chosen(list, "runs-list", [&session] { return listRuns(session); });
    auto id = std::make_shared<std::int64_t>(0);
    auto ids = std::make_shared<std::vector<std::int64_t>>();
    auto text = std::make_shared<std::string>();
    auto comparing = std::make_shared<CompareOptions>();
    auto* show = runs->add_subcommand("show", "One run with its specification");
    show->add_option("run", *id, "Run")->required();
    session.chosen(show, "runs-show", [&session, id] { return showRun(session, *id); });
    auto* compare = runs->add_subcommand("compare", "Metrics of runs on the same data and split, with intervals");
    compare->add_option("runs", comparing->runs, "Runs")->required();
    compare->add_flag("--all", comparing->all, "Every metric, with its difference to the baseline");
    auto* pairs = compare->add_flag("--pairs", comparing->pairs, "Every pair of runs on one metric: p values for all pairs together, effect size, and what other seeds in the project say");
    compare->add_option("--metric", comparing->metric, "Metric of the pairs, by its id (default: ndcg)")->needs(pairs);
    compare->add_option("--correction", comparing->correction, "For all pairs together")->check(CLI::IsMember({"tukey", "holm", "bh", "none"}))->capture_default_str()->needs(pairs);
    session.chosen(compare, "runs-compare", [&session, comparing] { return compareRuns(session, *comparing); });
    auto* tag = runs->add_subcommand("tag", "Put a tag on a run");
    tag->add_option("run", *id, "Run")->required();
    tag->add_option("tag", *text, "Tag; empty takes it away")->required();
    session.chosen(tag, "runs-tag", [&session, id, text] { return tagRun(session, *id, *text); });
    auto* remove = runs->add_subcommand("remove", "Take runs and their results out of the project");
    remove->add_option("runs", *ids, "Runs")->required();
    session.chosen(remove, "runs-remove", [&session, ids] { return removeRuns(session, *ids); });

    auto* carousel = app.add_subcommand("carousel", "A user's carousel: what is seen, and what lies behind the fold");
    carousel->add_option("run", *id, "Run")->required();
    carousel->add_option("--user", *text, "User id of the data; none: the first of the run");
    session.chosen(carousel, "carousel", [&session, id, text] { return showCarousel(session, *id, *text); });
}

} // namespace carousel::cli
