// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/simulation/taste_groups.h"
#include "data/event_model.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

constexpr double imagined = 5; // events that draw a profile to that of all
constexpr std::size_t mostWords = 200;

struct Choice {
    std::size_t user, item;
    double weight; // below 0: a dislike
};

TasteGroup ofWords(const AttributeColumn& column, std::size_t users, std::size_t items, const std::vector<Choice>& choices) {
    TasteGroup out;
    out.name = column.name(), out.rank = column.dictionary().size();
    std::vector<double> all(out.rank, 0), own(users * out.rank, 0), total(users, 0);
    double sum = 0;
    for (const Choice& choice : choices) {
        const auto words = column.tokenCodes(choice.item);
        if (words.empty() || choice.weight <= 0)
            continue;
        for (const std::int32_t word : words) {
            const double part = choice.weight / static_cast<double>(words.size());
            all[static_cast<std::size_t>(word)] += part, sum += part;
            own[choice.user * out.rank + static_cast<std::size_t>(word)] += part, total[choice.user] += part;
        }
    }
    out.user.assign(users * out.rank, 0), out.item.assign(items * out.rank, 0);
    for (std::size_t u = 0; u < users; ++u)
        for (std::size_t k = 0; k < out.rank; ++k)
            if (all[k] > 0)
                out.user[u * out.rank + k] = static_cast<float>(std::log((own[u * out.rank + k] * sum / all[k] + imagined) / (total[u] + imagined)));
    for (std::size_t i = 0; i < items; ++i)
        for (const std::int32_t word : column.tokenCodes(i))
            out.item[i * out.rank + static_cast<std::size_t>(word)] += 1.0f / static_cast<float>(column.tokenCodes(i).size());
    return out;
}

std::vector<float> standardised(const std::vector<double>& values) { // NaN: 0
    double mean = 0, square = 0, n = 0;
    for (const double x : values)
        if (std::isfinite(x))
            mean += x, square += x * x, n += 1;
    mean /= std::max(1.0, n);
    const double sd = std::sqrt(std::max(0.0, square / std::max(1.0, n) - mean * mean));
    std::vector<float> out;
    for (const double x : values)
        out.push_back(std::isfinite(x) && sd > 0 ? static_cast<float>((x - mean) / sd) : 0.0f);
    return out;
}

TasteGroup ofNumbers(const AttributeColumn& column, std::size_t users, std::size_t items, const std::vector<Choice>& choices) {
    TasteGroup out;
    out.name = column.name(), out.rank = 1;
    std::vector<double> values;
    for (std::size_t i = 0; i < items; ++i)
        values.push_back(column.missing(i) ? std::nan("") : column.numbers(i).front());
    out.item = standardised(values);
    std::vector<double> sum(users, 0), n(users, 0);
    for (const Choice& choice : choices)
        if (choice.weight > 0)
            sum[choice.user] += choice.weight * static_cast<double>(out.item[choice.item]), n[choice.user] += choice.weight;
    for (std::size_t u = 0; u < users; ++u)
        out.user.push_back(static_cast<float>(sum[u] / (n[u] + imagined)));
    return out;
}

} // namespace

std::vector<TasteGroup> tasteGroups(const Dataset& dataset, std::int64_t before) {
    const std::size_t users = dataset.users.size(), items = dataset.items.size();
    std::vector<Choice> choices;
    if (const auto model = presetEventModel("combined"); model)
        if (const auto feedback = applyEventModel(dataset, *model); feedback)
            for (std::size_t i = 0; i < feedback->size(); ++i)
                if (feedback->time[i] == noTime || feedback->time[i] < before)
                    choices.push_back({static_cast<std::size_t>(feedback->user[i]), static_cast<std::size_t>(feedback->item[i]),
                                       static_cast<double>(feedback->preference[i]) * static_cast<double>(feedback->confidence[i])});
    std::vector<TasteGroup> out;
    if (choices.empty())
        return out;
    for (const AttributeColumn& column : dataset.items.attributes)
        if (column.isNumeric())
            out.push_back(ofNumbers(column, users, items, choices));
        else if (column.dictionary().size() > 1 && column.dictionary().size() <= mostWords)
            out.push_back(ofWords(column, users, items, choices));
    std::vector<double> chosen(items, 0);
    for (const Choice& choice : choices)
        chosen[choice.item] += std::max(0.0, choice.weight);
    for (double& n : chosen)
        n = std::log1p(n);
    out.push_back({"how often chosen", 1, std::vector<float>(users, 1), standardised(chosen)});
    return out;
}

} // namespace carousel
