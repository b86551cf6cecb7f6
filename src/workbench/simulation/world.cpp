// SPDX-License-Identifier: GPL-3.0-or-later
#include "workbench/simulation/world.h"
#include "base/paths.h"
#include "base/text.h"
#include "data/event_model.h"
#include "evaluation/click_models/fit.h"
#include "experiment/logged_feedback.h"
#include "workbench/simulation/taste_groups.h"
#include "workbench/simulation/truth_file.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace carousel {

namespace {

constexpr double replayedShare = 0.2; // of the events, the newest, are what replayed users want

std::vector<float> pricesOf(const Dataset& dataset) {
    const auto* price = dataset.items.attribute("price");
    if (!price || !price->isNumeric())
        return {};
    std::vector<float> out(dataset.items.size(), 0);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = price->missing(i) ? 0.0f : static_cast<float>(std::max(0.0, price->numbers(i).front()));
    return out;
}

// Times that are there, ascending.
std::vector<std::int64_t> timesOf(const InteractionTable& events) {
    std::vector<std::int64_t> out;
    for (const std::int64_t time : events.time)
        if (time != noTime)
            out.push_back(time);
    std::sort(out.begin(), out.end());
    return out;
}

Behaviour askedBehaviour(const Parameters& options) {
    Behaviour out;
    out.window = static_cast<int>(options.integer("window"));
    out.buy = options.number("buy"), out.fatigue = options.number("fatigue");
    out.satisfactionRate = options.number("satisfactionRate"), out.leave = options.number("leave");
    if (options.number("swipe") >= 0)
        out.swipe = options.number("swipe");
    return out;
}

// When the carousels begin that only the fidelity report sees: what users chose later must not be known to the fit.
std::int64_t heldOutFrom(const Dataset& dataset, const CarouselLog& log, double share, std::int64_t otherwise) {
    const std::int32_t first = firstHeldOut(log, share);
    std::int32_t slate = -1;
    const ImpressionTable& table = dataset.impressions;
    std::int64_t earliest = otherwise;
    std::size_t at = 0;
    for (std::size_t row = 0; row < table.size() && at < log.rows(); ++row) { // the log's rows are some of the table's, in the same order
        if (table.user[row] != log.user[at] || table.item[row] != log.item[at] || table.slot[row] != log.slot[at])
            continue;
        slate = log.slate[at++];
        if (slate >= first && row < table.time.size() && table.time[row] != noTime)
            earliest = std::min(earliest, table.time[row]);
    }
    return earliest;
}

// Looking and swiping as the carousel click model measures them on the log.
Result<void> measureBehaviour(const Dataset& dataset, const Parameters& options, std::uint64_t seed, SimulationWorld& world, const RunControl& control) {
    CAROUSEL_ASSIGN(const SelectedLog selected, selectLog(dataset, {}));
    ClickFitOptions fit;
    fit.window = world.behaviour.window, fit.seed = seed;
    const auto model = fitClickModel(ClickModelKind::carousel, selected.log, fit, control);
    if (!model) {
        if (model.error().kind == ErrorKind::cancelled)
            return fail(model.error());
        world.notes.push_back(fmt::format("Looking along the carousel could not be measured ({}); 0.85 of the place before is assumed.", model.error().message));
        world.behaviour.examination.clear();
        for (int k = 0; k < world.behaviour.window; ++k)
            world.behaviour.examination.push_back(std::pow(0.85, k));
        return {};
    }
    world.behaviour.examination = model->parameters.examination;
    if (options.number("swipe") < 0 && std::isfinite(model->parameters.swipe) && selected.log.slots > world.behaviour.window)
        world.behaviour.swipe = model->parameters.swipe;
    return {};
}

// Clicks per logged slate of every user; who has none gets the mean, so that the covariate says nothing about them.
void clicksBefore(const CarouselLog& log, SimulationWorld& world) {
    std::vector<double> clicks(world.dataset->users.size(), 0), slates(clicks);
    for (std::size_t i = 0; i < log.rows(); ++i) {
        clicks[static_cast<std::size_t>(log.user[i])] += log.click[i];
        slates[static_cast<std::size_t>(log.user[i])] += i == 0 || log.slate[i] != log.slate[i - 1];
    }
    double all = 0, n = 0;
    for (std::size_t u = 0; u < clicks.size(); ++u)
        all += clicks[u], n += slates[u];
    for (std::size_t u = 0; u < clicks.size(); ++u)
        world.before.push_back(slates[u] > 0 ? clicks[u] / slates[u] : all / n);
    world.beforeWords = "clicks per carousel in the log";
}
void eventsBefore(SimulationWorld& world) {
    world.before.assign(world.dataset->users.size(), 0);
    const auto& events = world.dataset->interactions;
    for (std::size_t row = 0; row < events.size(); ++row)
        if (events.time[row] == noTime || events.time[row] < world.trainBefore)
            world.before[static_cast<std::size_t>(events.user[row])] += 1;
    world.beforeWords = "events before the simulation";
}

// Liked items before a second, oldest first, and distinct ones from it on that were not met before, ascending.
struct Choices {
    std::vector<std::vector<Code>> before, after;
};
Result<Choices> choicesOf(const Dataset& dataset, std::int64_t border) {
    CAROUSEL_ASSIGN(const EventModel model, presetEventModel("combined"));
    CAROUSEL_ASSIGN(const Feedback feedback, applyEventModel(dataset, model));
    Choices out;
    out.before.resize(dataset.users.size()), out.after.resize(dataset.users.size());
    std::vector<std::size_t> order(feedback.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return feedback.time[a] < feedback.time[b]; });
    std::vector<std::set<Code>> met(dataset.users.size());
    const auto& events = dataset.interactions;
    for (std::size_t row = 0; row < events.size(); ++row)
        if (events.time[row] == noTime || events.time[row] < border)
            met[static_cast<std::size_t>(events.user[row])].insert(events.item[row]);
    for (const std::size_t i : order) {
        const auto u = static_cast<std::size_t>(feedback.user[i]);
        if (static_cast<double>(feedback.preference[i]) < model.positiveFrom)
            continue;
        if (feedback.time[i] == noTime || feedback.time[i] < border)
            out.before[u].push_back(feedback.item[i]);
        else if (!met[u].contains(feedback.item[i]))
            out.after[u].push_back(feedback.item[i]);
    }
    for (auto& items : out.after) {
        std::sort(items.begin(), items.end());
        items.erase(std::unique(items.begin(), items.end()), items.end());
    }
    return out;
}

