// SPDX-License-Identifier: GPL-3.0-or-later
// Small data sets made in memory for the tests of the window.
#pragma once
#include "data/dataset.h"
#include <cmath>

namespace carousel::test {

inline std::shared_ptr<Dataset> smallDataset(std::size_t users = 20, std::size_t items = 30, std::size_t events = 200) {
    auto data = std::make_shared<Dataset>();
    data->name = "small";
    data->title = "Small set";
    AttributeColumn title("title", FieldType::token), price("price", FieldType::number), tags("tags", FieldType::tokenSeq);
    for (std::size_t i = 0; i < users; ++i)
        data->users.ids.add("u" + std::to_string(i));
    for (std::size_t i = 0; i < items; ++i) {
        data->items.ids.add("i" + std::to_string(i));
        const std::string text = i % 7 == 3 ? "<b>Bold</b> item " + std::to_string(i) : "Item " + std::to_string(i);
        const std::string_view view = text;
        title.appendTokens({&view, 1});
        const double value = static_cast<double>((i * 37) % 50) + 0.5;
        if (i % 5 == 4)
            price.appendMissing();
        else
            price.appendNumbers({&value, 1});
        const std::string_view tag[] = {i % 2 ? "odd" : "even", "all"};
        tags.appendTokens(tag);
    }
    data->items.attributes.push_back(std::move(title));
    data->items.attributes.push_back(std::move(price));
    data->items.attributes.push_back(std::move(tags));
    auto& t = data->interactions;
    t.kinds = {"rating", "click"};
    t.user.reserve(events);
    for (std::size_t i = 0; i < events; ++i) {
        t.user.push_back(static_cast<Code>((i * 7) % users));
        t.item.push_back(static_cast<Code>((i * 13 + i / items) % items));
        t.kind.push_back(i % 4 == 0 ? 1 : 0);
        t.value.push_back(static_cast<float>(1 + i % 5));
        t.time.push_back(i % 50 == 49 ? noTime : 1'000'000'000 + static_cast<std::int64_t>(i) * 3600);
    }
    auto& s = data->impressions;
    s.policy = {"random"};
    for (std::size_t i = 0; i < 60; ++i) {
        s.slate.push_back(static_cast<std::int64_t>(i / 6));
        s.user.push_back(i % 12 == 0 ? noCode : static_cast<Code>(i / 6 % users));
        s.item.push_back(static_cast<Code>(i % items));
        s.slot.push_back(static_cast<std::int16_t>(i % 6));
        s.click.push_back(i % 6 == 0 && i % 4 == 0);
        s.propensity.push_back(i % 9 == 8 ? NAN : 0.2F);
        s.reached.push_back(255);
        s.time.push_back(noTime);
        s.policyCode.push_back(0);
    }
    auto& r = data->reviews;
    for (std::size_t i = 0; i < 12; ++i) {
        r.user.push_back(static_cast<Code>(i % users));
        r.item.push_back(static_cast<Code>(i * 3 % items));
        r.stars.push_back(i % 6 == 5 ? NAN : static_cast<float>(3 + i % 3));
        r.time.push_back(i % 4 == 3 ? noTime : 1'000'000'000 + static_cast<std::int64_t>(i) * 7200);
        r.headline.push_back(i % 2 ? "Good zip" : "");
        r.text.push_back("The zip of number " + std::to_string(i) + " runs well.");
        r.feature.push_back("zip");
    }
    return data;
}

} // namespace carousel::test
