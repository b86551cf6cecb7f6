// SPDX-License-Identifier: GPL-3.0-or-later
// The lens panel while the fold and the swipe probability are dragged: 100 drags over carousels of 12 slots, for one strategy and for two. A drag
// is what the panel does before the event loop goes on: figures (computing), then strip, lines and plots with their repaint (painting).
#include "base/parallel.h"
#include "pages/carousel/lens_panel.h"
#include "session/session.h"
#include "theme/theme.h"
#include "ui/lens_fixtures.h"
#include <QApplication>
#include <QSettings>
#include <QStandardPaths>
#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace {
using Clock = std::chrono::steady_clock;
double since(Clock::time_point started) {
    return std::chrono::duration<double, std::milli>(Clock::now() - started).count();
}
struct Times {
    std::vector<double> values;
    double median() {
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
    }
    double largest() const { return *std::max_element(values.begin(), values.end()); }
};
} // namespace

int main(int argc, char** argv) {
    using namespace carousel;
    using namespace carousel::ui;
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication app(argc, argv);
    QStandardPaths::setTestModeEnabled(true);
    Theme::instance().install();
    const std::size_t carousels = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000;
    constexpr std::size_t slotCount = 12;
    constexpr int drags = 100;
    fmt::print("strategies  carousels  slots  drags   median ms  largest ms   computing median  largest   painting median  largest   ({} threads; a frame is 16 ms)\n",
               threadCount());
    bool held = true;
    const std::array<LensPtr, 2> made{test::madeLens(carousels, slotCount, 1), test::madeLens(carousels, slotCount, 2)};
    for (const std::size_t strategies : {std::size_t(1), std::size_t(2)}) {
        Session session;
        WhatIf whatIf;
        whatIf.begin({});
        LensPanel panel(session, whatIf, [](std::int64_t, int, const std::string&, const RunControl&) -> Result<LensPtr> { return LensPtr(); });
        panel.resize(1100, 800);
        panel.show();
        panel.showLenses({made[0], strategies == 2 ? made[1] : nullptr}, {QStringLiteral("device")});
        const auto paint = [&] {
            panel.present();
            QApplication::processEvents(); // layouts and plots that wait for the event loop, and the repaint of what is in view
        };
        paint();
        Times whole, computing, painting;
        for (int drag = 0; drag < drags; ++drag) {
            // As a drag does it: the model changes, figures follow, then the picture. The panel is not in use by a page, so it is told by hand.
            drag % 2 ? whatIf.setWindow(3 + (drag / 2) % 10) : whatIf.setSwipe(drag / static_cast<double>(drags));
            const auto started = Clock::now();
            panel.compute();
            computing.values.push_back(since(started));
            const auto drawn = Clock::now();
            paint();
            painting.values.push_back(since(drawn));
            whole.values.push_back(since(started));
        }
        fmt::print("{:10}  {:9}  {:5}  {:5}  {:10.2f}  {:10.2f}   {:16.2f}  {:7.2f}   {:15.2f}  {:7.2f}\n", strategies, carousels, slotCount, drags,
                   whole.median(), whole.largest(), computing.median(), computing.largest(), painting.median(), painting.largest());
        held = held && whole.median() < 16;
        session.jobs().cancelAll();
    }
    return held ? 0 : 1;
}
