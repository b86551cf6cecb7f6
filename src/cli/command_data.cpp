// SPDX-License-Identifier: GPL-3.0-or-later
// data inspect|import|list|show|verify|split|export|remove.
#include "base/text.h"
#include "cli/dataset_files.h"
#include "cli/session.h"
#include "cli/table.h"
#include "data/import.h"
#include "data/split.h"
#include <cmath>
#include <filesystem>

namespace carousel::cli {

using nlohmann::json;

namespace {
json timeOrNull(std::int64_t seconds) { return seconds == noTime ? json() : json(utcSecond(seconds)); }
std::string count(std::size_t value) { return withThousands(static_cast<std::int64_t>(value)); }

json described(const ImportReport& report) {
    json rejects = json::array();
    for (const auto& issue : report.rejects)
        rejects.push_back({{"file", issue.file}, {"line", issue.line}, {"reason", issue.reason}, {"rawText", issue.rawText}});
    return {{"rowsRead", report.rowsRead}, {"rowsKept", report.rowsKept}, {"rowsRejected", report.rowsRejected}, {"duplicates", report.duplicates}, {"rejects", rejects},
            {"rejectReasons", report.rejectReasons}, {"firstTime", timeOrNull(report.firstTime)}, {"lastTime", timeOrNull(report.lastTime)}, {"seconds", report.seconds}};
}

std::string inWords(const ImportReport& report) {
    std::string text = fmt::format("{} rows read, {} kept, {} rejected, {} duplicates", withThousands(report.rowsRead), withThousands(report.rowsKept), withThousands(report.rowsRejected), withThousands(report.duplicates));
    if (report.firstTime != noTime)
        text += fmt::format("; {} to {} UTC", utcMinute(report.firstTime), utcMinute(report.lastTime));
    text += "\n";
    for (const auto& issue : report.rejects)
        text += fmt::format("  rejected {}:{}: {}: {}\n", issue.file, issue.line, issue.reason, shortened(issue.rawText, 80));
    return text;
}

// ---- inspect -------------------------------------------------------------------------------------------------------------------------
Result<Answer> inspectData(const std::string& path) {
    CAROUSEL_ASSIGN(const auto facts, inspectFile(path));
    Answer answer;
    answer.text = fmt::format("'{}': {}\n", path, facts.format);
    TextTable table({"Column", "Type", "First values"});
    json columns = json::array();
    for (std::size_t i = 0; i < facts.columns.size(); ++i) {
        std::string values;
        for (std::size_t row = 0; row < facts.firstRows.size() && row < 3; ++row)
            if (i < facts.firstRows[row].size())
                values += (row == 0 ? "" : " | ") + shortened(facts.firstRows[row][i], 24);
        const std::string type = i < facts.guessedTypes.size() ? facts.guessedTypes[i] : "";
        table.add({facts.columns[i], type, values});
        columns.push_back({{"name", facts.columns[i]}, {"type", type}});
    }
    if (!table.empty())
        answer.text += table.text();
    for (const auto& note : facts.notes)
        answer.text += note + "\n";
    answer.data = {{"path", path}, {"format", facts.format}, {"delimiter", std::string(1, facts.delimiter)}, {"columns", columns}, {"firstRows", facts.firstRows}, {"notes", facts.notes}};
    return answer;
}

// ---- import --------------------------------------------------------------------------------------------------------------------------
struct ImportOptions {
    std::string what, name, map, mapping, campaign = "all";
    double rejectLimit = -1; // per cent; negative: the importer's own limit
    bool keepGoing = false, acks = false;
};

Result<TableMapping> mappingOf(const ImportOptions& options) {
    TableMapping mapping;
    if (!options.mapping.empty()) {
        CAROUSEL_ASSIGN(mapping, readMapping(options.mapping));
    }
    const std::map<std::string, std::string TableMapping::*> texts = {
        {"user", &TableMapping::user}, {"item", &TableMapping::item}, {"value", &TableMapping::value}, {"time", &TableMapping::time}, {"kind", &TableMapping::kind},
        {"constantKind", &TableMapping::constantKind}, {"timeUnit", &TableMapping::timeUnit}, {"itemFile", &TableMapping::itemFile}, {"itemId", &TableMapping::itemId},
        {"userFile", &TableMapping::userFile}, {"userId", &TableMapping::userId}};
    if (!options.map.empty())
        for (const auto pair : split(options.map, ',')) {
            const auto equals = pair.find('=');
            const std::string role(pair.substr(0, equals));
            const auto text = texts.find(role);
            const bool list = role == "itemFields" || role == "userFields";
            if (equals == std::string_view::npos || equals + 1 == pair.size() || (text == texts.end() && !list))
                return fail(ErrorKind::usage, "CL-3000", fmt::format("--map does not understand '{}'.", quotedForMessage(pair)),
                            "Write role=column, with a comma between; roles: user, item, value, time, kind, constantKind, timeUnit, itemFields=a|b, userFields=a|b, itemFile, itemId, userFile, userId.");
            const std::string column(pair.substr(equals + 1));
            if (text != texts.end()) {
                mapping.*(text->second) = column;
                continue;
            }
            auto& fields = role == "itemFields" ? mapping.itemFields : mapping.userFields;
            for (const auto field : split(column, '|'))
                fields.emplace_back(field);
        }
    return mapping;
}

// Fills what --map left open from the header.
Result<void> completeMapping(TableMapping& mapping, const std::string& path) {
    if (!mapping.user.empty() && !mapping.item.empty())
        return {};
    CAROUSEL_ASSIGN(const auto guess, guessMapping(path));
    if (mapping.user.empty())
        mapping.user = guess.user;
    if (mapping.item.empty())
        mapping.item = guess.item;
    if (mapping.value.empty())
        mapping.value = guess.value;
    if (mapping.time.empty())
        mapping.time = guess.time;
    if (mapping.kind.empty())
        mapping.kind = guess.kind;
    return {};
}

std::string andReviews(const Dataset& dataset) {
    return dataset.reviews.size() > 0 ? fmt::format(", {} reviews", count(dataset.reviews.size())) : std::string();
}

Result<Answer> importData(Session& session, const ImportOptions& options) {
    Workbench::ImportRequest request;
    request.name = options.name;
    request.campaign = options.campaign;
    if (options.rejectLimit >= 0) { // said by the analyst, so it holds for small files too
        request.limits.rejectShare = options.rejectLimit / 100;
        request.limits.rejectMinimum = 1;
    }
    request.limits.keepGoing = options.keepGoing;
    const std::string& what = options.what;
    if (what == "ml-100k" || what == "open-bandit" || what == "six-of-hundreds") {
        request.kind = what == "ml-100k" ? "recbole" : what;
        if (request.name.empty())
            request.name = what;
    } else {
        request.path = what;
        CAROUSEL_ASSIGN(request.mapping, mappingOf(options));
        if (!options.map.empty() || !options.mapping.empty()) {
            request.kind = "csv";
            CAROUSEL_TRY(completeMapping(request.mapping, what));
        } else {
            CAROUSEL_ASSIGN(const auto facts, inspectFile(what));
            request.kind = facts.format;
        }
        if (request.name.empty())
            request.name = std::filesystem::path(what).stem().string();
    }
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    CAROUSEL_ASSIGN(const auto report, bench->importData(request, session.control()));
    if (options.acks)
        std::fprintf(stderr, "ACK %lld\n", static_cast<long long>(report.rowsKept)); // the import is one transaction
    CAROUSEL_ASSIGN(const auto dataset, bench->dataset(request.name));
    Answer answer;
    answer.text = fmt::format("Imported '{}': {} users, {} items, {} interactions, {} shown items{}\n{}", request.name, count(dataset->users.size()), count(dataset->items.size()),
                              count(dataset->interactions.size()), count(dataset->impressions.size()), andReviews(*dataset), inWords(report));
    answer.data = {{"name", request.name}, {"digest", dataset->digest}, {"users", dataset->users.size()}, {"items", dataset->items.size()}, {"interactions", dataset->interactions.size()},
                   {"impressions", dataset->impressions.size()}, {"reviews", dataset->reviews.size()}, {"report", described(report)}};
    answer.warnings = report.warnings;
    return answer;
}

// ---- list, show, verify --------------------------------------------------------------------------------------------------------------
Result<Answer> listData(Session& session) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto rows, bench->store().datasets());
    Answer answer;
    TextTable table({"Name", ">Users", ">Items", ">Interactions", ">Shown", ">Reviews", "Imported", "Title"});
    json list = json::array();
    for (const auto& row : rows) {
        table.add({row.name, withThousands(row.users), withThousands(row.items), withThousands(row.interactions), withThousands(row.impressions), withThousands(row.reviews), row.importedAt, row.title});
        list.push_back({{"name", row.name}, {"title", row.title}, {"digest", row.digest}, {"importedAt", row.importedAt}, {"users", row.users}, {"items", row.items},
                        {"interactions", row.interactions}, {"impressions", row.impressions}, {"reviews", row.reviews}});
    }
    answer.text = rows.empty() ? "No data sets yet. `data import six-of-hundreds` brings the sample in." : table.text();
    answer.data = {{"datasets", list}};
    return answer;
}

