// SPDX-License-Identifier: GPL-3.0-or-later
// Open Bandit logs: one row per shown item with position, click and the probability with which the logging policy showed it.
#include "base/text.h"
#include "data/import/event_rows.h"
#include <chrono>
#include <cmath>
#include <filesystem>
#include <unordered_map>

namespace carousel {

namespace fs = std::filesystem;

namespace {

struct CampaignFolder {
    std::string policy, logFile, contextFile; // contextFile may be empty
};

bool isFile(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}

// FOLDER/CAMPAIGN.csv with FOLDER/item_context.csv, if there.
void addIfPresent(const fs::path& folder, const std::string& campaign, const std::string& policy, std::vector<CampaignFolder>& out) {
    const auto log = folder / (campaign + ".csv"), context = folder / "item_context.csv";
    if (isFile(log))
        out.push_back({policy, log.string(), isFile(context) ? context.string() : std::string()});
}

Result<std::vector<CampaignFolder>> findFolders(const std::string& folder, const std::string& campaign) {
    if (campaign != "all" && campaign != "men" && campaign != "women")
        return fail(ErrorKind::usage, "CL-1013", fmt::format("There is no Open Bandit campaign '{}'.", campaign),
                    "Use one of: all, men, women.");
    std::error_code error;
    fs::path root = fs::path(folder).lexically_normal();
    if (!root.has_filename())
        root = root.parent_path();
    if (!fs::is_directory(root, error))
        return fail(ErrorKind::input, "CL-1001", fmt::format("'{}' is not a folder.", folder),
                    "Give the folder that holds 'random' and 'bts', or one campaign folder.");
    std::vector<CampaignFolder> found;
    for (const char* policy : {"random", "bts"})
        addIfPresent(root / policy / campaign, campaign, policy, found);
    auto policyName = [](const fs::path& path) {
        const auto name = path.filename().string();
        return name == "random" || name == "bts" ? name : std::string("logged");
    };
    if (found.empty())
        addIfPresent(root / campaign, campaign, policyName(root), found);
    if (found.empty())
        addIfPresent(root, campaign, policyName(root.parent_path()), found);
    if (found.empty())
        return fail(ErrorKind::input, "CL-1013", fmt::format("'{}' holds no Open Bandit log of the campaign '{}'.", folder, campaign),
                    fmt::format("Expected random/{0}/{0}.csv and bts/{0}/{0}.csv below it, or {0}.csv in it.", campaign));
    return found;
}

// Attributes of one item as the context file gives them: one number and hashed categories.
using Context = std::unordered_map<std::string, std::vector<std::string>>;
struct ItemContext {
    std::vector<std::string> names;
    Context rows;
};

Result<ItemContext> readContext(const std::string& path, Dataset& dataset, ImportReport& report, const ImportLimits& limits,
                                const RunControl& control) {
    CAROUSEL_ASSIGN(TableReader table, TableReader::open(path, {',', true, true}));
    CAROUSEL_ASSIGN(const int id, table.require("item_id", "the item"));
    ItemContext context;
    std::vector<std::size_t> used;
    for (std::size_t i = 0; i < table.columns().size(); ++i)
        if (static_cast<int>(i) != id && startsWith(table.columns()[i], "item_feature")) {
            context.names.push_back(table.columns()[i]);
            used.push_back(i);
        }
    ImportLog log(report, limits, control, false);
    for (;;) {
        CAROUSEL_ASSIGN(const bool any, log.nextRow(table));
        if (!any)
            break;
        std::vector<std::string> values;
        for (const auto i : used)
            values.emplace_back(trimmed(table.fields()[i]));
        const std::string item(table.fields()[static_cast<std::size_t>(id)]);
        if (item.empty() || !context.rows.emplace(item, std::move(values)).second)
            log.reject(table, item.empty() ? "empty id" : "repeated id");
        else
            log.keep();
    }
    CAROUSEL_ASSIGN(auto source, log.finish(table, "open-bandit", "{}"));
    dataset.sources.push_back(std::move(source));
    return context;
}

void addItemAttributes(const ItemContext& context, EntityTable& items) {
    for (std::size_t column = 0; column < context.names.size(); ++column) {
        bool numeric = !context.rows.empty();
        for (const auto& [id, values] : context.rows)
            numeric = numeric && (values[column].empty() || parseNumber(values[column]));
        AttributeColumn attribute(context.names[column], numeric ? FieldType::number : FieldType::token);
        for (const auto& id : items.ids.ids()) {
            const auto found = context.rows.find(id);
            if (found == context.rows.end() || found->second[column].empty()) {
                attribute.appendMissing();
            } else if (numeric) {
                const double value = *parseNumber(found->second[column]);
                attribute.appendNumbers({&value, 1});
            } else {
                const std::string_view value = found->second[column];
                attribute.appendTokens({&value, 1});
            }
        }
        items.attributes.push_back(std::move(attribute));
    }
}

struct LogColumns {
    int time = -1, item = -1, position = -1, click = -1, propensity = -1;
    std::vector<int> userFeatures;
};

Result<LogColumns> findColumns(const TableReader& table) {
    LogColumns c;
    CAROUSEL_ASSIGN(c.item, table.require("item_id", "the item"));
    CAROUSEL_ASSIGN(c.position, table.require("position", "the position, 1 to 3"));
    CAROUSEL_ASSIGN(c.click, table.require("click", "0 or 1"));
    CAROUSEL_ASSIGN(c.time, table.require("timestamp", "the time"));
    c.propensity = table.column("action_prob"); // the published description names it so, the files say propensity_score
    if (c.propensity < 0) {
        CAROUSEL_ASSIGN(c.propensity, table.require("propensity_score", "or 'action_prob', the propensity"));
    }
    for (std::size_t i = 0; i < table.columns().size(); ++i)
        if (startsWith(table.columns()[i], "user_feature_"))
            c.userFeatures.push_back(static_cast<int>(i));
    return c;
}

class LogImport {
public:
    LogImport(Dataset& dataset, ImportReport& report, const ImportLimits& limits, const RunControl& control)
        : m_dataset(dataset), m_report(report), m_limits(limits), m_control(control) {}

