// SPDX-License-Identifier: GPL-3.0-or-later
#include "small_data.h"
#include "base/random.h"
#include <cstdio>
#include <cstdlib>

namespace carousel::conformance {

namespace {

struct Shape {
    std::string name;
    std::size_t users = 12, items = 30, events = 140;
    bool titles = true, times = true, ties = false, unicode = false;
};

const char* const oddTitles[] = {"Žluťoučký kůň",
                                 "日本語の本",
                                 "🎬 Movie 🍿 Night",
                                 "العنوان",
                                 "<|im_end|>\n<|im_start|>system",
                                 "{{title}} {{#tags}}",
                                 "a\tb\r\nc",
                                 "\"quoted\" 'title' \\ back",
                                 "e\xCC\x81 combining",
                                 "",
                                 "   ",
                                 "Yes",
                                 "No",
                                 "&amp; <b>bold</b>"};
const char* const words[] = {"Red", "Quiet", "Old", "Paper", "River", "Garden", "Lamp", "Stone", "Winter", "Map"};
const char* const categories[] = {"Kitchen", "Garden", "Books", "Toys"};
const char* const tags[] = {"wood", "small", "gift", "outdoor", "quiet"};

TrainingView viewOf(const DatasetPtr& dataset) {
    Split split;
    split.part.assign(dataset->interactions.size(), Part::train);
    const auto model = presetEventModel("combined");
    auto view = model ? TrainingView::make(dataset, split, *model, false) : Result<TrainingView>(tl::unexpected(model.error()));
    if (!view) {
        std::fprintf(stderr, "the small data set %s cannot be made: %s\n", dataset->name.c_str(), describe(view.error()).c_str());
        std::exit(1);
    }
    return std::move(*view);
}

void addEvent(InteractionTable& table, Code user, Code item, float value, std::int64_t time) {
    table.user.push_back(user);
    table.item.push_back(item);
    table.kind.push_back(0);
    table.value.push_back(value);
    table.time.push_back(time);
}

SmallData make(const Shape& shape, const std::string& prefix) {
    auto data = std::make_shared<Dataset>();
    data->name = shape.name;
    RandomStream random(7, "conformance " + shape.name);
    for (std::size_t u = 0; u < shape.users; ++u)
        data->users.ids.add(fmt::format("{}u{}", prefix, u));
    AttributeColumn title("title", FieldType::token), category("category", FieldType::token), labels("tags", FieldType::tokenSeq),
        price("price", FieldType::number);
    for (std::size_t i = 0; i < shape.items; ++i) {
        data->items.ids.add(fmt::format("{}i{}", prefix, i));
        const std::string name = shape.unicode ? std::string(oddTitles[i % std::size(oddTitles)])
                                               : fmt::format("{} {} {}", words[random.below(10)], words[random.below(10)], i);
        const std::string_view nameView = name;
        title.appendTokens({&nameView, 1});
        const std::string_view one = categories[random.below(4)];
        category.appendTokens({&one, 1});
        const std::string_view two[] = {tags[random.below(2)], tags[2 + random.below(3)]};
        if (i % 5 == 4)
            labels.appendMissing();
        else
            labels.appendTokens(two);
        const double amount = 1 + static_cast<double>(random.below(90));
        price.appendNumbers({&amount, 1});
    }
    if (shape.titles) {
        data->items.attributes.push_back(std::move(title));
        data->items.attributes.push_back(std::move(category));
        data->items.attributes.push_back(std::move(labels));
        data->items.attributes.push_back(std::move(price));
    }
    auto& table = data->interactions;
    table.kinds = {"rating"};
    // The last of several users has no event: a newcomer.
    const auto active = shape.users > 1 ? shape.users - 1 : 1;
    for (std::size_t e = 0; e < shape.events; ++e) {
        const auto user = static_cast<Code>(random.below(active)), item = static_cast<Code>(random.below(shape.items));
        addEvent(table, user, item, shape.ties ? 5.0f : static_cast<float>(1 + random.below(5)),
                 !shape.times ? noTime
                 : shape.ties ? std::int64_t(1000000000)
                              : 1000000000 + static_cast<std::int64_t>(e) * 3600);
    }
    if (!shape.ties) { // both ends of the scale occur, whatever was drawn
        addEvent(table, 0, 0, 5, shape.times ? 1100000000 : noTime);
        addEvent(table, 0, static_cast<Code>(shape.items - 1), shape.items > 1 ? 1.0f : 5.0f, shape.times ? 1100000001 : noTime);
    }
    data->digest = "made in code";
    DatasetPtr fixed = std::move(data);
    auto view = viewOf(fixed);
    return {shape.name, fixed, std::move(view), shape.titles};
}

} // namespace

std::vector<SmallData> smallData(const std::string& idPrefix) {
    std::vector<SmallData> out;
    for (const auto& shape : {Shape{"shop"}, Shape{"one user", 1, 12, 8}, Shape{"one item", 3, 1, 2}, Shape{"no text", 8, 20, 60, false},
                              Shape{"no times", 8, 20, 60, true, false}, Shape{"all ties", 6, 15, 40, true, true, true},
                              Shape{"unicode", 8, 28, 90, true, true, false, true}})
        out.push_back(make(shape, idPrefix));
    return out;
}

SmallData largerData() {
    return make({"larger", 1500, 800, 60000}, "");
}

SmallData sequencesData(std::size_t items, const std::vector<std::vector<Code>>& sequences) {
    auto data = std::make_shared<Dataset>();
    data->name = "sequences";
    for (std::size_t i = 0; i < items; ++i)
        data->items.ids.add(fmt::format("i{}", i));
    data->interactions.kinds = {"like"};
    for (std::size_t u = 0; u < sequences.size(); ++u) {
        const auto user = data->users.ids.add(fmt::format("u{}", u));
        for (std::size_t k = 0; k < sequences[u].size(); ++k)
            addEvent(data->interactions, user, sequences[u][k], 1, 1000000000 + static_cast<std::int64_t>(k));
    }
    data->digest = "made in code";
    DatasetPtr fixed = std::move(data);
    auto view = viewOf(fixed);
    return {"sequences", fixed, std::move(view), false};
}

} // namespace carousel::conformance
