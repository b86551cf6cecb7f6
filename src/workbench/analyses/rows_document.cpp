// SPDX-License-Identifier: GPL-3.0-or-later
// The document of a two-dimensional carousel: which runs to show as rows and in which order, what each row adds, what is shown twice.
#include "base/parallel.h"
#include "base/text.h"
#include "evaluation/statistics/bootstrap.h"
#include "workbench/analyses/document_parts.h"
#include "workbench/analyses/documents.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace carousel::analyses {

namespace {
struct Rows {
    std::vector<RowCandidate> candidates;
    std::vector<int> colours;
    std::vector<std::vector<std::int32_t>> relevant; // per user
    std::size_t rows = 0, columns = 0, users = 0, counted = 0;
    GridDiscount discount;
    RowChoice choice;
    int draws = 1000;
    double confidence = 0.95;
    std::uint64_t seed = 1;
};
struct Choice { // an order of rows, valued
    std::vector<std::size_t> order;
    std::vector<float> perUser; // NaN without a relevant item
    double mean = 0;
    Interval interval = noInterval();
};

Result<Choice> valued(const Rows& r, const std::vector<std::size_t>& order) {
    Choice out{.order = order, .perUser = std::vector<float>(r.users, std::numeric_limits<float>::quiet_NaN())};
    double sum = 0;
    std::size_t counted = 0;
    for (std::size_t u = 0; u < r.users; ++u) {
        std::vector<std::vector<std::int32_t>> grid(r.rows); // rows not chosen stay empty: the ideal is that of the full grid
        for (std::size_t i = 0; i < order.size(); ++i)
            grid[i] = r.candidates[order[i]].lists[u];
        CAROUSEL_ASSIGN(const double value, ndcg2d(grid, r.columns, r.relevant[u], {}, r.discount));
        if (!std::isfinite(value))
            continue;
        out.perUser[u] = static_cast<float>(value);
        sum += value;
        ++counted;
    }
    out.mean = counted > 0 ? sum / static_cast<double>(counted) : std::numeric_limits<double>::quiet_NaN();
    out.interval = bootstrapMean(out.perUser, r.draws, r.confidence, r.seed);
    return out;
}

std::string named(const Rows& r, const std::vector<std::size_t>& order) {
    std::vector<std::string> names;
    for (const auto c : order)
        names.push_back(r.candidates[c].name);
    return fmt::format("{}", fmt::join(names, ", then "));
}

// Per cell: share of users whose relevant item is seen there for the first time; per row: share of its cards that a row above shows too.
struct Shown {
    std::vector<double> hit, repeated; // rows x columns; rows
};
Shown shownBy(const Rows& r, const std::vector<std::size_t>& order) {
    Shown out{std::vector<double>(order.size() * r.columns, 0.0), std::vector<double>(order.size(), 0.0)};
    std::vector<double> cards(order.size(), 0.0);
    for (std::size_t u = 0; u < r.users; ++u) {
        std::set<std::int32_t> above;
        for (std::size_t row = 0; row < order.size(); ++row) {
            const auto& list = r.candidates[order[row]].lists[u];
            std::vector<std::int32_t> here;
            for (std::size_t c = 0; c < r.columns && c < list.size(); ++c) {
                const auto item = list[c];
                if (item < 0)
                    continue;
                cards[row] += 1;
                if (above.count(item) != 0)
                    out.repeated[row] += 1;
                else if (std::find(r.relevant[u].begin(), r.relevant[u].end(), item) != r.relevant[u].end())
                    out.hit[row * r.columns + c] += 1;
                here.push_back(item);
            }
            above.insert(here.begin(), here.end());
        }
    }
    for (double& hit : out.hit)
        hit /= std::max<double>(1, static_cast<double>(r.counted));
    for (std::size_t row = 0; row < order.size(); ++row)
        out.repeated[row] /= std::max(1.0, cards[row]);
    return out;
}

std::string size(const Rows& r) { return fmt::format("n = {} with an ideal item, {} bootstrap intervals", countOf(r.counted, "user", "users"), level(r.confidence)); }
} // namespace