Result<Answer> showData(Session& session, const std::string& name) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto dataset, bench->dataset(name, session.control()));
    CAROUSEL_ASSIGN(const auto report, bench->store().importReport(name));
    Answer answer;
    const auto& events = dataset->interactions;
    std::vector<std::size_t> perKind(events.kinds.size());
    for (const auto kind : events.kind)
        ++perKind[kind];
    answer.text = fmt::format("{} ({})\n{}\ndigest {}\n\n{} users, {} items, {} interactions, {} shown items{}\n", dataset->title, name, dataset->note, dataset->digest,
                              count(dataset->users.size()), count(dataset->items.size()), count(events.size()), count(dataset->impressions.size()), andReviews(*dataset));
    json kinds = json::object();
    for (std::size_t i = 0; i < perKind.size(); ++i) {
        answer.text += fmt::format("  {}: {}\n", events.kinds[i], count(perKind[i]));
        kinds[events.kinds[i]] = perKind[i];
    }
    answer.text += "\n" + inWords(report) + "\n";
    TextTable attributes({"Table", "Attribute", "Type", ">Filled"});
    json attributeList = json::array();
    for (const auto* table : {&dataset->users, &dataset->items})
        for (const auto& attribute : table->attributes) {
            std::size_t filled = 0;
            for (std::size_t row = 0; row < attribute.rows(); ++row)
                filled += !attribute.missing(row);
            const char* owner = table == &dataset->users ? "users" : "items";
            attributes.add({owner, attribute.name(), carousel::name(attribute.type()), count(filled)});
            attributeList.push_back({{"table", owner}, {"name", attribute.name()}, {"type", carousel::name(attribute.type())}, {"filled", filled}});
        }
    if (!attributes.empty())
        answer.text += attributes.text() + "\n";
    TextTable marks({"Badge", "", "Note"});
    json badgeList = json::array();
    for (const auto& badge : badges(*dataset)) {
        marks.add({badge.id, badge.available ? "yes" : "no", badge.note});
        badgeList.push_back({{"id", badge.id}, {"available", badge.available}, {"note", badge.note}});
    }
    answer.text += marks.text();
    json sources = json::array();
    for (const auto& file : dataset->sources) {
        answer.text += fmt::format("\nfrom {} ({}, {}), sha256 {}", file.name, megabytes(file.bytes), file.importer, file.sha256);
        sources.push_back({{"name", file.name}, {"sha256", file.sha256}, {"importer", file.importer}, {"bytes", file.bytes}, {"rowsRead", file.rowsRead}, {"rowsKept", file.rowsKept}});
    }
    answer.data = {{"name", name}, {"title", dataset->title}, {"note", dataset->note}, {"digest", dataset->digest}, {"users", dataset->users.size()}, {"items", dataset->items.size()},
                   {"interactions", events.size()}, {"impressions", dataset->impressions.size()}, {"reviews", dataset->reviews.size()}, {"kinds", kinds}, {"attributes", attributeList}, {"badges", badgeList},
                   {"sources", sources}, {"report", described(report)}};
    return answer;
}

