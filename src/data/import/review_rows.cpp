// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/review_rows.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace carousel {

namespace {

struct ReviewColumns {
    int user = -1, item = -1, stars = -1, time = -1, headline = -1, text = -1, feature = -1;
};

class ReviewImport {
public:
    ReviewImport(Dataset& dataset, ImportReport& report, const ImportLimits& limits, const RunControl& control)
        : m_dataset(dataset), m_reviews(dataset.reviews), m_report(report), m_log(report, limits, control, true) {}

    Result<void> read(const std::string& path, const std::string& importer) {
        CAROUSEL_ASSIGN(TableReader table, TableReader::open(path, {'\t', false, false}));
        CAROUSEL_TRY(findColumns(table));
        for (;;) {
            CAROUSEL_ASSIGN(const bool any, m_log.nextRow(table));
            if (!any)
                break;
            addRow(table);
        }
        countRepeats(table.file());
        CAROUSEL_ASSIGN(auto source, m_log.finish(table, importer, "{}"));
        m_dataset.sources.push_back(std::move(source));
        return {};
    }

private:
    Result<void> findColumns(const TableReader& table) {
        CAROUSEL_ASSIGN(const auto columns, atomicColumns(table));
        const auto find = [&](std::initializer_list<const char*> names) {
            for (const char* name : names)
                for (std::size_t i = 0; i < columns.size(); ++i)
                    if (columns[i].name == name)
                        return static_cast<int>(i);
            return -1;
        };
        m_c.user = find({"user_id"});
        m_c.item = find({"item_id"});
        for (auto [index, name, role] : {std::tuple{&m_c.user, "user_id:token", "the user"}, {&m_c.item, "item_id:token", "the item"}})
            if (*index < 0) {
                CAROUSEL_ASSIGN(*index, table.require(name, role));
            }
        m_c.stars = find({"rating", "stars"});
        m_c.time = find({"timestamp", "time"});
        m_c.headline = find({"headline", "summary", "title"});
        m_c.text = find({"text", "review", "review_text"});
        m_c.feature = find({"feature"});
        if (m_c.headline < 0 && m_c.text < 0) {
            CAROUSEL_ASSIGN(m_c.text, table.require("text:token", "the review, or a headline:token"));
        }
        std::string ignored;
        for (int i = 0; i < static_cast<int>(columns.size()); ++i)
            if (const auto used = {m_c.user, m_c.item, m_c.stars, m_c.time, m_c.headline, m_c.text, m_c.feature};
                std::find(used.begin(), used.end(), i) == used.end())
                ignored += (ignored.empty() ? "'" : ", '") + columns[static_cast<std::size_t>(i)].name + "'";
        if (!ignored.empty())
            m_report.warnings.push_back(fmt::format("Columns of '{}' that are not used: {}.", table.file(), ignored));
        return {};
    }

    void addRow(const TableReader& table) {
        const auto fields = table.fields();
        const auto field = [&](int column) { return column < 0 ? std::string_view() : trimmed(fields[static_cast<std::size_t>(column)]); };
        const auto nameOf = [&](int column) -> const std::string& { return table.columns()[static_cast<std::size_t>(column)]; };
        const auto user = field(m_c.user), item = field(m_c.item), headline = field(m_c.headline), text = field(m_c.text);
        if (user.empty() || item.empty())
            return m_log.reject(table, fmt::format("column '{}': empty id", nameOf(user.empty() ? m_c.user : m_c.item)));
        float stars = std::numeric_limits<float>::quiet_NaN();
        if (const auto given = field(m_c.stars); !given.empty()) {
            const auto number = parseNumber(given);
            if (!number || !std::isfinite(static_cast<float>(*number)))
                return m_log.rejectNumber(table, m_c.stars, given);
            stars = static_cast<float>(*number);
        }
        std::int64_t time = noTime;
        if (const auto given = field(m_c.time); !given.empty()) {
            const auto read = m_times.read(given);
            if (!read)
                return m_log.reject(table, fmt::format("column '{}': not a time", nameOf(m_c.time)),
                                    fmt::format("column '{}': '{}' is not a time (number or ISO date, years 1900 to 2200)", nameOf(m_c.time),
                                                quotedForMessage(given, 60)));
            time = *read;
        }
        if (headline.empty() && text.empty())
            return m_log.reject(table, "neither headline nor text");
        m_reviews.user.push_back(m_dataset.users.ids.add(user));
        m_reviews.item.push_back(m_dataset.items.ids.add(item));
        m_reviews.stars.push_back(stars);
        m_reviews.time.push_back(time);
        m_reviews.headline.emplace_back(headline);
        m_reviews.text.emplace_back(text);
        m_reviews.feature.emplace_back(field(m_c.feature));
        m_log.keep();
    }

    void countRepeats(const std::string& file) {
        std::vector<std::uint32_t> order(m_reviews.size());
        for (std::size_t i = 0; i < order.size(); ++i)
            order[i] = static_cast<std::uint32_t>(i);
        const auto key = [&](std::uint32_t r) {
            return std::tuple(m_reviews.user[r], m_reviews.item[r], m_reviews.time[r], std::string_view(m_reviews.text[r]));
        };
        std::sort(order.begin(), order.end(), [&](auto a, auto b) { return key(a) < key(b); });
        std::int64_t repeats = 0;
        for (std::size_t i = 1; i < order.size(); ++i)
            repeats += key(order[i]) == key(order[i - 1]);
        m_report.duplicates += repeats;
        if (repeats > 0)
            m_report.warnings.push_back(fmt::format("{} reviews of '{}' repeat another one (same user, item, time and text); they are kept.",
                                                    withThousands(repeats), file));
    }

    Dataset& m_dataset;
    ReviewTable& m_reviews;
    ImportReport& m_report;
    ImportLog m_log;
    ReviewColumns m_c;
    TimeReader m_times{TimeUnit::automatic};
};

} // namespace

Result<void> readReviews(const std::string& path, Dataset& dataset, ImportReport& report, const ImportLimits& limits, const RunControl& control,
                         const std::string& importer) {
    return ReviewImport(dataset, report, limits, control).read(path, importer);
}

} // namespace carousel
