// SPDX-License-Identifier: GPL-3.0-or-later
// Data made up for the store's tests.
#pragma once
#include "base/random.h"
#include "store/project_store.h"
#include <array>

namespace carousel {

inline Dataset madeDataset(const std::string& name, int users, int items, int interactions, std::uint64_t seed = 1) {
    Dataset data;
    data.name = name;
    data.title = "Made for a test";
    data.note = "no licence";
    RandomStream random(seed, "store test");
    AttributeColumn age("age", FieldType::number);
    for (int i = 0; i < users; ++i) {
        data.users.ids.add(fmt::format("u{}", i * 7));
        const double value = 20.0 + static_cast<double>(random.below(50));
        if (random.below(10) == 0)
            age.appendMissing();
        else
            age.appendNumbers({&value, 1});
    }
    data.users.attributes.push_back(std::move(age));
    AttributeColumn title("title", FieldType::token), genres("genres", FieldType::tokenSeq);
    constexpr std::array<std::string_view, 4> names{"Comedy", "Drama", "Film-Noir", "Ärger, \"quoted\""};
    for (int i = 0; i < items; ++i) {
        data.items.ids.add(fmt::format("item {}", i));
        const std::string text = fmt::format("Title {} ☕", i);
        const std::string_view view = text;
        title.appendTokens({&view, 1});
        std::vector<std::string_view> row;
        for (const auto& genre : names)
            if (random.below(3) == 0)
                row.push_back(genre);
        if (row.empty())
            genres.appendMissing();
        else
            genres.appendTokens(row);
    }
    data.items.attributes.push_back(std::move(title));
    data.items.attributes.push_back(std::move(genres));
    auto& events = data.interactions;
    events.kinds = {"rating", "click"};
    for (int i = 0; i < interactions; ++i) {
        events.user.push_back(static_cast<Code>(random.below(static_cast<std::uint64_t>(users))));
        events.item.push_back(static_cast<Code>(random.below(static_cast<std::uint64_t>(items))));
        events.kind.push_back(static_cast<std::uint8_t>(random.below(2)));
        events.value.push_back(static_cast<float>(random.below(5)) + 1);
        events.time.push_back(random.below(20) == 0 ? noTime : 880000000 + static_cast<std::int64_t>(random.below(20000000)));
    }
    auto& shown = data.impressions;
    shown.policy = {"logged", "random"};
    for (int i = 0; i < interactions / 10; ++i) {
        shown.slate.push_back(i / 6);
        shown.user.push_back(i % 5 == 0 ? noCode : static_cast<Code>(random.below(static_cast<std::uint64_t>(users))));
        shown.item.push_back(static_cast<Code>(random.below(static_cast<std::uint64_t>(items))));
        shown.slot.push_back(static_cast<std::int16_t>(i % 6));
        shown.click.push_back(random.below(10) == 0);
        shown.propensity.push_back(i % 3 == 0 ? std::numeric_limits<float>::quiet_NaN() : 0.25f);
        shown.reached.push_back(255);
        shown.time.push_back(880000000 + i);
        shown.policyCode.push_back(static_cast<std::uint8_t>(i % 2));
    }
    data.sources = {{"made.inter", std::string(64, 'a'), "recbole", "{}", 123, interactions, interactions}};
    data.digest = datasetDigest(data);
    return data;
}

// The same for the same user, so that a resumed run can be compared with an undisturbed one.
inline UserResult madeResult(Code user, int depth = 100) {
    RandomStream random(11, "store result", static_cast<std::uint64_t>(user));
    UserResult result;
    result.user = user;
    result.targets = {3, 9};
    result.targetRank = {static_cast<std::int32_t>(random.below(500)) + 1, 0};
    result.targetTies = {1, 2};
    result.ranked = 1682;
    result.auc = random.uniform();
    for (int i = 0; i < depth; ++i) {
        result.slate.push_back({static_cast<Code>(random.below(1682)), static_cast<float>(random.normal()), ScoreStatus::ok});
        result.rankScore.push_back(static_cast<float>(depth - i));
    }
    result.fallback = user % 2 == 0;
    result.invalid = user % 3;
    result.cost.modelCalls = user;
    result.cost.promptTokens = 1LL << 40;
    result.cost.seconds = random.uniform();
    result.trace = fmt::format(R"([{{"stage":"controller","step":"plan","detail":{{"user":{}}}}}])", user);
    return result;
}

inline RunRow madeRun(const std::string& dataset = "made") {
    RunRow row;
    row.studyName = "study";
    row.studyToml = "name = \"study\"\n";
    row.strategy = "Popularity";
    row.dataset = dataset;
    row.datasetDigest = "d1";
    row.splitDigest = "s1";
    row.fingerprint = "f1";
    row.strategyJson = "{}";
    row.provenanceJson = "{}";
    row.notesJson = "{}";
    row.usersTotal = 50;
    return row;
}

} // namespace carousel