std::vector<Code> drawnPeople(std::vector<Code> all, std::int64_t wanted, std::uint64_t seed) {
    if (wanted <= 0 || static_cast<std::size_t>(wanted) >= all.size())
        return all;
    std::vector<std::pair<std::uint64_t, Code>> drawn;
    for (const Code user : all)
        drawn.emplace_back(RandomStream(seed, "people of the simulation", static_cast<std::uint64_t>(user)).next64(), user);
    std::sort(drawn.begin(), drawn.end());
    all.clear();
    for (std::int64_t i = 0; i < wanted; ++i)
        all.push_back(drawn[static_cast<std::size_t>(i)].second);
    std::sort(all.begin(), all.end());
    return all;
}

// The first pages of some logged carousels shown to the model, and how often people opened a product there and turned the page.
Result<void> calibrate(const CarouselLog& log, LlmVisitors& users, std::int32_t firstSlate, std::int32_t endSlate, SimulationWorld& world, const RunControl& control) {
    std::vector<std::vector<double>> pages;
    double opened = 0, turned = 0;
    for (std::size_t begin = 0, end = 0; begin < log.rows(); begin = end) {
        end = begin;
        bool clicked = false, second = false;
        while (end < log.rows() && log.slate[end] == log.slate[begin]) {
            clicked = clicked || (log.click[end] && log.slot[end] < world.behaviour.window);
            second = second || (log.inView[end] && log.slot[end] >= world.behaviour.window);
            ++end;
        }
        if (log.slate[begin] < firstSlate || log.slate[begin] >= endSlate)
            continue;
        if (control.stopRequested())
            return fail(RunControl::cancelled("calibrating the simulated users"));
        const auto page = std::span(log.item).subspan(begin, std::min(end - begin, static_cast<std::size_t>(world.behaviour.window)));
        CAROUSEL_ASSIGN(auto chance, users.actions(users.personaOf(log.user[begin]), page, control));
        pages.push_back(std::move(chance));
        opened += clicked, turned += second;
        control.report("Calibrating the simulated users", static_cast<double>(pages.size()), static_cast<double>(endSlate - firstSlate), "carousels");
    }
    if (pages.empty())
        return {};
    const auto n = static_cast<double>(pages.size());
    double before = 0;
    for (const auto& page : pages)
        for (std::size_t a = 0; a + 2 < page.size(); ++a)
            before += page[a] / n;
    users.setOffsets(fitActionOffsets(pages, opened / n, opened < n ? turned / (n - opened) : 0));
    world.notes.push_back(fmt::format("Asked as it is, the model opened a product on {:.0f} % of {} logged first pages, where people did on {:.0f} %. Its readiness to open and to turn the page is "
                                      "set to theirs; which product it opens is its own choice.",
                                      100 * before, pages.size(), 100 * opened / n));
    return {};
}

} // namespace

