// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/plot_table.h"
#include "report/csv.h"
#include <cmath>
#include <limits>

namespace carousel {

namespace {
PlotTable::Cell xCell(const PlotSpec& plot, double x) {
    PlotTable::Cell cell{.value = x};
    if (plot.categories.empty())
        return cell;
    const double index = std::round(x);
    const bool known = index >= 0 && index < static_cast<double>(plot.categories.size());
    cell.text = known ? plot.categories[static_cast<std::size_t>(index)] : csvNumber(x);
    return cell;
}
PlotTable::Cell yCell(const PlotSeries& series, std::size_t i) {
    PlotTable::Cell cell{.value = i < series.y.size() ? series.y[i] : std::numeric_limits<double>::quiet_NaN()};
    cell.interval = i < series.low.size() && i < series.high.size();
    if (cell.interval) {
        cell.low = series.low[i];
        cell.high = series.high[i];
    }
    return cell;
}
PlotTable heatTable(const PlotSpec& plot) {
    const auto& heat = plot.heat;
    const std::size_t columns = heat.values.size() / std::max<std::size_t>(heat.rows.size(), 1);
    PlotTable table{.header = {plot.yTitle.empty() ? "Row" : plot.yTitle}, .numeric = {false}, .hasInterval = {false}};
    for (std::size_t c = 0; c < columns; ++c) {
        table.header.push_back(c < heat.columns.size() ? heat.columns[c] : std::to_string(c + 1));
        table.numeric.push_back(true);
        table.hasInterval.push_back(false);
    }
    for (std::size_t r = 0; r < heat.rows.size(); ++r) {
        table.rows.push_back({PlotTable::Cell{.text = heat.rows[r]}});
        for (std::size_t c = 0; c < columns; ++c)
            table.rows.back().push_back({.value = heat.values[r * columns + c]});
    }
    return table;
}
} // namespace

PlotTable plotTable(const PlotSpec& plot) {
    if (!plot.heat.empty())
        return heatTable(plot);
    PlotTable table;
    bool sameX = true;
    for (const auto& series : plot.series)
        sameX = sameX && series.x == plot.series.front().x;
    const std::string xName = plot.xTitle.empty() ? "x" : plot.xTitle;
    auto column = [&](const std::string& title, bool numeric, bool interval) {
        table.header.push_back(title);
        table.numeric.push_back(numeric);
        table.hasInterval.push_back(interval);
    };
    if (sameX) {
        column(xName, plot.categories.empty(), false);
        for (const auto& series : plot.series)
            column(series.name, true, !series.low.empty());
        for (std::size_t i = 0; !plot.series.empty() && i < plot.series.front().x.size(); ++i) {
            table.rows.push_back({xCell(plot, plot.series.front().x[i])});
            for (const auto& series : plot.series)
                table.rows.back().push_back(yCell(series, i));
        }
        return table;
    }
    bool intervals = false;
    for (const auto& series : plot.series)
        intervals = intervals || !series.low.empty();
    column("Series", false, false);
    column(xName, plot.categories.empty(), false);
    column(plot.yTitle.empty() ? "y" : plot.yTitle, true, intervals);
    for (const auto& series : plot.series)
        for (std::size_t i = 0; i < series.x.size(); ++i)
            table.rows.push_back({PlotTable::Cell{.text = series.name}, xCell(plot, series.x[i]), yCell(series, i)});
    return table;
}

std::string toCsv(const PlotSpec& plot) {
    const PlotTable table = plotTable(plot);
    std::vector<std::string> fields;
    for (std::size_t c = 0; c < table.header.size(); ++c) {
        fields.push_back(table.header[c]);
        if (table.hasInterval[c]) {
            fields.push_back(table.header[c] + " (low)");
            fields.push_back(table.header[c] + " (high)");
        }
    }
    std::string csv = csvRow(fields);
    for (const auto& row : table.rows) {
        fields.clear();
        for (std::size_t c = 0; c < row.size(); ++c) {
            fields.push_back(table.numeric[c] ? csvNumber(row[c].value) : row[c].text);
            if (table.hasInterval[c]) {
                fields.push_back(row[c].interval ? csvNumber(row[c].low) : "");
                fields.push_back(row[c].interval ? csvNumber(row[c].high) : "");
            }
        }
        csv += csvRow(fields);
    }
    return csv;
}

} // namespace carousel
