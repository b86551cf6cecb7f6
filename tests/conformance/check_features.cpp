// SPDX-License-Identifier: GPL-3.0-or-later
// Feature builders and encoders.
#include "base/text.h"
#include "checks.h"
#include <cmath>

namespace carousel::conformance {

namespace {

FeatureTable build(const PluginEntry& entry, const SmallData& data, Bench& bench) {
    return must(must(entry.manifest.createFeature(defaultsOf(entry), bench.environment()))->build(data.training, {}));
}

bool same(const FeatureTable& a, const FeatureTable& b) {
    if (a.itemText != b.itemText || a.itemStatus != b.itemStatus || a.notes != b.notes || a.itemTags.size() != b.itemTags.size())
        return false;
    for (std::size_t i = 0; i < a.itemTags.size(); ++i) {
        if (a.itemTags[i].size() != b.itemTags[i].size())
            return false;
        for (std::size_t t = 0; t < a.itemTags[i].size(); ++t)
            if (a.itemTags[i][t].name != b.itemTags[i][t].name || a.itemTags[i][t].confidence != b.itemTags[i][t].confidence)
                return false;
    }
    return true;
}

std::string checkTable(const FeatureTable& table, std::size_t items) {
    if (table.itemText.size() != items)
        return fmt::format("{} texts for {} items", table.itemText.size(), items);
    for (const auto& text : table.itemText)
        if (text.empty() || firstInvalidUtf8(text) != std::string::npos || text.find('\n') != std::string::npos)
            return fmt::format("a text is empty, not UTF-8 or has a line break: {}", quotedForMessage(text));
    if (!table.itemTags.empty() && table.itemTags.size() != items)
        return "tags for another number of items";
    if (!table.itemStatus.empty() && table.itemStatus.size() != items)
        return "status for another number of items";
    for (const auto& tags : table.itemTags)
        for (const auto& tag : tags)
            if (tag.name.empty() || !(tag.confidence >= 0 && tag.confidence <= 1))
                return "a tag is empty or its confidence is outside 0..1";
    return "";
}

EmbeddingTable encode(const PluginEntry& entry, const SmallData& data, const FeatureTable& features, Bench& bench) {
    return must(must(entry.manifest.createEncoder(defaultsOf(entry), bench.environment()))->encode(features, data.training, {}));
}

} // namespace

void checkFeatures(const PluginRegistry& registry, Report& report) {
    const auto all = smallData(), renamed = smallData("other-");
    const auto larger = largerData();
    for (const auto& entry : registry.all()) {
        if (entry.manifest.kind != StageKind::feature)
            continue;
        report.check(label(entry), "gives every item a clean text, on every data set", [&]() -> std::string {
            for (const auto& data : all) {
                Bench bench;
                if (const auto wrong = checkTable(build(entry, data, bench), data.training.itemCount()); !wrong.empty())
                    return data.name + ": " + wrong;
            }
            return "";
        });
        report.check(label(entry), "same seed, same result; other ids, same result", [&]() -> std::string {
            for (std::size_t d = 0; d < all.size(); ++d) {
                Bench a, b, c;
                const auto first = build(entry, all[d], a);
                if (!same(first, build(entry, all[d], b)))
                    return all[d].name + ": two runs differ";
                if (all[d].hasTitles && all[d].name != "unicode" &&
                    !same(first, build(entry, renamed[d], c))) // untitled items show their ids
                    return all[d].name + ": renaming ids changed the result";
            }
            return "";
        });
        report.check(label(entry), "stops when asked", [&] {
            Bench bench;
            const auto builder = must(entry.manifest.createFeature(defaultsOf(entry), bench.environment()));
            return checkStops([&](const RunControl& control) -> Result<void> {
                CAROUSEL_TRY(builder->build(larger.training, control));
                return {};
            });
        });
        report.check(label(entry), "an attribute that the data lack is refused by name", [&]() -> std::string {
            Bench bench;
            const auto made = entry.manifest.createFeature(parametersOf(entry, {{"fields", std::vector<std::string>{"no_such_field"}}}),
                                                           bench.environment());
            const auto built = must(std::move(const_cast<Result<std::unique_ptr<FeatureBuilder>>&>(made)))->build(all[0].training, {});
            return !built && built.error().code == "CL-6020" && built.error().hint.find("category") != std::string::npos
                       ? ""
                       : "it was not refused with CL-6020 and the known ones";
        });
        if (!entry.manifest.usesLanguageModel)
            continue;
        report.check(label(entry), "its cost is counted, tags come from the set, a missing model is an error", [&]() -> std::string {
            Bench bench;
            const auto table = build(entry, all[0], bench);
            const auto cost = bench.cost.total();
            if (cost.modelCalls <= 0 || cost.promptTokens <= 0)
                return "no calls or tokens were counted";
            std::size_t tagged = 0;
            for (const auto& tags : table.itemTags)
                tagged += !tags.empty();
            if (tagged == 0)
                return "no item got a tag";
            Bench empty;
            empty.modelMissing = true;
            const auto failed = must(entry.manifest.createFeature(defaultsOf(entry), empty.environment()))->build(all[0].training, {});
            return !failed && failed.error().code == "CL-2070" ? "" : "a missing model was not passed on";
        });
    }
}

void checkEncoders(const PluginRegistry& registry, Report& report) {
    const auto all = smallData(), renamed = smallData("other-");
    const auto larger = largerData();
    const auto largerFeatures = plainFeatures(registry, larger);
    for (const auto& entry : registry.all()) {
        if (entry.manifest.kind != StageKind::encoder)
            continue;
        report.check(label(entry), "one finite vector per item, on every data set", [&]() -> std::string {
            for (const auto& data : all) {
                Bench bench;
                const auto table = encode(entry, data, plainFeatures(registry, data), bench);
                if (table.items.rows != data.training.itemCount() || table.items.columns == 0 || table.description.empty())
                    return data.name + ": wrong size or no description";
                for (const float v : table.items.values)
                    if (!std::isfinite(v))
                        return data.name + ": a value is not finite";
            }
            return "";
        });
        report.check(label(entry), "same seed, same result; other ids, same result", [&]() -> std::string {
            for (std::size_t d = 0; d < all.size(); ++d) {
                Bench a, b, c;
                const auto features = plainFeatures(registry, all[d]);
                const auto first = encode(entry, all[d], features, a);
                if (first.items.values != encode(entry, all[d], features, b).items.values)
                    return all[d].name + ": two runs differ";
                if (first.items.values != encode(entry, renamed[d], features, c).items.values)
                    return all[d].name + ": renaming ids changed the result";
            }
            return "";
        });
        report.check(label(entry), "stops when asked", [&] {
            Bench bench;
            const auto encoder = must(entry.manifest.createEncoder(defaultsOf(entry), bench.environment()));
            return checkStops([&](const RunControl& control) -> Result<void> {
                CAROUSEL_TRY(encoder->encode(largerFeatures, larger.training, control));
                return {};
            });
        });
        if (!entry.manifest.usesLanguageModel)
            continue;
        report.check(label(entry), "like texts lie closer than unlike ones; its cost is counted", [&]() -> std::string {
            Bench bench;
            FeatureTable features;
            features.itemText = {"red garden lamp", "red garden lamp", "old winter map", "quiet paper stone", "river", "garden stone lamp"};
            const auto table = encode(entry, all[0], features, bench);
            auto dot = [&](std::size_t i, std::size_t j) {
                double sum = 0;
                for (std::size_t k = 0; k < table.items.columns; ++k)
                    sum += double(table.items.row(i)[k]) * table.items.row(j)[k];
                return sum;
            };
            if (dot(0, 1) < 0.999 || dot(0, 1) <= dot(0, 2) || dot(0, 1) <= dot(0, 3))
                return "equal texts are not nearest";
            return bench.cost.total().modelCalls > 0 && bench.cost.total().promptTokens > 0 ? "" : "no calls or tokens were counted";
        });
    }
}

} // namespace carousel::conformance