bool readCarouselLog(const Dataset& dataset, int window, CarouselLog& out) {
    const ImpressionTable& table = dataset.impressions;
    std::int32_t slate = -1;
    for (std::size_t begin = 0; begin < table.size();) {
        std::size_t end = begin;
        int clickAt = -1;
        bool whole = true;
        while (end < table.size() && table.slate[end] == table.slate[begin]) {
            whole = whole && table.slot[end] == static_cast<std::int16_t>(end - begin) && table.user[end] != noCode;
            if (table.click[end] && clickAt < 0)
                clickAt = table.slot[end];
            ++end;
        }
        if (whole) {
            ++slate;
            for (std::size_t i = begin; i < end; ++i) {
                out.slate.push_back(slate), out.user.push_back(table.user[i]), out.item.push_back(table.item[i]), out.slot.push_back(table.slot[i]);
                out.click.push_back(table.click[i]);
                // Where the log does not say what came into view: the first page, and every page up to a click.
                out.inView.push_back(table.reached.empty() || table.reached[i] == reachUnknown ? table.slot[i] / window <= std::max(clickAt, 0) / window : table.reached[i] == 1);
            }
        }
        begin = end;
    }
    return slate >= 0;
}

Result<std::unique_ptr<SimulationWorld>> makeSimulationWorld(DatasetPtr dataset, const Parameters& options, std::uint64_t seed, const ExperimentHost& host,
                                                             const RunControl& control) {
    auto out = std::make_unique<SimulationWorld>();
    SimulationWorld& world = *out;
    world.dataset = dataset, world.kind = options.text("population");
    world.behaviour = askedBehaviour(options);
    const auto times = timesOf(dataset->interactions);
    world.trainBefore = times.empty() ? 0 : times.back() + 1;
    CarouselLog log;
    const bool logged = readCarouselLog(*dataset, world.behaviour.window, log);
    FitPopulationSettings fit;
    fit.seed = seed;
    std::vector<Code> people;
    for (Code user = 0; user < static_cast<Code>(dataset->users.size()); ++user)
        people.push_back(user);

    if (logged && world.kind != "truth")
        CAROUSEL_TRY(measureBehaviour(*dataset, options, seed, world, control.slice(0, 0.4)));
    if (world.kind == "fitted") {
        if (!logged)
            return fail(ErrorKind::input, "CL-3131", fmt::format("'{}' has no log of whole carousels with known users to fit simulated users to.", dataset->name),
                        "Use population=replay, which takes later choices in place of a log, or population=llm.");
        const auto groups = tasteGroups(*dataset, heldOutFrom(*dataset, log, fit.heldOut, world.trainBefore));
        CAROUSEL_ASSIGN(FittedPopulation fitted, fitPopulation(log, dataset->users.size(), dataset->items.size(), world.behaviour, fit, control.slice(0.4, 0.8), groups));
        world.population = std::move(fitted.population);
        world.population.value = pricesOf(*dataset);
        world.visitors = std::make_unique<NumericVisitors>(world.population, world.behaviour);
        CAROUSEL_ASSIGN(world.fidelity, fidelity(log, *world.visitors, &world.population, fit, 20, 0, control.slice(0.8, 1)));
        std::vector<std::string> names;
        for (const auto& [group, weight] : fitted.groups)
            names.push_back(fmt::format("{} ({:+.2f})", group, weight));
        world.about = fmt::format("tastes fitted to {} carousels of the log{}{} (log-likelihood of a held-out place {:.4f}, {:.4f} without tastes)",
                                  withThousands(static_cast<std::int64_t>(fitted.trainSlates)),
                                  names.empty() ? std::string() : fmt::format(" from what they chose before, by {}", fmt::join(names, ", ")),
                                  fitted.passes > 0 ? ", and vectors of users and items beyond that" : "", fitted.logLikelihood, fitted.nullLogLikelihood);
        if (fitted.logLikelihood <= fitted.nullLogLikelihood)
            world.notes.emplace_back("The log does not say what these users like: on carousels that the fit has not seen, tastes are no better than one attraction for all.");
    } else if (world.kind == "truth") {
        CAROUSEL_ASSIGN(KnownTruth truth, readTruth(sampleDataFolder() + "/six_of_hundreds/truth.json", *dataset));
        world.population = std::move(truth.population);
        world.population.value = pricesOf(*dataset);
        world.behaviour.examination = truth.behaviour.examination;
        if (options.number("swipe") < 0)
            world.behaviour.swipe = truth.behaviour.swipe;
        world.visitors = std::make_unique<NumericVisitors>(world.population, world.behaviour);
        if (logged) {
            CAROUSEL_ASSIGN(world.fidelity, fidelity(log, *world.visitors, &world.population, fit, 20, 0, control.slice(0.8, 1)));
        }
        world.about = "the very numbers that the sample set was made with";
    } else {
        const std::int64_t border = times.empty() ? 0 : times[static_cast<std::size_t>((1 - replayedShare) * static_cast<double>(times.size() - 1))];
        const bool replays = world.kind == "replay";
        CAROUSEL_ASSIGN(Choices choices, choicesOf(*dataset, replays ? border : world.trainBefore));
        if (replays) {
            world.trainBefore = border;
            std::erase_if(people, [&](Code user) { return choices.after[static_cast<std::size_t>(user)].empty() || choices.before[static_cast<std::size_t>(user)].empty(); });
            if (people.size() < 2)
                return fail(ErrorKind::input, "CL-3134", fmt::format("Of the users of '{}', {} liked something new in the last fifth of the events: nothing to replay.", dataset->name, people.size()),
                            "Use a data set with times and longer histories.");
            world.about = fmt::format("what {} users chose in the last fifth of the events, played again", withThousands(static_cast<std::int64_t>(people.size())));
            world.visitors = std::make_unique<ReplayVisitors>(std::move(choices.after), dataset->items.size(), pricesOf(*dataset), world.behaviour);
            world.notes.push_back("Replayed users want nothing but what they are known to have chosen: what they would have liked and never met counts as unwanted, "
                                  "so figures are lower bounds, and nearer to what the shop showed at the time.");
        } else {
            CAROUSEL_ASSIGN(LanguageModel* const model, host.languageModel(options.text("model")));
            auto users = std::make_unique<LlmVisitors>(*dataset, std::move(choices.before), pricesOf(*dataset), world.behaviour, *model, LlmVisitorSettings{});
            world.llm = users.get();
            world.visitors = std::move(users);
            world.about = fmt::format("{} that is told what each customer liked", model->info().title.empty() ? model->info().id : model->info().title);
            constexpr std::int32_t slates = 100; // for each of the two
            if (logged) {
                auto& played = static_cast<LlmVisitors&>(*world.visitors);
                const std::int32_t end = log.slate.back() + 1;
                CAROUSEL_TRY(calibrate(log, played, end - 2 * slates, end - slates, world, control.slice(0.4, 0.7)));
                CAROUSEL_ASSIGN(world.fidelity, fidelity(log, played, nullptr, fit, 1, static_cast<std::size_t>(slates), control.slice(0.7, 1)));
                world.notes.push_back(fmt::format("What the model did on the log's last {} carousels stands beside what people did there.", slates));
                played.forgetCounts();
            }
        }
    }
    world.people = drawnPeople(std::move(people), options.integer("people"), seed);
    if (logged)
        clicksBefore(log, world);
    else
        eventsBefore(world);
    return out;
}

} // namespace carousel