    Result<void> read(const CampaignFolder& folder) {
        CAROUSEL_ASSIGN(TableReader table, TableReader::open(folder.logFile, {',', true, true}));
        CAROUSEL_ASSIGN(const LogColumns columns, findColumns(table));
        CAROUSEL_ASSIGN(const std::uint8_t clickKind, kindCode(m_dataset.interactions, "click", table.file()));
        auto& policies = m_dataset.impressions.policy;
        const auto policy = static_cast<std::uint8_t>(policies.size());
        policies.push_back(folder.policy);
        for (std::size_t k = m_features.size(); k < columns.userFeatures.size(); ++k)
            m_features.emplace_back(table.columns()[static_cast<std::size_t>(columns.userFeatures[k])], FieldType::token);
        TimeReader times(TimeUnit::automatic);
        ImportLog log(m_report, m_limits, m_control, true);
        for (;;) {
            CAROUSEL_ASSIGN(const bool any, table.next());
            if (!any)
                break;
            CAROUSEL_TRY(log.row(table));
            addRow(table, columns, times, policy, clickKind, log);
        }
        CAROUSEL_ASSIGN(auto source, log.finish(table, "open-bandit", fmt::format("{{\"policy\":\"{}\"}}", folder.policy)));
        source.name = folder.policy + "/" + source.name;
        m_dataset.sources.push_back(std::move(source));
        return {};
    }
    void addUserAttributes() {
        for (auto& column : m_features)
            while (column.rows() < m_dataset.users.size())
                column.appendMissing();
        m_dataset.users.attributes = std::move(m_features);
    }

private:
    void addRow(const TableReader& table, const LogColumns& columns, TimeReader& times, std::uint8_t policy, std::uint8_t clickKind,
                ImportLog& log) {
        if (!table.problem().empty())
            return log.reject(table, table.problem());
        const auto fields = table.fields();
        auto field = [&](int column) { return trimmed(fields[static_cast<std::size_t>(column)]); };
        auto named = [&](int column) { return table.columns()[static_cast<std::size_t>(column)]; };
        auto wrong = [&](int column, const char* wanted) {
            log.reject(table, fmt::format("column '{}': not {}", named(column), wanted),
                       fmt::format("column '{}': '{}' is not {}", named(column), quotedForMessage(field(column), 60), wanted));
        };
        if (field(columns.item).empty())
            return log.reject(table, "column 'item_id': empty id");
        const auto position = parseInteger(field(columns.position));
        if (!position || *position < 1 || *position > 1000)
            return wrong(columns.position, "a position (1, 2, 3 ...)");
        const auto click = parseNumber(field(columns.click));
        if (!click || (*click != 0 && *click != 1))
            return wrong(columns.click, "0 or 1");
        const auto propensity = parseNumber(field(columns.propensity));
        if (!propensity || !(static_cast<float>(*propensity) > 0) || *propensity > 1)
            return wrong(columns.propensity, "a probability above 0 and up to 1");
        const auto time = times.read(field(columns.time));
        if (!time)
            return wrong(columns.time, "a time");

        std::string segment;
        for (const int column : columns.userFeatures)
            segment.append(segment.empty() ? "" : "|").append(field(column));
        Code user = noCode;
        if (!segment.empty()) {
            user = m_dataset.users.ids.add(segment);
            for (std::size_t k = 0; k < columns.userFeatures.size(); ++k)
                if (m_features[k].rows() < m_dataset.users.size()) {
                    const auto value = field(columns.userFeatures[k]);
                    m_features[k].appendTokens({&value, 1});
                }
        }
        const Code item = m_dataset.items.ids.add(field(columns.item));
        auto& shown = m_dataset.impressions;
        shown.slate.push_back(static_cast<std::int64_t>(shown.slate.size())); // the log does not say which rows were shown together
        shown.user.push_back(user);
        shown.item.push_back(item);
        shown.slot.push_back(static_cast<std::int16_t>(*position - 1));
        shown.click.push_back(*click == 1 ? 1 : 0);
        shown.propensity.push_back(static_cast<float>(*propensity));
        shown.reached.push_back(255);
        shown.time.push_back(*time);
        shown.policyCode.push_back(policy);
        if (*click == 1 && user != noCode) {
            auto& events = m_dataset.interactions;
            events.user.push_back(user);
            events.item.push_back(item);
            events.kind.push_back(clickKind);
            events.value.push_back(1);
            events.time.push_back(*time);
        }
        log.keep();
    }