Result<Answer> verifyData(Session& session, const std::string& only) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_TRY(bench->store().integrityCheck());
    CAROUSEL_ASSIGN(const auto rows, bench->store().datasets());
    Answer answer;
    json list = json::array();
    bool found = only.empty();
    for (const auto& row : rows) {
        if (!only.empty() && row.name != only)
            continue;
        found = true;
        CAROUSEL_TRY(bench->store().loadDataset(row.name, session.control())); // compares the digest
        answer.text += fmt::format("{}: as imported, digest {}\n", row.name, row.digest);
        list.push_back({{"name", row.name}, {"digest", row.digest}, {"sound", true}});
    }
    if (!found)
        CAROUSEL_TRY(bench->store().importReport(only)); // the error names the data sets there are
    answer.data = {{"datasets", list}};
    return answer;
}

// ---- split ---------------------------------------------------------------------------------------------------------------------------
struct SplitOptions {
    std::string name, method = "leave-one-out", target = "combined";
    double testShare = 0.1, validationShare = 0.1;
    int minimumHistory = 1;
    std::uint64_t seed = 1;
};

Result<Answer> showSplit(Session& session, const SplitOptions& options) {
    SplitSpec spec;
    CAROUSEL_ASSIGN(spec.method, splitMethod(options.method));
    spec.testShare = options.testShare;
    spec.validationShare = options.validationShare;
    spec.targetModel = options.target;
    spec.minimumHistory = options.minimumHistory;
    spec.seed = options.seed;
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto dataset, bench->dataset(options.name, session.control()));
    CAROUSEL_ASSIGN(const auto split, makeSplit(*dataset, spec, session.control()));
    Answer answer;
    TextTable table({"Audit", ">Value"});
    table.add({"training rows", count(split.trainRows)});
    table.add({"validation rows", count(split.validationRows)});
    table.add({"test rows", count(split.testRows)});
    table.add({"users with a target", count(split.usersWithTarget)});
    table.add({"repeated targets dropped", count(split.repeatTargetsDropped)});
    table.add({"equal times ordered by the seed", count(split.tiedTimes)});
    table.add({"training rows later than the first test row", fmt::format("{:.1f} %", split.globalLeakShare * 100)});
    answer.text = fmt::format("{} by {}, digest {}\n\n{}", options.name, options.method, split.digest, table.text());
    for (const auto& note : split.notes)
        answer.text += note + "\n";
    answer.data = {{"dataset", options.name}, {"method", options.method}, {"digest", split.digest}, {"trainRows", split.trainRows}, {"validationRows", split.validationRows},
                   {"testRows", split.testRows}, {"usersWithTarget", split.usersWithTarget}, {"repeatTargetsDropped", split.repeatTargetsDropped}, {"tiedTimes", split.tiedTimes},
                   {"globalLeakShare", split.globalLeakShare}, {"notes", split.notes}};
    return answer;
}

