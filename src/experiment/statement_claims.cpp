// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/statement_claims.h"
#include <algorithm>
#include <vector>

namespace carousel {

namespace {
std::vector<ClaimPhrase> all() {
    std::vector<ClaimPhrase> out;
    const auto add = [&](Claim claim, std::initializer_list<std::string_view> phrases) {
        for (const auto phrase : phrases)
            out.push_back({phrase, claim});
    };
    add(Claim::mostPopular, {"best seller", "best sellers", "bestseller", "bestsellers", "best selling", "bestselling", "top selling", "top seller", "most popular", "most liked", "most loved", "most wanted",
                             "number one choice", "everyones favourite", "everyones favorite", "customer favourite", "customer favorite"});
    add(Claim::amongPopular, {"one of the most popular", "among the most popular", "one of our most popular", "one of our best sellers", "one of our bestsellers", "very popular", "highly popular", "extremely popular", "hugely popular"});
    add(Claim::popular, {"popular", "well liked", "trending"});
    add(Claim::cheapest, {"cheapest", "lowest price", "lowest priced", "least expensive"});
    add(Claim::cheaper, {"cheap", "cheaper", "inexpensive", "affordable", "low price", "low priced", "bargain", "costs less", "less expensive", "good price", "great price"});
    add(Claim::dearer, {"expensive", "more expensive", "pricier", "pricey", "costs more", "high priced"});
    add(Claim::usualPrice, {"usual price", "usual prices", "usual price range", "your price range", "your budget", "within budget", "similar price", "similar prices", "similarly priced"});
    add(Claim::bought, {"bought", "purchased", "purchase", "purchases", "ordered from", "you own", "you already own", "youve bought", "your orders", "added to your cart", "in your cart"});
    add(Claim::stated, {"on sale", "for sale", "discount", "discounts", "discounted", "special offer", "reduced price", "price drop", "half price", "free shipping", "free delivery", "free returns", "money back", "in stock",
                        "out of stock", "sold out", "limited edition", "limited time", "warranty", "guarantee", "guaranteed", "next day delivery", "fast delivery", "new arrival", "brand new", "newly launched", "newly released",
                        "just released", "latest model", "latest release"});
    add(Claim::stated, {"rated", "rating", "ratings", "stars", "star rating", "five star", "four star", "review", "reviews", "reviewers", "highly rated", "top rated", "best rated", "award", "awards", "award winning", "prize winning",
                        "critically acclaimed", "acclaimed", "certified", "recommended by experts", "expert recommended", "oscar", "oscars"});
    add(Claim::stated, {"waterproof", "water resistant", "water repellent", "weatherproof", "windproof", "breathable", "lightweight", "ultralight", "foldable", "portable", "rechargeable", "battery powered", "solar powered", "wireless", "cordless",
                        "noise cancelling", "machine washable", "dishwasher safe", "non stick", "stainless steel", "organic", "vegan", "fair trade", "gluten free", "handmade", "hand made", "handcrafted", "recycled", "recyclable",
                        "biodegradable", "eco friendly", "environmentally friendly", "sustainable", "locally made", "imported", "fireproof", "heat resistant", "scratch resistant", "shockproof", "rust free", "leather", "cotton", "wool",
                        "bamboo", "titanium", "aluminium", "aluminum", "plastic", "based on a true story", "directed by", "starring", "sequel"});
    add(Claim::others, {"other customers", "other users", "other people", "other shoppers", "customers like you", "people like you", "users like you", "customers also", "people also", "customers who", "people who bought", "others who", "friends", "experts",
                        "critics"});
    std::stable_sort(out.begin(), out.end(), [](const ClaimPhrase& a, const ClaimPhrase& b) { return std::count(a.words.begin(), a.words.end(), ' ') > std::count(b.words.begin(), b.words.end(), ' '); });
    return out;
}
} // namespace

std::span<const ClaimPhrase> claimPhrases() {
    static const auto phrases = all();
    return phrases;
}

std::string_view wordsOf(Claim claim) {
    switch (claim) {
    case Claim::mostPopular: return "the most popular item";
    case Claim::amongPopular: return "in the first tenth by popularity";
    case Claim::popular: return "in the first quarter by popularity";
    case Claim::cheapest: return "the cheapest item";
    case Claim::cheaper: return "cheaper than the middle one of the last choices";
    case Claim::dearer: return "dearer than the middle one of the last choices";
    case Claim::usualPrice: return "between the lowest and the highest price of the last choices";
    case Claim::bought: return "a purchase";
    case Claim::stated: return "stated in the item's own text";
    case Claim::others: return "what other people do";
    }
    return "";
}

} // namespace carousel
