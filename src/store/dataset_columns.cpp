// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/dataset_columns.h"
#include "store/blob.h"
#include <algorithm>
#include <cmath>

namespace carousel::store {

using nlohmann::json;

namespace {
template <class T> std::string_view column(const std::vector<T>& values) { return bytesOf(std::span<const T>(values)); }

auto wrong(const std::string& what) { return fail(ErrorKind::project, "CL-4003", what); }

Result<void> writeTexts(const ColumnSink& sink, const std::string& name, const std::vector<std::string>& texts) {
    std::vector<std::uint32_t> lengths;
    std::string all;
    lengths.reserve(texts.size());
    for (const auto& text : texts) {
        lengths.push_back(static_cast<std::uint32_t>(text.size()));
        all += text;
    }
    CAROUSEL_TRY(sink(name + ".lengths", column(lengths)));
    return sink(name + ".text", all);
}

template <class T> Result<std::vector<T>> readValues(const ColumnSource& source, const std::string& name) {
    CAROUSEL_ASSIGN(const std::string bytes, source(name));
    if (bytes.size() % sizeof(T) != 0)
        return wrong(fmt::format("column '{}' has {} bytes, not a multiple of {}", name, bytes.size(), sizeof(T)));
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty())
        std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

// Views into `all`, one per text.
Result<std::vector<std::string_view>> readTexts(const ColumnSource& source, const std::string& name, std::string& all) {
    CAROUSEL_ASSIGN(const auto lengths, readValues<std::uint32_t>(source, name + ".lengths"));
    CAROUSEL_ASSIGN(all, source(name + ".text"));
    std::vector<std::string_view> texts;
    texts.reserve(lengths.size());
    std::size_t at = 0;
    for (const auto length : lengths) {
        if (length > all.size() - at)
            return wrong(fmt::format("column '{}' is shorter than its lengths say", name));
        texts.push_back(std::string_view(all).substr(at, length));
        at += length;
    }
    return texts;
}

Result<void> writeAttribute(const ColumnSink& sink, const std::string& name, const AttributeColumn& attribute) {
    std::vector<std::uint32_t> counts(attribute.rows());
    std::vector<std::int32_t> tokens;
    std::vector<double> numbers;
    for (std::size_t row = 0; row < attribute.rows(); ++row) {
        if (attribute.isNumeric()) {
            const auto values = attribute.numbers(row);
            counts[row] = static_cast<std::uint32_t>(values.size());
            numbers.insert(numbers.end(), values.begin(), values.end());
        } else {
            const auto codes = attribute.tokenCodes(row);
            counts[row] = static_cast<std::uint32_t>(codes.size());
            tokens.insert(tokens.end(), codes.begin(), codes.end());
        }
    }
    CAROUSEL_TRY(sink(name + ".counts", column(counts)));
    if (attribute.isNumeric())
        return sink(name + ".numbers", column(numbers));
    CAROUSEL_TRY(sink(name + ".tokens", column(tokens)));
    return writeTexts(sink, name + ".dictionary", attribute.dictionary());
}

Result<FieldType> fieldType(const std::string& text) {
    for (const auto type : {FieldType::token, FieldType::tokenSeq, FieldType::number, FieldType::numberSeq})
        if (text == name(type))
            return type;
    return wrong("unknown attribute type '" + text + "'");
}

Result<AttributeColumn> readAttribute(const ColumnSource& source, const std::string& name, const std::string& title, FieldType type, std::size_t rows) {
    AttributeColumn attribute(title, type);
    CAROUSEL_ASSIGN(const auto counts, readValues<std::uint32_t>(source, name + ".counts"));
    std::size_t total = 0;
    for (const auto count : counts)
        total += count;
    if (counts.size() != rows)
        return wrong(fmt::format("attribute '{}' has {} rows, its table {}", title, counts.size(), rows));
    std::size_t at = 0;
    if (attribute.isNumeric()) {
        CAROUSEL_ASSIGN(const auto numbers, readValues<double>(source, name + ".numbers"));
        if (numbers.size() != total)
            return wrong(fmt::format("attribute '{}' has {} values, its rows ask for {}", title, numbers.size(), total));
        for (const auto count : counts) {
            if (count == 0)
                attribute.appendMissing();
            else
                attribute.appendNumbers({numbers.data() + at, count});
            at += count;
        }
        return attribute;
    }
    CAROUSEL_ASSIGN(const auto tokens, readValues<std::int32_t>(source, name + ".tokens"));
    std::string all;
    CAROUSEL_ASSIGN(const auto dictionary, readTexts(source, name + ".dictionary", all));
    if (tokens.size() != total)
        return wrong(fmt::format("attribute '{}' has {} values, its rows ask for {}", title, tokens.size(), total));
    std::vector<std::string_view> row;
    for (const auto count : counts) {
        row.clear();
        for (std::size_t i = 0; i < count; ++i) {
            const auto code = tokens[at + i];
            if (code < 0 || static_cast<std::size_t>(code) >= dictionary.size())
                return wrong(fmt::format("attribute '{}' uses value {} of {}", title, code, dictionary.size()));
            row.push_back(dictionary[static_cast<std::size_t>(code)]);
        }
        at += count;
        if (row.empty())
            attribute.appendMissing();
        else
            attribute.appendTokens(row);
    }
    return attribute;
}

Result<void> writeTable(const ColumnSink& sink, const std::string& name, const EntityTable& table) {
    CAROUSEL_TRY(writeTexts(sink, name + ".id", table.ids.ids()));
    for (std::size_t i = 0; i < table.attributes.size(); ++i)
        CAROUSEL_TRY(writeAttribute(sink, fmt::format("{}.{}", name, i), table.attributes[i]));
    return {};
}

Result<void> readTable(const ColumnSource& source, const std::string& name, const json& layout, EntityTable& table) {
    std::string all;
    CAROUSEL_ASSIGN(const auto ids, readTexts(source, name + ".id", all));
    for (const auto id : ids)
        table.ids.add(id);
    if (table.ids.size() != ids.size())
        return wrong(fmt::format("table '{}' holds an id twice", name));
    for (std::size_t i = 0; i < layout.size(); ++i) {
        CAROUSEL_ASSIGN(const auto type, fieldType(layout[i].at("type").get<std::string>()));
        CAROUSEL_ASSIGN(auto attribute, readAttribute(source, fmt::format("{}.{}", name, i), layout[i].at("name").get<std::string>(), type, ids.size()));
        table.attributes.push_back(std::move(attribute));
    }
    return {};
}

json attributesOf(const EntityTable& table) {
    json list = json::array();
    for (const auto& attribute : table.attributes)
        list.push_back({{"name", attribute.name()}, {"type", name(attribute.type())}});
    return list;
}

bool codesWithin(const std::vector<Code>& codes, std::size_t count, bool mayBeNone) {
    for (const auto code : codes)
        if (!(code >= 0 && static_cast<std::size_t>(code) < count) && !(mayBeNone && code == noCode))
            return false;
    return true;
}
Result<void> writeReviews(const ColumnSink& sink, const ReviewTable& reviews) {
    CAROUSEL_TRY(sink("reviews.user", column(reviews.user)));
    CAROUSEL_TRY(sink("reviews.item", column(reviews.item)));
    CAROUSEL_TRY(sink("reviews.stars", column(reviews.stars)));
    CAROUSEL_TRY(sink("reviews.time", column(reviews.time)));
    CAROUSEL_TRY(writeTexts(sink, "reviews.headline", reviews.headline));
    CAROUSEL_TRY(writeTexts(sink, "reviews.text", reviews.text));
    return writeTexts(sink, "reviews.feature", reviews.feature);
}

Result<void> readReviews(const ColumnSource& source, std::size_t rows, Dataset& dataset) {
    auto& reviews = dataset.reviews;
    CAROUSEL_ASSIGN(reviews.user, readValues<Code>(source, "reviews.user"));
    CAROUSEL_ASSIGN(reviews.item, readValues<Code>(source, "reviews.item"));
    CAROUSEL_ASSIGN(reviews.stars, readValues<float>(source, "reviews.stars"));
    CAROUSEL_ASSIGN(reviews.time, readValues<std::int64_t>(source, "reviews.time"));
    for (const auto& [name, texts] : {std::pair{"reviews.headline", &reviews.headline}, {"reviews.text", &reviews.text}, {"reviews.feature", &reviews.feature}}) {
        std::string all;
        CAROUSEL_ASSIGN(const auto views, readTexts(source, name, all));
        texts->assign(views.begin(), views.end());
    }
    for (const auto size : {reviews.user.size(), reviews.item.size(), reviews.stars.size(), reviews.time.size(), reviews.headline.size(), reviews.text.size(), reviews.feature.size()})
        if (size != rows)
            return wrong(fmt::format("a review column has {} rows, the layout says {}", size, rows));
    if (!codesWithin(reviews.user, dataset.users.size(), false) || !codesWithin(reviews.item, dataset.items.size(), false))
        return wrong("a review names a user or item that is not there");
    return {};
}
} // namespace

json layoutOf(const Dataset& dataset) {
    json sources = json::array();
    for (const auto& file : dataset.sources)
        sources.push_back({{"name", file.name}, {"sha256", file.sha256}, {"importer", file.importer}, {"options", file.options},
                           {"bytes", file.bytes}, {"rowsRead", file.rowsRead}, {"rowsKept", file.rowsKept}});
    json layout = {{"users", attributesOf(dataset.users)}, {"items", attributesOf(dataset.items)}, {"kinds", dataset.interactions.kinds},
                   {"policies", dataset.impressions.policy}, {"sources", std::move(sources)}};
    if (dataset.reviews.size() > 0) // its columns are there only then
        layout["reviews"] = dataset.reviews.size();
    return layout;
}

Result<void> writeColumns(const Dataset& dataset, const ColumnSink& sink) {
    CAROUSEL_TRY(writeTable(sink, "users", dataset.users));
    CAROUSEL_TRY(writeTable(sink, "items", dataset.items));
    const auto& events = dataset.interactions;
    for (std::size_t row = 0; row < events.value.size(); ++row)
        if (!std::isfinite(events.value[row]))
            return fail(ErrorKind::internal, "CL-4012", fmt::format("Interaction {} of '{}' has the value {}, which is not a number that can be stored.", row + 1, dataset.name, events.value[row]),
                        "The importer must refuse such a row; please report this.");
    CAROUSEL_TRY(sink("interactions.user", column(events.user)));
    CAROUSEL_TRY(sink("interactions.item", column(events.item)));
    CAROUSEL_TRY(sink("interactions.kind", column(events.kind)));
    CAROUSEL_TRY(sink("interactions.value", column(events.value)));
    CAROUSEL_TRY(sink("interactions.time", column(events.time)));
    const auto& shown = dataset.impressions;
    CAROUSEL_TRY(sink("impressions.slate", column(shown.slate)));
    CAROUSEL_TRY(sink("impressions.user", column(shown.user)));
    CAROUSEL_TRY(sink("impressions.item", column(shown.item)));
    CAROUSEL_TRY(sink("impressions.slot", column(shown.slot)));
    CAROUSEL_TRY(sink("impressions.click", column(shown.click)));
    CAROUSEL_TRY(sink("impressions.propensity", column(shown.propensity)));
    CAROUSEL_TRY(sink("impressions.reached", column(shown.reached)));
    CAROUSEL_TRY(sink("impressions.time", column(shown.time)));
    CAROUSEL_TRY(sink("impressions.policy", column(shown.policyCode)));
    return dataset.reviews.size() > 0 ? writeReviews(sink, dataset.reviews) : Result<void>();
}

Result<void> readColumns(Dataset& dataset, const json& layout, const ColumnSource& source) {
    CAROUSEL_TRY(readTable(source, "users", layout.at("users"), dataset.users));
    CAROUSEL_TRY(readTable(source, "items", layout.at("items"), dataset.items));
    auto& events = dataset.interactions;
    events.kinds = layout.at("kinds").get<std::vector<std::string>>();
    CAROUSEL_ASSIGN(events.user, readValues<Code>(source, "interactions.user"));
    CAROUSEL_ASSIGN(events.item, readValues<Code>(source, "interactions.item"));
    CAROUSEL_ASSIGN(events.kind, readValues<std::uint8_t>(source, "interactions.kind"));
    CAROUSEL_ASSIGN(events.value, readValues<float>(source, "interactions.value"));
    CAROUSEL_ASSIGN(events.time, readValues<std::int64_t>(source, "interactions.time"));
    const auto rows = events.user.size();
    if (events.item.size() != rows || events.kind.size() != rows || events.value.size() != rows || events.time.size() != rows)
        return wrong("the interaction columns differ in length");
    if (!codesWithin(events.user, dataset.users.size(), false) || !codesWithin(events.item, dataset.items.size(), false))
        return wrong("an interaction names a user or item that is not there");
    for (const auto kind : events.kind)
        if (kind >= events.kinds.size())
            return wrong("an interaction has an unknown event kind");
    auto& shown = dataset.impressions;
    shown.policy = layout.at("policies").get<std::vector<std::string>>();
    CAROUSEL_ASSIGN(shown.slate, readValues<std::int64_t>(source, "impressions.slate"));
    CAROUSEL_ASSIGN(shown.user, readValues<Code>(source, "impressions.user"));
    CAROUSEL_ASSIGN(shown.item, readValues<Code>(source, "impressions.item"));
    CAROUSEL_ASSIGN(shown.slot, readValues<std::int16_t>(source, "impressions.slot"));
    CAROUSEL_ASSIGN(shown.click, readValues<std::uint8_t>(source, "impressions.click"));
    CAROUSEL_ASSIGN(shown.propensity, readValues<float>(source, "impressions.propensity"));
    CAROUSEL_ASSIGN(shown.reached, readValues<std::uint8_t>(source, "impressions.reached"));
    CAROUSEL_ASSIGN(shown.time, readValues<std::int64_t>(source, "impressions.time"));
    CAROUSEL_ASSIGN(shown.policyCode, readValues<std::uint8_t>(source, "impressions.policy"));
    const auto slots = shown.slate.size();
    for (const auto size : {shown.user.size(), shown.item.size(), shown.slot.size(), shown.click.size(), shown.propensity.size(), shown.reached.size(), shown.time.size(),
                            shown.policyCode.size()})
        if (size != slots)
            return wrong("the impression columns differ in length");
    if (!codesWithin(shown.user, dataset.users.size(), true) || !codesWithin(shown.item, dataset.items.size(), false))
        return wrong("an impression names a user or item that is not there");
    for (const auto code : shown.policyCode)
        if (code >= std::max<std::size_t>(shown.policy.size(), 1))
            return wrong("an impression has an unknown logging policy");
    if (layout.contains("reviews"))
        CAROUSEL_TRY(readReviews(source, layout.at("reviews").get<std::size_t>(), dataset));
    for (const auto& file : layout.at("sources"))
        dataset.sources.push_back({file.at("name"), file.at("sha256"), file.at("importer"), file.at("options"), file.at("bytes"), file.at("rowsRead"), file.at("rowsKept")});
    return {};
}

json toJson(const ImportReport& report) {
    json rejects = json::array();
    for (const auto& issue : report.rejects)
        rejects.push_back({{"line", issue.line}, {"file", issue.file}, {"reason", issue.reason}, {"rawText", issue.rawText}});
    auto time = [](std::int64_t value) { return value == noTime ? json() : json(value); };
    return {{"rowsRead", report.rowsRead}, {"rowsKept", report.rowsKept}, {"rowsRejected", report.rowsRejected}, {"duplicates", report.duplicates},
            {"rejects", std::move(rejects)}, {"rejectReasons", report.rejectReasons}, {"firstTime", time(report.firstTime)},
            {"lastTime", time(report.lastTime)}, {"warnings", report.warnings}, {"seconds", report.seconds}};
}

ImportReport reportFromJson(const json& j) {
    ImportReport report;
    report.rowsRead = j.at("rowsRead");
    report.rowsKept = j.at("rowsKept");
    report.rowsRejected = j.at("rowsRejected");
    report.duplicates = j.at("duplicates");
    for (const auto& issue : j.at("rejects"))
        report.rejects.push_back({issue.at("line"), issue.at("file"), issue.at("reason"), issue.at("rawText")});
    report.rejectReasons = j.at("rejectReasons").get<std::map<std::string, std::int64_t>>();
    if (!j.at("firstTime").is_null())
        report.firstTime = j.at("firstTime");
    if (!j.at("lastTime").is_null())
        report.lastTime = j.at("lastTime");
    report.warnings = j.at("warnings").get<std::vector<std::string>>();
    report.seconds = j.at("seconds");
    return report;
}

} // namespace carousel::store
