// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/explanation.h"
#include "widgets/text.h"
#include <QObject>
#include <nlohmann/json.hpp>

namespace carousel::ui {

namespace {
using Json = nlohmann::json;
constexpr int deepest = 6;
constexpr qsizetype longestValue = 400;

QString scalar(const Json& value) {
    if (value.is_string())
        return qs(value.get<std::string>());
    if (value.is_number_float())
        return figures(value.get<double>());
    if (value.is_boolean())
        return value.get<bool>() ? QObject::tr("yes") : QObject::tr("no");
    return qs(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// "candidates 50, behind 550"; lists are joined, deep structures cut off.
QString inWords(const Json& value, int depth = 0) {
    if (value.is_object() && depth < deepest) {
        QStringList parts;
        for (const auto& [key, child] : value.items())
            parts << QStringLiteral("%1 %2").arg(qs(key), inWords(child, depth + 1));
        return parts.join(QStringLiteral(", "));
    }
    if (value.is_array() && depth < deepest) {
        QStringList parts;
        for (const auto& child : value) {
            if (parts.size() == 12) {
                parts << QObject::tr("… %1 more").arg(value.size() - 12);
                break;
            }
            parts << inWords(child, depth + 1);
        }
        return depth == 0 ? parts.join(QLatin1Char('\n')) : parts.join(QStringLiteral(" · "));
    }
    const QString text = scalar(value);
    return text.size() > longestValue ? text.left(longestValue) + QStringLiteral("…") : text;
}

QString statusWords(const std::string& status) {
    if (status == "ok")
        return QObject::tr("● ok");
    return QObject::tr("▲ %1: counted, not dropped").arg(qs(status));
}
} // namespace

std::vector<InspectorRow> cardRows(const ArrangedCarousel& carousel, std::size_t place, int window) {
    std::vector<InspectorRow> rows;
    const auto& card = carousel.at(place);
    const auto stored = carousel.storedPlace(place);
    QString where = QObject::tr("%1, %2").arg(place + 1).arg(static_cast<int>(place) < window ? QObject::tr("before the fold")
                                                                                              : QObject::tr("behind the fold"));
    if (stored != place)
        where += QObject::tr(" (moved from %1)").arg(stored + 1);
    rows.push_back({QObject::tr("Position"), where});
    if (!card.subtitle.empty())
        rows.push_back({QObject::tr("Item"), qs(card.subtitle)});
    if (card.isTarget)
        rows.push_back({QObject::tr("Held out"), QObject::tr("★ the user went on to choose it")});
    if (place < carousel.figures().slots.size()) {
        const auto& slot = carousel.figures().slots[place];
        rows.push_back({QObject::tr("At this position"),
                        QObject::tr("reach %1 → examined %2 → click %3 → value %4")
                            .arg(figures(slot.reach), figures(slot.examination), figures(slot.click), figures(slot.value))});
        rows.push_back({QObject::tr("Attraction and worth"),
                        QObject::tr("%1 clicks when examined, %2 per click").arg(figures(card.attraction), figures(card.value))});
    }
    return rows;
}

std::vector<InspectorRow> explanationRows(const std::string& json) {
    const auto parsed = Json::parse(json, nullptr, false);
    if (!parsed.is_object())
        return {{QObject::tr("Explanation"), qs(json)}};
    std::vector<InspectorRow> rows;
    const auto has = [&](const char* key) { return parsed.contains(key) && !parsed[key].is_null(); };
    if (has("score") && parsed["score"].is_number()) {
        QString score = figures(parsed["score"].get<double>());
        if (has("position"))
            score += QObject::tr(" → rank %1").arg(scalar(parsed["position"]));
        rows.push_back({QObject::tr("Score"), score});
    }
    if (has("status") && parsed["status"].is_string())
        rows.push_back({QObject::tr("State of the score"), statusWords(parsed["status"].get<std::string>())});
    if (has("tiedWith") && parsed["tiedWith"].is_number_integer() && parsed["tiedWith"].get<std::int64_t>() > 0)
        rows.push_back({QObject::tr("Tie"), QObject::tr("%1 other items have the same rank score; their order among each other is chance")
                                                .arg(parsed["tiedWith"].get<std::int64_t>())});
    if (has("strategy") && parsed["strategy"].is_object()) {
        // feature → encoder → scorer → controller, by plugin name
        QStringList places;
        for (const char* key : {"feature", "encoder", "scorer", "controller"}) {
            const Json* stage = nullptr;
            if (parsed["strategy"].contains(key))
                stage = &parsed["strategy"][key];
            if (stage && stage->is_object() && stage->contains("plugin") && (*stage)["plugin"].is_string())
                places << qs((*stage)["plugin"].get<std::string>());
            else if (stage && stage->is_string())
                places << qs(stage->get<std::string>());
        }
        if (!places.isEmpty())
            rows.push_back({QObject::tr("Made by"), places.join(QStringLiteral(" → "))});
    }
    if (has("steps") && parsed["steps"].is_array()) {
        int number = 0;
        for (const auto& step : parsed["steps"]) {
            QStringList head;
            if (step.is_object())
                for (const char* key : {"stage", "step"})
                    if (step.contains(key) && step[key].is_string())
                        head << qs(step[key].get<std::string>());
            rows.push_back({QObject::tr("Step %1: %2").arg(++number).arg(head.join(QStringLiteral(" · "))),
                            step.is_object() && step.contains("detail") ? inWords(step["detail"]) : inWords(step)});
        }
    }
    if (has("modelTokens") && parsed["modelTokens"].is_number_integer() && parsed["modelTokens"].get<std::int64_t>() > 0)
        rows.push_back({QObject::tr("Language model"),
                        QObject::tr("%1 tokens for this user's request").arg(count(parsed["modelTokens"].get<std::int64_t>()))});
    return rows;
}

} // namespace carousel::ui
