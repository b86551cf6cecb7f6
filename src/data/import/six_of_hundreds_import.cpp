// SPDX-License-Identifier: GPL-3.0-or-later
// The project's own sample set: compressed atomic files and a carousel log of whole slates. Columns: see sample_data/SOURCE.md.
#include "base/file.h"
#include "base/text.h"
#include "data/import/atomic_files.h"
#include <chrono>
#include <cmath>
#include <limits>

namespace carousel {

namespace {

struct SlateColumns {
    int slate = -1, user = -1, time = -1, policy = -1, slot = -1, item = -1, propensity = -1, reached = -1, click = -1;
};

class SlateImport {
public:
    SlateImport(Dataset& dataset, ImportReport& report, const ImportLimits& limits, const RunControl& control)
        : m_dataset(dataset), m_shown(dataset.impressions), m_log(report, limits, control, true) {}

    Result<void> read(const std::string& path) {
        CAROUSEL_ASSIGN(TableReader table, TableReader::open(path, {'\t', false, false}));
        CAROUSEL_TRY(findColumns(table));
        for (;;) {
            CAROUSEL_ASSIGN(const bool any, m_log.nextRow(table));
            if (!any)
                break;
            CAROUSEL_TRY(addRow(table));
        }
        CAROUSEL_ASSIGN(auto source, m_log.finish(table, "six-of-hundreds", "{}"));
        m_dataset.sources.push_back(std::move(source));
        return {};
    }

private:
    Result<void> findColumns(const TableReader& table) {
        CAROUSEL_ASSIGN(const auto columns, atomicColumns(table));
        for (const auto& [name, index] : {std::pair{"slate_id", &m_c.slate},
                                          {"user_id", &m_c.user},
                                          {"timestamp", &m_c.time},
                                          {"policy", &m_c.policy},
                                          {"slot", &m_c.slot},
                                          {"item_id", &m_c.item},
                                          {"propensity", &m_c.propensity},
                                          {"reached", &m_c.reached},
                                          {"click", &m_c.click}}) {
            for (std::size_t i = 0; i < columns.size(); ++i)
                if (columns[i].name == name)
                    *index = static_cast<int>(i);
            if (*index < 0) {
                CAROUSEL_ASSIGN(*index, table.require(name, "a slate log needs it"));
            }
        }
        return {};
    }

    Result<void> addRow(const TableReader& table) {
        const auto fields = table.fields();
        auto field = [&](int column) { return trimmed(fields[static_cast<std::size_t>(column)]); };
        auto wrong = [&](int column, const char* wanted) -> Result<void> {
            const auto& name = table.columns()[static_cast<std::size_t>(column)];
            m_log.reject(table, fmt::format("column '{}': not {}", name, wanted),
                         fmt::format("column '{}': '{}' is not {}", name, quotedForMessage(field(column), 60), wanted));
            return {};
        };
        auto flag = [&](int column, std::uint8_t whenEmpty) -> std::optional<std::uint8_t> {
            const auto text = field(column);
            if (text.empty())
                return whenEmpty;
            const auto number = parseNumber(text);
            return number && (*number == 0 || *number == 1) ? std::optional<std::uint8_t>(*number == 1 ? 1 : 0) : std::nullopt;
        };
        const auto slateText = field(m_c.slate), item = field(m_c.item), user = field(m_c.user);
        if (slateText.empty())
            return wrong(m_c.slate, "a slate id");
        if (item.empty())
            return wrong(m_c.item, "an item id");
        const auto slot = parseNumber(field(m_c.slot));
        if (!slot || *slot != std::floor(*slot) || *slot < 0 || *slot > 1000)
            return wrong(m_c.slot, "a slot (0, 1, 2 ...)");
        const auto click = field(m_c.click).empty() ? std::nullopt : flag(m_c.click, 0);
        if (!click)
            return wrong(m_c.click, "0 or 1");
        const auto reached = flag(m_c.reached, 255);
        if (!reached)
            return wrong(m_c.reached, "0, 1 or empty");
        float propensity = std::numeric_limits<float>::quiet_NaN();
        if (const auto text = field(m_c.propensity); !text.empty()) {
            const auto number = parseNumber(text);
            if (!number || !(static_cast<float>(*number) > 0) || *number > 1)
                return wrong(m_c.propensity, "a probability above 0 and up to 1, or empty");
            propensity = static_cast<float>(*number);
        }
        const auto time = m_times.read(field(m_c.time));
        if (!time)
            return wrong(m_c.time, "a time");
        const bool knownSlate = m_slates.find(slateText) != noCode;
        const Code slate = m_slates.add(slateText);
        if (knownSlate && slate != m_lastSlate)
            return wrong(m_c.slate, "the slate of the row before: the rows of a slate must lie together");
        m_lastSlate = slate;
        CAROUSEL_ASSIGN(const std::uint8_t policy, policyCode(field(m_c.policy), table));

        m_shown.slate.push_back(slate);
        m_shown.user.push_back(user.empty() ? noCode : m_dataset.users.ids.add(user));
        m_shown.item.push_back(m_dataset.items.ids.add(item));
        m_shown.slot.push_back(static_cast<std::int16_t>(*slot));
        m_shown.click.push_back(*click);
        m_shown.propensity.push_back(propensity);
        m_shown.reached.push_back(*reached);
        m_shown.time.push_back(*time);
        m_shown.policyCode.push_back(policy);
        m_log.keep();
        return {};
    }