Result<AnalysisDocument> rowsDocument(const Dataset& dataset, const std::vector<RowRun>& runs, const AnalysisSpec& spec, const RunControl& control) {
    Rows r;
    r.columns = static_cast<std::size_t>(spec.options.integer("columns"));
    r.rows = spec.options.integer("rows") > 0 ? static_cast<std::size_t>(spec.options.integer("rows")) : runs.size();
    r.discount = {spec.options.number("alpha"), spec.options.number("beta")};
    r.draws = static_cast<int>(spec.options.integer("draws"));
    r.confidence = spec.options.number("confidence");
    r.seed = spec.seed;
    if (r.rows > runs.size())
        return fail(ErrorKind::input, "CL-3063", fmt::format("rows.rows is {}, but only {} runs were named to fill them.", r.rows, runs.size()), "Name more runs, or ask for fewer rows.");
    r.users = runs.front().users.size();
    for (const auto& run : runs) {
        bool same = run.users.size() == r.users;
        for (std::size_t u = 0; same && u < r.users; ++u)
            same = run.users[u].user == runs.front().users[u].user;
        if (!same)
            return fail(ErrorKind::input, "CL-7010", fmt::format("Runs {} and {} evaluate different users and cannot stand in one grid.", runs.front().run, run.run), "Use runs of one study, or the same evaluation.users and seed.");
        RowCandidate candidate{run.strategy, {}};
        for (const auto& user : run.users) {
            auto& list = candidate.lists.emplace_back();
            for (std::size_t i = 0; i < user.slate.size() && i < r.columns; ++i)
                list.push_back(user.slate[i].item);
        }
        r.candidates.push_back(std::move(candidate));
        r.colours.push_back(run.colour);
    }
    for (const auto& user : runs.front().users) {
        r.relevant.push_back(user.targets);
        r.counted += !user.targets.empty();
    }
    if (r.counted == 0)
        return fail(ErrorKind::input, "CL-7012", "No user of these runs has a held-out item, so there is nothing to find in the grid.", "Use runs whose split holds items out.");
    control.report("Choosing rows", 0, 1, "grids");
    CAROUSEL_ASSIGN(r.choice, chooseRows(r.candidates, r.relevant, r.rows, r.columns, r.discount));
    if (control.stopRequested())
        return fail(RunControl::cancelled("The choice of rows"));
    CAROUSEL_ASSIGN(const auto greedy, valued(r, r.choice.greedy));
    Choice best = greedy;
    const bool searched = !r.choice.best.empty(), differs = searched && r.choice.best != r.choice.greedy;
    if (differs) {
        CAROUSEL_ASSIGN(best, valued(r, r.choice.best));
    }
    std::vector<std::size_t> given(r.rows);
    std::iota(given.begin(), given.end(), std::size_t(0));
    CAROUSEL_ASSIGN(const auto asNamed, valued(r, given));
    const MetricOptions paired{.k = 10, .bootstrap = r.draws, .confidence = r.confidence, .seed = r.seed};
    const auto gain = pairedDifference(asNamed.perUser, best.perUser, paired);
    const auto shown = shownBy(r, best.order);
    std::vector<Choice> alone;
    for (std::size_t c = 0; c < r.candidates.size(); ++c) {
        CAROUSEL_ASSIGN(auto one, valued(r, {c}));
        alone.push_back(std::move(one));
    }
    control.report("Choosing rows", 1, 1, "grids");

    AnalysisDocument document{.kind = name(spec.kind), .report = {}, .figuresJson = {}, .specToml = {}};
    auto& report = document.report;
    const std::string data = dataset.title.empty() ? dataset.name : dataset.title;
    report.title = fmt::format("Carousel rows: {} of {} runs", r.rows, runs.size());
    report.subtitle = fmt::format("{} · {} · {} columns · discount {} per row, {} per column", data, countOf(r.counted, "user with an ideal item", "users with an ideal item"), r.columns, threeFigures(r.discount.alpha), threeFigures(r.discount.beta));
    report.lead = {fmt::format("Show {}: nDCG2D {}{}.", named(r, best.order), estimate(best.mean, best.interval), searched ? ", the best of all orders" : ", chosen row by row")};
    if (best.order != given)
        report.lead.push_back(gain.words == "not significant" ? fmt::format("Against the runs in the order they were named the difference is {} {}, not significant.", signedFigures(gain.difference), range(gain.interval))
                                                              : fmt::format("That is {} {} {} than the runs in the order they were named (paired).", threeFigures(std::fabs(gain.difference)), range(gain.interval), gain.words));
    if (best.order.size() > 1)
        report.lead.push_back(fmt::format("The rows below the first add {}; {} of the second row's cards stand in the first already.", signedFigures(best.mean - alone[best.order[0]].mean), percent(shown.repeated[1])));
    report.facts = {{"Users", withThousands(static_cast<std::int64_t>(r.counted))}, {"Rows", std::to_string(r.rows)}, {"Columns", std::to_string(r.columns)}, {"Orders tried", withThousands(static_cast<std::int64_t>(r.choice.choicesTried))}};
    report.light = r.counted >= 100 ? Light::green : Light::amber;
    report.findings = {{report.light, "Users", fmt::format("{} have an ideal item; below 100 intervals are wide.", countOf(r.counted, "user", "users"))},
                       {!searched ? Light::none : differs ? Light::amber : Light::green, "Row by row or all orders",
                        !searched ? std::string("There are too many orders to try them all, so rows were chosen one after the other.")
                        : differs ? fmt::format("Choosing row by row gives {} ({}), all orders give {}.", threeFigures(r.choice.greedyValue), named(r, r.choice.greedy), threeFigures(r.choice.bestValue))
                                  : std::string("Choosing row by row finds the best of all orders.")},
                       {shown.repeated.size() > 1 && *std::max_element(shown.repeated.begin(), shown.repeated.end()) > 0.3 ? Light::amber : Light::none, "Repeated cards",
                        "A card that a row above shows too takes a place and adds nothing; see the table."}};

    ReportSection order{.title = "Which rows, in which order"};
    ReportTable table;
    table.caption = fmt::format("Rows as chosen, {} bootstrap intervals over users", level(r.confidence));
    table.columns = {{"Row"}, {"Run"}, {"nDCG2D with the rows so far", true}, {"Alone as first row", true}, {"Repeats the rows above", true, "share of its cards that a row above shows too"}};
    PlotSpec path{.id = "rows_path", .subtitle = size(r), .xTitle = "Rows shown", .yTitle = "nDCG2D"};
    path.yMinimum = 0;
    PlotSeries rising{.name = "nDCG2D", .colour = 0};
    for (std::size_t row = 0; row < best.order.size(); ++row) {
        CAROUSEL_ASSIGN(const auto soFar, valued(r, {best.order.begin(), best.order.begin() + static_cast<std::ptrdiff_t>(row + 1)}));
        const auto c = best.order[row];
        table.rows.push_back({textCell(std::to_string(row + 1)), textCell(r.candidates[c].name, r.colours[c]), cell(soFar.mean, soFar.interval), cell(alone[c].mean, alone[c].interval), textCell(row == 0 ? "–" : percent(shown.repeated[row]))});
        rising.x.push_back(static_cast<double>(row + 1));
        rising.y.push_back(soFar.mean);
        rising.low.push_back(soFar.interval.low);
        rising.high.push_back(soFar.interval.high);
    }
    for (std::size_t c = 0; c < r.candidates.size(); ++c)
        if (std::find(best.order.begin(), best.order.end(), c) == best.order.end())
            table.rows.push_back({muted("not shown"), textCell(r.candidates[c].name, r.colours[c]), muted("–"), cell(alone[c].mean, alone[c].interval), muted("–")});
    table.note = "The ideal is that of the full grid throughout, so a further row never lowers the figure of a user.";
    order.tables = {std::move(table)};
    path.title = best.order.size() > 1 ? fmt::format("From {} with one row to {} with {}", threeFigures(rising.y.front()), threeFigures(rising.y.back()), best.order.size()) : "nDCG2D of one row";
    path.series = {std::move(rising)};
    if (best.order.size() > 1)
        order.plots = {std::move(path)};

    ReportSection grid{.title = "Where the ideal item is found"};
    PlotSpec heat{.id = "rows_grid", .subtitle = fmt::format("n = {} with an ideal item; the first cell that shows it counts", countOf(r.counted, "user", "users")), .xTitle = "Column", .yTitle = "Row"};
    double all = 0, first = 0;
    for (std::size_t row = 0; row < best.order.size(); ++row) {
        heat.heat.rows.push_back(fmt::format("{} {}", row + 1, r.candidates[best.order[row]].name));
        for (std::size_t c = 0; c < r.columns; ++c) {
            heat.heat.values.push_back(shown.hit[row * r.columns + c]);
            all += shown.hit[row * r.columns + c];
            first += row == 0 ? shown.hit[row * r.columns + c] : 0;
        }
    }
    for (std::size_t c = 0; c < r.columns; ++c)
        heat.heat.columns.push_back(std::to_string(c + 1));
    heat.heat.valueTitle = "Ideal items per user";
    heat.title = all > 0 ? fmt::format("The first row holds {} of the ideal items that the grid shows", percent(first / all)) : "The grid shows no ideal item";
    grid.plots = {std::move(heat)};
    ReportSection terms{.title = "How it is measured"};
    terms.definitions = {{"nDCG2D", fmt::format("sum over cells of (2^rel - 1) / log2({} row + {} column), rows and columns counted from 1, an item counted at its first cell, over the same sum with the ideal items in the cheapest cells",
                                                threeFigures(r.discount.alpha), threeFigures(r.discount.beta)),
                          "Ferrari Dacrema, Felicioni, Cremonesi, UMAP 2021"}};
    report.sections = {std::move(order), std::move(grid), std::move(terms)};

    auto names = [&](const std::vector<std::size_t>& choice) {
        std::vector<std::int64_t> out;
        for (const auto c : choice)
            out.push_back(runs[c].run);
        return out;
    };
    nlohmann::json figures{{"users", r.counted}, {"rows", r.rows}, {"columns", r.columns}, {"alpha", r.discount.alpha}, {"beta", r.discount.beta}, {"greedy", names(r.choice.greedy)}, {"best", names(r.choice.best)},
                           {"greedyValue", number(r.choice.greedyValue)}, {"bestValue", searched ? number(r.choice.bestValue) : nlohmann::json(nullptr)}, {"interval", interval(best.interval)}, {"greedyPath", numbers(r.choice.greedyPath)},
                           {"asNamed", number(asNamed.mean)}, {"gain", number(gain.difference)}, {"gainInterval", interval(gain.interval)}, {"hits", numbers(shown.hit)}, {"repeated", numbers(shown.repeated)}, {"choicesTried", r.choice.choicesTried}};
    for (std::size_t c = 0; c < runs.size(); ++c)
        figures["alone"].push_back({{"run", runs[c].run}, {"strategy", runs[c].strategy}, {"value", number(alone[c].mean)}, {"interval", interval(alone[c].interval)}});
    document.figuresJson = figures.dump();
    return document;
}

} // namespace carousel::analyses
