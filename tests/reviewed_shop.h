// SPDX-License-Identifier: GPL-3.0-or-later
// A small shop with written reviews, for tests of the five task families.
#pragma once
#include "data/dataset.h"
#include <functional>
#include <memory>
#include <string>

namespace carousel::test {

struct Shop {
    int users = 60, items = 150;
    int reviewEvery = 3;                                  // of a customer's twelve choices
    std::function<int(int user, int step)> item;          // number of the item; empty: one in eleven, no repeats
    std::function<std::string(int item)> title;           // empty: "Thing number 7"
    std::function<std::string(int user)> headline, text;  // empty: the same for all
};
// Customers choose twelve items each, one an hour, and review some.
inline std::shared_ptr<Dataset> reviewedShop(const Shop& shop = {}) {
    auto out = std::make_shared<Dataset>();
    out->name = out->title = "shop", out->digest = "d1";
    out->interactions.kinds = {"like"};
    AttributeColumn title("title", FieldType::token), kind("kind", FieldType::token), town("town", FieldType::token);
    const auto put = [](AttributeColumn& column, const std::string& text) {
        const std::string_view value = text;
        column.appendTokens({&value, 1});
    };
    for (int i = 0; i < shop.items; ++i) {
        out->items.ids.add("i" + std::to_string(i));
        put(title, shop.title ? shop.title(i) : "Thing number " + std::to_string(i));
        put(kind, i % 2 ? "lamp" : "chair");
    }
    for (int u = 0; u < shop.users; ++u) {
        out->users.ids.add("u" + std::to_string(u));
        put(town, u % 3 ? "north" : "south");
        for (int step = 0; step < 12; ++step) {
            const Code item = static_cast<Code>(shop.item ? shop.item(u, step) : (u * 7 + step * 11) % shop.items);
            const std::int64_t time = 1000 + step * 3600 + u;
            out->interactions.user.push_back(u), out->interactions.item.push_back(item), out->interactions.kind.push_back(0);
            out->interactions.value.push_back(1), out->interactions.time.push_back(time);
            if (step % shop.reviewEvery == 0) {
                out->reviews.user.push_back(u), out->reviews.item.push_back(item), out->reviews.time.push_back(time + 60);
                out->reviews.stars.push_back(static_cast<float>(1 + (u + step) % 5));
                out->reviews.headline.push_back(shop.headline ? shop.headline(u) : "Fine seams");
                out->reviews.text.push_back(shop.text ? shop.text(u) : "Came on Monday. The seams hold well! Would buy again.");
                out->reviews.feature.push_back("seams");
            }
        }
    }
    out->items.attributes = {std::move(title), std::move(kind)};
    out->users.attributes = {std::move(town)};
    return out;
}

} // namespace carousel::test
