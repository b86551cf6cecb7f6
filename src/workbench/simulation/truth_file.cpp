// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/simulation/truth_file.h"
#include "base/file.h"
#include <algorithm>
#include <nlohmann/json.hpp>

namespace carousel {

Result<KnownTruth> readTruth(const std::string& file, const Dataset& dataset) {
    const auto refused = [&](const std::string& what) {
        return fail(ErrorKind::input, "CL-3133", fmt::format("The true numbers of '{}' cannot be used: {}.", dataset.name, what),
                    "They are known for the sample set Six of hundreds alone; take users that are fitted to the log.");
    };
    CAROUSEL_ASSIGN(const std::string text, readFile(file, 64 << 20));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object())
        return refused(fmt::format("'{}' is not a JSON object", file));
    KnownTruth out;
    Population& p = out.population;
    try {
        const std::vector<std::string> categories = json.at("categories"), styles = json.at("styles");
        const double a0 = json.at("a0"), a1 = json.at("a1"), priceWeight = json.at("price_weight");
        const std::size_t price = categories.size() + styles.size();
        p.users = dataset.users.size(), p.items = dataset.items.size(), p.rank = price + 1;
        p.base = static_cast<float>(a0);
        p.userVectors.assign(p.users * p.rank, 0), p.itemVectors.assign(p.items * p.rank, 0), p.itemBias.assign(p.items, 0);
        const auto placeOf = [&](const std::vector<std::string>& names, const std::string& name) {
            return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
        };
        for (std::size_t u = 0; u < p.users; ++u) {
            const std::string& id = dataset.users.ids.id(static_cast<Code>(u));
            if (!json.at("users").contains(id))
                return refused(fmt::format("user '{}' is not in '{}'", id, file));
            const auto& user = json["users"][id];
            const std::vector<double> taste = user.at("taste"), style = user.at("style");
            if (taste.size() != categories.size() || style.size() != styles.size())
                return refused(fmt::format("the tastes of user '{}' do not fit", id));
            float* const v = p.userVectors.data() + u * p.rank;
            for (std::size_t k = 0; k < taste.size(); ++k)
                v[k] = static_cast<float>(a1 * taste[k]);
            for (std::size_t k = 0; k < style.size(); ++k)
                v[taste.size() + k] = static_cast<float>(a1 * style[k]);
            v[price] = static_cast<float>(-a1 * priceWeight * (user.at("price_sensitivity").get<double>() - 0.5));
        }
        for (std::size_t i = 0; i < p.items; ++i) {
            const std::string& id = dataset.items.ids.id(static_cast<Code>(i));
            if (!json.at("items").contains(id))
                return refused(fmt::format("item '{}' is not in '{}'", id, file));
            const auto& item = json["items"][id];
            float* const v = p.itemVectors.data() + i * p.rank;
            const std::size_t category = placeOf(categories, item.at("category")), style = placeOf(styles, item.at("style"));
            if (category == categories.size() || style == styles.size())
                return refused(fmt::format("the kind of item '{}' is unknown", id));
            v[category] = v[categories.size() + style] = 1;
            v[price] = item.at("price_level").get<float>();
            p.itemBias[i] = static_cast<float>(a1 * item.at("quality").get<double>());
        }
        out.behaviour.window = json.at("window"), out.behaviour.swipe = json.at("swipe");
        out.behaviour.examination = json.at("theta").get<std::vector<double>>();
        out.slots = json.at("slate");
    } catch (const nlohmann::json::exception& error) {
        return refused(error.what());
    }
    CAROUSEL_TRY(checkPopulation(p));
    CAROUSEL_TRY(checkBehaviour(out.behaviour));
    return out;
}

} // namespace carousel
