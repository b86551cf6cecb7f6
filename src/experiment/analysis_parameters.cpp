// SPDX-License-Identifier: GPL-3.0-or-later
// The options of every kind of analysis, as forms, `--set` and reports show them.
#include "evaluation/click_models/click_model.h"
#include "experiment/ab_test_parameters.h"
#include "experiment/analysis_specification.h"
#include "experiment/off_policy_parameters.h"
#include "experiment/placement_parameters.h"

namespace carousel {

namespace {
using Kind = ParameterKind;
using List = std::vector<std::string>;

ParameterSpec integer(std::string id, std::string label, std::int64_t value, double minimum, double maximum, std::string unit, std::string help) {
    return {.id = std::move(id), .label = std::move(label), .kind = Kind::integer, .defaultValue = value, .help = std::move(help), .minimum = minimum, .maximum = maximum, .choices = {}, .unit = std::move(unit), .pluginKind = {}};
}
ParameterSpec number(std::string id, std::string label, double value, double minimum, double maximum, std::string unit, std::string help) {
    return {.id = std::move(id), .label = std::move(label), .kind = Kind::number, .defaultValue = value, .help = std::move(help), .minimum = minimum, .maximum = maximum, .choices = {}, .unit = std::move(unit), .pluginKind = {}};
}
ParameterSpec choice(std::string id, std::string label, std::string value, List choices, std::string help) {
    return {.id = std::move(id), .label = std::move(label), .kind = Kind::choice, .defaultValue = std::move(value), .help = std::move(help), .choices = std::move(choices), .unit = {}, .pluginKind = {}};
}
ParameterSpec list(std::string id, std::string label, List value, List choices, std::string help) {
    return {.id = std::move(id), .label = std::move(label), .kind = Kind::list, .defaultValue = std::move(value), .help = std::move(help), .choices = std::move(choices), .unit = {}, .pluginKind = {}};
}
ParameterSpec text(std::string id, std::string label, std::string help) {
    return {.id = std::move(id), .label = std::move(label), .kind = Kind::text, .defaultValue = std::string(), .help = std::move(help), .choices = {}, .unit = {}, .pluginKind = {}};
}

ParameterSpec policies() {
    return list("policies", "Logging policies", {}, {}, "Only slates that these logging policies showed; leave it empty for all of them.");
}
ParameterSpec window() {
    return integer("window", "Visible slots", 6, 1, 1000, "slots", "How many slots are in view without a swipe: the fold lies behind them.");
}
ParameterSpec segment(const char* help) { return text("segment", "User segment", help); }
ParameterSpec draws(std::int64_t value) {
    return integer("draws", "Bootstrap draws", value, 20, 100000, "draws", "How often users are redrawn for an interval; more make its ends steadier and take longer.");
}
ParameterSpec confidence() {
    return number("confidence", "Confidence", 0.95, 0.5, 0.999, "", "Of every interval: 0.95 covers the truth in 95 of 100 logs like this one.");
}

std::vector<ParameterSpec> clicks() {
    List ids;
    for (const auto& model : clickModels())
        ids.push_back(model.id);
    return {policies(),
            list("models", "Models", ids, ids, "Which click models to fit and compare on clicks that were held out."),
            window(),
            segment("Attraction is estimated per item and value of this user attribute, where groups of users like different things; empty: per item."),
            choice("method", "Fitted by", "em", {"em", "gradient"}, "Expectation maximisation, or gradient ascent on the same likelihood; both should agree."),
            integer("restarts", "Starts", 2, 1, 100, "starts", "From how many points the fit begins; the best end is kept, and different ends are a warning."),
            integer("maxIterations", "Most iterations", 500, 1, 100000, "iterations", "A fit that has not converged by then says so."),
            number("heldOut", "Held out", 0.2, 0.02, 0.8, "share of users", "Share of users whose clicks are predicted by models that were fitted without them."),
            choice("intervals", "Intervals", "robust", {"robust", "bootstrap"},
                   "robust: from scores and information, users as clusters, quick, where it exists (position-based and carousel model), else bootstrap; bootstrap: refits on redrawn users."),
            draws(200), confidence()};
}

std::vector<ParameterSpec> positionBiasOptions() {
    return {policies(), window(),
            integer("minimumOverlap", "Least overlap", 20, 1, 1e9, "impressions",
                    "Two slots are compared only when items shown in both of them have at least this many impressions in each."),
            draws(200), confidence()};
}

std::vector<ParameterSpec> lensOptions() {
    return {segment("Rows of the heat map: a user attribute with words, or with numbers, which are cut into four groups; empty: all users as one row."),
            integer("slots", "Slots", 0, 0, 1000, "slots", "How many cards of each carousel count; 0: two pages."),
            integer("window", "Visible slots", 0, 0, 1000, "slots", "Slots in view without a swipe; 0: as the study has it."),
            number("swipe", "Swipe probability", -1, -1, 1, "", "Chance to swipe on after a page without a click; -1: as the study has it."),
            integer("whatIfWindow", "What if: visible slots", 0, 0, 1000, "slots", "The other fold that is compared, user by user; 0: one slot more than now."),
            number("whatIfSwipe", "What if: swipe probability", -1, -1, 1, "", "The other swipe probability; -1: as now."),
            choice("figure", "Heat map shows", "click", {"reach", "examination", "click", "value", "hidden"}, "Which figure per segment and position the heat map shows."),
            draws(1000), confidence()};
}

std::vector<ParameterSpec> rowOptions() {
    return {integer("rows", "Rows", 0, 0, 8, "rows", "How many carousels stand one below the other; 0: as many as there are runs."),
            integer("columns", "Columns", 6, 1, 100, "slots", "How many items of a row are in view."),
            number("alpha", "Cost of a row down", 1, 0, 100, "", "A cell's discount is log2(alpha * row + beta * column); larger: lower rows count less."),
            number("beta", "Cost of a column right", 1, 0, 100, "", "See above; larger: columns further right count less. alpha + beta is at least 2."),
            draws(1000), confidence()};
}

std::vector<ParameterSpec> likeOptions() {
    ParameterSpec model = text("model", "Language model", "An embedded model of the shelf.");
    model.defaultValue = std::string("smollm2-135m-instruct");
    return {model,
            list("methods", "Methods", {"zero-shot", "lora", "head", "hybrid"}, {"zero-shot", "lora", "head", "hybrid"},
                 "zero-shot: the model as it is; lora: an adapter trained on examples; head: a regression on hidden states; hybrid: all of it with counting."),
            list("examples", "Examples", {"64", "256"}, {"16", "64", "256", "1024"}, "Sizes of the training sets, half of them likes; time grows with them."),
            integer("seeds", "Training sets", 3, 1, 20, "sets", "How many are drawn and trained on; fewer than three say little about chance."),
            integer("window", "Ratings shown", 10, 1, 100, "ratings", "How many ratings stand before the question; a user's first ones are not asked about."),
            number("likedAbove", "A like is above", 3, -1e9, 1e9, "", "Ratings above this are likes, the others dislikes."),
            integer("test", "Test questions", 1000, 0, 1e9, "questions", "Drawn from the newest tenth; 0: all of them."),
            integer("validation", "Validation questions", 300, 0, 1e9, "questions", "Drawn from the tenth before: for penalties, stopping and blends; 0: all of them."),
            integer("epochs", "Passes over the examples", 5, 1, 100, "passes", "Of an adapter's training; it ends before when the validation AUC stops growing."),
            number("rate", "Learning rate", 5e-4, 1e-6, 0.1, "", "The highest of an adapter's training."),
            integer("textLength", "Longest title", 60, 10, 2000, "bytes", "Longer titles are cut."),
            draws(1000), confidence()};
}

std::vector<ParameterSpec> taskOptions() {
    const List families{"sequential", "rating", "explanation", "summary", "direct"};
    return {list("families", "Families", families, families, "What the model learns and is asked: what comes next, how many stars, why, a review in short, what to show."),
            list("models", "Models", {"one"}, {"one", "five"}, "one: a single model for all families; five: one for each, to see what sharing costs or brings."),
            choice("indexing", "Item names", "collaborative", {"random", "sequential", "collaborative", "semantic"},
                   "How items are called: numbers at random or along histories, paths in a tree of items chosen together, or codes of their texts."),
            integer("epochs", "Passes over the examples", 8, 1, 1000, "passes", "Each pass draws other windows, templates and wrong answers."),
            integer("width", "Width", 96, 16, 1024, "values", "Of the model's states; training time grows with it."),
            integer("layers", "Layers", 2, 1, 24, "layers", "Of the reading and of the writing half each."),
            integer("vocabulary", "Vocabulary", 2000, 200, 32000, "pieces", "Most pieces that texts are cut into."),
            number("rate", "Learning rate", 0.02, 1e-5, 1, "", "The highest of the training, relative to the size of what it moves."),
            integer("history", "History shown", 8, 1, 50, "items", "How many items a prompt tells of a customer's past, the newest."),
            integer("test", "Test questions", 500, 10, 1e6, "questions", "Of each family, at most; drawn by customer or review."),
            text("decoder", "Language model beside it", "A decoder of the shelf, for example smollm2-135m-instruct, that is asked the same in words, untrained; empty: none."),
            integer("decoderQuestions", "Its questions", 50, 5, 1e6, "questions", "Of each family; it takes seconds for each."),
            number("watts", "Power of a busy core", 10, 0.1, 1000, "W", "For the estimate of energy: processor seconds times this; memory, disks and cooling are not in it."),
            number("gramsPerKwh", "Carbon of electricity", 400, 0, 2000, "g CO2 per kWh", "For the estimate of CO2; it differs by country and hour."),
            draws(1000), confidence()};
}

std::vector<ParameterSpec> ratingOptions() {
    ParameterSpec model = text("model", "Language model", "An embedded model of the shelf, or a server.");
    model.defaultValue = std::string("smollm2-135m-instruct");
    return {model,
            list("methods", "Asked for", {"expected", "written"}, {"expected", "written"},
                 "expected: the mean under the probabilities of the digits 1 to 5; written: the digit that the model writes. Means and calibrated numbers stand beside both."),
            integer("window", "Ratings shown", 10, 1, 100, "ratings", "How many ratings stand before the question; a user's first ones are not asked about."),
            number("likedAbove", "A like is above", 3, -1e9, 1e9, "", "Ratings above this are shown as likes, the others as dislikes."),
            integer("test", "Test questions", 400, 0, 1e9, "questions", "Drawn from the newest tenth; 0: all of them."),
            integer("validation", "Validation questions", 300, 0, 1e9, "questions", "Drawn from the tenth before, to calibrate on; 0: all of them."),
            integer("bins", "Groups", 8, 2, 100, "groups", "Into how many groups of like predictions the calibration plot and its error divide the questions."),
            integer("textLength", "Longest title", 60, 10, 2000, "bytes", "Longer titles are cut."),
            draws(1000), confidence()};
}
} // namespace

const std::vector<ParameterSpec>& analysisParameters(AnalysisKind kind) {
    switch (kind) {
    case AnalysisKind::clicks: {
        static const auto specs = clicks();
        return specs;
    }
    case AnalysisKind::positionBias: {
        static const auto specs = positionBiasOptions();
        return specs;
    }
    case AnalysisKind::offPolicy: {
        static const auto specs = offPolicyParameters();
        return specs;
    }
    case AnalysisKind::lens: {
        static const auto specs = lensOptions();
        return specs;
    }
    case AnalysisKind::likes: {
        static const auto specs = likeOptions();
        return specs;
    }
    case AnalysisKind::ratings: {
        static const auto specs = ratingOptions();
        return specs;
    }
    case AnalysisKind::tasks: {
        static const auto specs = taskOptions();
        return specs;
    }
    case AnalysisKind::abTest: {
        static const auto specs = abTestParameters();
        return specs;
    }
    case AnalysisKind::abCheck: {
        static const auto specs = abCheckParameters();
        return specs;
    }
    case AnalysisKind::placement: {
        static const auto specs = placementParameters();
        return specs;
    }
    case AnalysisKind::rows: break;
    }
    static const auto specs = rowOptions();
    return specs;
}

} // namespace carousel