    Result<std::uint8_t> policyCode(std::string_view name, const TableReader& table) {
        for (std::size_t k = 0; k < m_shown.policy.size(); ++k)
            if (m_shown.policy[k] == name)
                return static_cast<std::uint8_t>(k);
        if (m_shown.policy.size() >= 255)
            return fail(ErrorKind::input, "CL-1012", fmt::format("'{}' line {}: more than 255 policies.", table.file(), table.line()),
                        "Check that the policy column is the right one.");
        m_shown.policy.emplace_back(name);
        return static_cast<std::uint8_t>(m_shown.policy.size() - 1);
    }

    Dataset& m_dataset;
    ImpressionTable& m_shown;
    ImportLog m_log;
    SlateColumns m_c;
    TimeReader m_times{TimeUnit::seconds};
    IdTable m_slates;
    Code m_lastSlate = noCode;
};

} // namespace

Result<Imported> importSixOfHundreds(const std::string& folder, const RunControl& control) {
    const auto start = std::chrono::steady_clock::now();
    const std::string base = folder + "/six_of_hundreds";
    const auto slates = existingFile(base + ".slates");
    if (slates.empty() || existingFile(base + ".inter").empty())
        return fail(ErrorKind::input, "CL-1001",
                    fmt::format("'{}' does not hold six_of_hundreds.inter and six_of_hundreds.slates (plain or .gz, .zst).", folder),
                    "Give the folder sample_data/six_of_hundreds, or make it again as sample_data/SOURCE.md says.");
    const ImportLimits limits{0, 1, false}; // our own file: one bad row is a damaged file
    Imported out{std::make_shared<Dataset>(), {}};
    auto& dataset = *out.dataset;
    dataset.name = "six-of-hundreds";
    dataset.title = "Six of hundreds";
    dataset.note = "Made by the project with a documented simulator whose truth is known; CC0 1.0. For trying out and for judging "
                   "estimators; it says nothing about real customers.";
    CAROUSEL_TRY(readAtomicFiles(base, dataset, out.report, limits, control.slice(0, 0.3), "six-of-hundreds"));
    CAROUSEL_TRY(SlateImport(dataset, out.report, limits, control.slice(0.3, 1)).read(slates));
    fillMissing(dataset.users);
    fillMissing(dataset.items);
    finishImport(out, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return out;
}

} // namespace carousel