    Dataset& m_dataset;
    ImportReport& m_report;
    const ImportLimits& m_limits;
    const RunControl& m_control;
    std::vector<AttributeColumn> m_features;
};

} // namespace

Result<Imported> importOpenBandit(const std::string& folder, const std::string& campaign, const ImportLimits& limits,
                                  const RunControl& control) {
    const auto start = std::chrono::steady_clock::now();
    CAROUSEL_ASSIGN(const auto folders, findFolders(folder, campaign));
    Imported out{std::make_shared<Dataset>(), {}};
    auto& dataset = *out.dataset;
    dataset.name = "open-bandit-" + campaign;
    dataset.title = fmt::format("Open Bandit, campaign '{}'", campaign);
    dataset.note =
        "Open Bandit data by ZOZO Research, CC BY 4.0. A user here is a segment: the combination of the hashed user features, not a "
        "person, and the two policies hash "
        "them differently. Clicks are few, so that estimates have wide intervals and no position effect can be read from the sample.";
    ItemContext context;
    for (const auto& one : folders)
        if (!one.contextFile.empty()) {
            CAROUSEL_ASSIGN(auto read, readContext(one.contextFile, dataset, out.report, limits, control));
            dataset.sources.back().name = one.policy + "/" + dataset.sources.back().name;
            if (context.names.empty())
                context = std::move(read);
            else if (context.rows != read.rows)
                out.report.warnings.push_back(fmt::format(
                    "The item features of '{}' are written differently from those of '{}' (the hashes differ); those of '{}' are used.",
                    one.policy, folders.front().policy, folders.front().policy));
        }
    LogImport log(dataset, out.report, limits, control);
    for (const auto& one : folders)
        CAROUSEL_TRY(log.read(one));
    if (dataset.impressions.size() == 0)
        return noInteractions(fileName(folders.front().logFile), out.report);
    log.addUserAttributes();
    addItemAttributes(context, dataset.items);
    out.report.warnings.push_back("The affinity columns (user and item) are not imported.");
    if (dataset.interactions.size() == 0)
        out.report.warnings.push_back("No impression was clicked: there are no interactions to learn from.");
    finishImport(out, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return out;
}

} // namespace carousel