Result<Answer> exportData(Session& session, const std::string& name, const std::string& folder) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToRead());
    CAROUSEL_ASSIGN(const auto dataset, bench->dataset(name, session.control()));
    CAROUSEL_ASSIGN(const auto files, writeAtomicFiles(*dataset, folder));
    Answer answer;
    for (const auto& file : files)
        answer.text += "Wrote " + file + "\n";
    answer.data = {{"dataset", name}, {"files", files}};
    if (dataset->impressions.size() > 0)
        answer.warnings.push_back("Atomic files have no place for shown items and propensities; those are left out.");
    return answer;
}

Result<Answer> removeData(Session& session, const std::string& name) {
    CAROUSEL_ASSIGN(Workbench* const bench, session.openToWrite());
    CAROUSEL_TRY(bench->store().removeDataset(name));
    Answer answer;
    answer.text = fmt::format("Removed the data set '{}'.", name);
    answer.data = {{"removed", name}};
    return answer;
}
} // namespace

void addDataCommands(CLI::App& app, Session& session) {
    auto* data = app.add_subcommand("data", "Data sets of the project");
    data->require_subcommand(1);
    auto path = std::make_shared<std::string>();
    auto* inspect = data->add_subcommand("inspect", "What a file holds; nothing is written");
    inspect->add_option("path", *path, "File or folder")->required();
    session.chosen(inspect, "data-inspect", [path] { return inspectData(*path); });

    auto import = std::make_shared<ImportOptions>();
    auto* in = data->add_subcommand("import", "Bring data into the project");
    in->add_option("what", import->what, "ml-100k, open-bandit, six-of-hundreds, or a file or folder")->required()->type_name("KIND|PATH");
    in->add_option("--name", import->name, "Name in the project (else the kind or the file's name)");
    in->add_option("--map", import->map, "Columns of a table: user=...,item=...,value=...,time=...");
    in->add_option("--mapping", import->mapping, "Columns of a table, from a file")->type_name("FILE.import.toml");
    in->add_option("--campaign", import->campaign, "Open Bandit: all, men or women")->check(CLI::IsMember({"all", "men", "women"}));
    in->add_option("--reject-limit", import->rejectLimit, "Stop when more per cent of the rows cannot be read")->check(CLI::Range(0.0, 100.0));
    in->add_flag("--keep-going", import->keepGoing, "Import what can be read, however much is rejected");
    in->add_flag("--acks", import->acks, "Print ACK <rows> on stderr after each commit");
    session.chosen(in, "data-import", [&session, import] { return importData(session, *import); });

    auto* list = data->add_subcommand("list", "All data sets");
    session.chosen(list, "data-list", [&session] { return listData(session); });
    auto name = std::make_shared<std::string>();
    auto* show = data->add_subcommand("show", "Counts, attributes, badges and the import report of one");
    show->add_option("name", *name, "Data set")->required();
    session.chosen(show, "data-show", [&session, name] { return showData(session, *name); });
    auto* verify = data->add_subcommand("verify", "Check the project file and compare digests");
    verify->add_option("name", *name, "Data set; none: all");
    session.chosen(verify, "data-verify", [&session, name] { return verifyData(session, *name); });

    auto split = std::make_shared<SplitOptions>();
    auto* parts = data->add_subcommand("split", "Split a data set and audit the parts; nothing is written");
    parts->add_option("name", split->name, "Data set")->required();
    parts->add_option("--method", split->method, "leave-one-out, ratio-global or ratio-user");
    parts->add_option("--target", split->target, "Event model that decides what a target is");
    parts->add_option("--test-share", split->testShare, "Share of the test part")->check(CLI::Range(0.0, 1.0));
    parts->add_option("--validation-share", split->validationShare, "Share of the validation part")->check(CLI::Range(0.0, 1.0));
    parts->add_option("--minimum-history", split->minimumHistory, "Training interactions a user must have");
    parts->add_option("--seed", split->seed, "Orders equal times");
    session.chosen(parts, "data-split", [&session, split] { return showSplit(session, *split); });

    auto folder = std::make_shared<std::string>();
    auto* out = data->add_subcommand("export", "Write a data set as RecBole atomic files");
    out->add_option("name", *name, "Data set")->required();
    out->add_option("-o,--output", *folder, "Folder")->required();
    session.chosen(out, "data-export", [&session, name, folder] { return exportData(session, *name, *folder); });
    auto* remove = data->add_subcommand("remove", "Take a data set out of the project");
    remove->add_option("name", *name, "Data set")->required();
    session.chosen(remove, "data-remove", [&session, name] { return removeData(session, *name); });
}

} // namespace carousel::cli
