// SPDX-License-Identifier: GPL-3.0-or-later
// Options of the simulated users.
#include "experiment/simulation_parameters.h"
#include "base/option_builders.h"

namespace carousel {

namespace {
ParameterSpec integer(std::string id, std::string label, std::int64_t value, double minimum, double maximum, std::string unit, std::string help) {
    return within(option(std::move(id), std::move(label), ParameterKind::integer, value, std::move(help)), minimum, maximum, std::move(unit));
}
ParameterSpec number(std::string id, std::string label, double value, double minimum, double maximum, std::string help) {
    return within(option(std::move(id), std::move(label), ParameterKind::number, value, std::move(help)), minimum, maximum);
}
} // namespace

std::vector<ParameterSpec> simulationParameters() {
    ParameterSpec population = option("population", "Users are", ParameterKind::choice, std::string("fitted"),
                                      "fitted: numbers fitted to the data set's carousel log; replay: they click what they went on to choose after the arms' "
                                      "training; llm: a language model that is told their history and picks an action; truth: the numbers that the sample "
                                      "set was made with.");
    population.choices = {"fitted", "replay", "llm", "truth"};
    return {population,
            integer("users", "Users", 20000, 4, 1e8, "users", "In all arms together; the people of the data set stand for several each when there are more."),
            integer("people", "People", 0, 0, 1e9, "people", "Distinct people of the data set among them, drawn with the seed; 0: all. A slow strategy must order the catalogue for each."),
            integer("rounds", "Rounds", 10, 1, 10000, "rounds", "In each, every user who is there and has not left visits once."),
            integer("learnEvery", "Learn every", 0, 0, 10000, "rounds", "Rounds between two fits of the arms' strategies to the clicks so far; 0: never."),
            option("feedback", "Feedback", ParameterKind::boolean, true, "Clicks enter the history at once: clicked items leave the user's next carousels."),
            option("commonRandomNumbers", "Common random numbers", ParameterKind::boolean, true, "The same luck in every arm; off: each arm draws its own."),
            integer("window", "Visible slots", 6, 1, 1000, "slots", "Slots in view without a swipe."),
            integer("slots", "Slots", 12, 1, 1000, "slots", "Cards of a carousel."),
            number("swipe", "Swipe probability", -1, -1, 1, "After a page without a click; -1: as fitted to the log (0.35 where there is none)."),
            number("buy", "Purchase after a click", 0.15, 0, 1, "Probability that a click becomes a purchase."),
            number("fatigue", "Fatigue", 0, 0, 20, "Taken from an item's attraction, on the logit scale, for each earlier look that led to nothing."),
            number("satisfactionRate", "Satisfaction moves by", 0, 0, 1, "After a click towards 1, after a visit without one towards 0; 0: it does not move."),
            number("leave", "Leave", 0, 0, 0.5, "Chance not to come back after a visit at half satisfaction; a happy user has less, an unhappy one more."),
            option("model", "Language model", ParameterKind::text, std::string("smollm2-135m-instruct"), "That plays the users, with population llm.")};
}

} // namespace carousel
