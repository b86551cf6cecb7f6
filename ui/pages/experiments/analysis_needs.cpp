// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/experiments/analysis_needs.h"
#include "widgets/text.h"
#include <QObject>
#include <algorithm>

namespace carousel::ui {

namespace {
const carousel::Badge* find(const std::vector<carousel::Badge>& badges, const char* id) {
    const auto it = std::find_if(badges.begin(), badges.end(), [&](const carousel::Badge& badge) { return badge.id == id; });
    return it == badges.end() ? nullptr : &*it;
}
} // namespace

const std::vector<AnalysisKind>& logAnalyses() {
    static const std::vector<AnalysisKind> kinds{AnalysisKind::clicks, AnalysisKind::positionBias, AnalysisKind::offPolicy, AnalysisKind::likes, AnalysisKind::ratings, AnalysisKind::tasks, AnalysisKind::abTest, AnalysisKind::placement, AnalysisKind::abCheck};
    return kinds;
}

QString analysisTitle(AnalysisKind kind) {
    switch (kind) {
    case AnalysisKind::clicks: return QObject::tr("Click models");
    case AnalysisKind::positionBias: return QObject::tr("Position bias");
    case AnalysisKind::offPolicy: return QObject::tr("Off-policy evaluation");
    case AnalysisKind::lens: return QObject::tr("Position lens");
    case AnalysisKind::rows: return QObject::tr("Carousel rows");
    case AnalysisKind::likes: return QObject::tr("Like prediction");
    case AnalysisKind::ratings: return QObject::tr("Rating prediction");
    case AnalysisKind::tasks: return QObject::tr("Five tasks, one model");
    case AnalysisKind::abTest: return QObject::tr("A/B simulation");
    case AnalysisKind::abCheck: return QObject::tr("Check of stopping rules");
    case AnalysisKind::placement: return QObject::tr("Where the language model pays");
    }
    return {};
}

QString analysisTitle(const std::string& kindName) {
    for (const auto kind : {AnalysisKind::clicks, AnalysisKind::positionBias, AnalysisKind::offPolicy, AnalysisKind::lens, AnalysisKind::rows, AnalysisKind::likes, AnalysisKind::ratings, AnalysisKind::tasks, AnalysisKind::abTest, AnalysisKind::abCheck, AnalysisKind::placement})
        if (kindName == name(kind))
            return analysisTitle(kind);
    return qs(kindName);
}

QString analysisQuestion(AnalysisKind kind) {
    switch (kind) {
    case AnalysisKind::clicks: return QObject::tr("How do people look along the carousel, when do they swipe, when do they leave?");
    case AnalysisKind::positionBias: return QObject::tr("How much of a click rate is the slot, and how much the item?");
    case AnalysisKind::offPolicy: return QObject::tr("What would another strategy have earned on this log?");
    case AnalysisKind::lens: return QObject::tr("What do slots, fold and swipe do to one strategy's carousels?");
    case AnalysisKind::rows: return QObject::tr("Which carousel belongs into which row?");
    case AnalysisKind::likes: return QObject::tr("Does a language model tell what users will like, and from how many examples?");
    case AnalysisKind::ratings: return QObject::tr("How far off is a language model that says how many points a user will give?");
    case AnalysisKind::tasks: return QObject::tr("Can one small model that reads and writes do five tasks, and what does sharing cost?");
    case AnalysisKind::abTest: return QObject::tr("What would an A/B test between strategies find, and when could it stop?");
    case AnalysisKind::abCheck: return QObject::tr("How often does a stopping rule cry wolf on your own metric?");
    case AnalysisKind::placement: return QObject::tr("At which of the four places does a language model pay for itself?");
    }
    return {};
}

QString analysisHelp(AnalysisKind kind) {
    switch (kind) {
    case AnalysisKind::clicks:
        return QObject::tr("Fits models of examination, swiping and leaving to the shown slates and compares them on clicks that were held out. "
                           "It takes positions and shown items without a click. From clicks alone, examination and swiping are only told apart as "
                           "their product, and attraction up to a factor; the document says where that matters.");
    case AnalysisKind::positionBias:
        return QObject::tr("Puts every known estimator of the slot's share on one axis, with intervals and with how many comparisons carry it, and "
                           "says which of them this log supports. Estimators that need shuffled or swapped slots are refused with the reason "
                           "when the log has none.");
    case AnalysisKind::offPolicy:
        return QObject::tr("Weights what was logged by how likely the strategy would have shown it. It takes logged propensities: without them "
                           "nothing is estimated. Checks of support, weights and overlap decide whether a number is shown as supported, weak or "
                           "not supported.");
    case AnalysisKind::likes:
        return QObject::tr("Asks a language model about ratings it has not seen, each after the ten before it: as it is, with adapters trained on a "
                           "few examples, and through a regression on its hidden states, beside counting likes and mean ratings. It takes "
                           "ratings with times. Adapters take minutes each on a processor; they are kept and used again.");
    case AnalysisKind::ratings:
        return QObject::tr("Asks a language model for the points of ratings it has not seen, each after the ten before it, beside means of users and "
                           "items, raw and calibrated. It takes ratings with times. An answer that is no rating takes the user's mean and is "
                           "counted; none is dropped.");
    case AnalysisKind::tasks:
        return QObject::tr("Trains a small text-to-text model on your own data: what comes next, how many stars, why, a review in short, what to "
                           "show. Each family stands beside a naive control, with intervals. It takes histories with times, and reviews for "
                           "three of the families. Training takes minutes; models are kept, used again, and opened on the Tasks page.");
    case AnalysisKind::abTest:
        return QObject::tr("Shows carousels of two or more strategies to simulated users whose tastes and ways of looking are fitted to the log, with clicks "
                           "entering their histories, and judges the arms as an experiment platform would. A fidelity report says what the simulated "
                           "users must not be trusted for.");
    case AnalysisKind::abCheck:
        return QObject::tr("Draws thousands of experiments without and with an effect from your own users and counts what each rule decides, beside what "
                           "it promises.");
    case AnalysisKind::placement:
        return QObject::tr("Runs every combination of plain and language model plugins at the four places on the same users and seeds, and splits the gain "
                           "among the places, beside what each costs. It takes minutes to hours; what was computed is kept and used again.");
    case AnalysisKind::lens:
    case AnalysisKind::rows: return QObject::tr("Started on the Carousel page; its documents are kept and opened here.");
    }
    return {};
}

AnalysisAbility analysisAbility(AnalysisKind kind, const std::vector<carousel::Badge>& badges) {
    AnalysisAbility ability;
    const auto needs = [&](const char* id) {
        const auto* badge = find(badges, id);
        if (ability.refusal.isEmpty() && (!badge || !badge->available))
            ability.refusal = badge ? qs(badge->note) : QObject::tr("the log says nothing about %1").arg(QString::fromLatin1(id));
    };
    const auto misses = [&](const char* id) {
        const auto* badge = find(badges, id);
        if (badge && !badge->available)
            ability.note += (ability.note.isEmpty() ? QString() : QStringLiteral(" · ")) + qs(badge->note);
    };
    if (kind == AnalysisKind::offPolicy) {
        needs("propensities");
        needs("non-clicks");
        misses("slates");
        return ability;
    }
    if (kind == AnalysisKind::placement) {
        needs("time");
        return ability;
    }
    if (kind == AnalysisKind::tasks) {
        needs("time");
        misses("reviews");
        return ability;
    }
    if (kind == AnalysisKind::likes || kind == AnalysisKind::ratings) {
        needs("explicit");
        needs("time");
        misses("text");
        return ability;
    }
    needs("positions");
    needs("non-clicks");
    misses("slates");
    misses("propensities");
    return ability;
}

std::vector<std::string> commonOptions(AnalysisKind kind) {
    switch (kind) {
    case AnalysisKind::clicks: return {"models", "window", "intervals"};
    case AnalysisKind::positionBias: return {"window", "minimumOverlap"};
    case AnalysisKind::offPolicy: return {"reward", "temperature", "estimators", "slateEstimators"};
    case AnalysisKind::abTest: return {"population", "users", "rounds"};
    case AnalysisKind::abCheck: return {"experiments"};
    case AnalysisKind::placement: return {"users", "seeds", "design", "candidates", "shots", "smallestGain", "pricePerMillion"};
    case AnalysisKind::tasks: return {"families", "models", "indexing", "test"};
    case AnalysisKind::likes: return {"methods", "examples", "seeds", "test"};
    case AnalysisKind::ratings: return {"methods", "window", "test", "validation"};
    case AnalysisKind::lens:
    case AnalysisKind::rows: break;
    }
    return {};
}

} // namespace carousel::ui
