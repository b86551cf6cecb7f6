// SPDX-License-Identifier: GPL-3.0-or-later
// One user: what a visitor sees, what lies behind the fold, and what every position is worth. Up to two strategies, one above the other;
// cards can be moved, and every figure follows at once.
#pragma once
#include "pages/carousel/arranged_carousel.h"
#include "pages/carousel/carousel_panel.h"
#include <array>

class QComboBox;
class QLabel;
class QTimer;

namespace carousel::ui {

class CarouselStrip;
class ElidedLabel;
class UserBar;

class UserPanel : public CarouselPanel {
    Q_OBJECT
public:
    UserPanel(Session& session, WhatIf& whatIf, UserBar& users);
    bool isBusy() const override;
    const ArrangedCarousel& arranged(std::size_t row) const { return m_rows[row].carousel; }
    bool isMoved() const; // any card
    void resetCards();

Q_SIGNALS:
    void arrangementChanged();
    void itemInspected(qint64 run, int user, int item); // run 0: none

protected:
    void follow() override;
    void evaluate() override; // everything that follows from order, fold and swipe

private:
    struct Row {
        QFrame* frame = nullptr;
        QLabel* name = nullptr;
        ElidedLabel* line = nullptr;
        CarouselStrip* strip = nullptr;
        ArrangedCarousel carousel;
        std::int64_t run = 0, loadedRun = 0; // 0: not shown
        Code loadedUser = noCode;
        SwipeSensitivity band;
    };
    QWidget* makeRow(std::size_t index);
    QWidget* makePlots();
    void readUser();
    void userArrived(const std::vector<UserCarousel>& carousels);
    void showBands(); // the costlier part, a moment later
    void showLines();
    void showPlots();
    void select(std::size_t row, int place);
    void showInspection();

    UserBar& m_users;
    std::array<Row, 2> m_rows;
    ComparisonPtr m_of; // what the rows were read for
    ElidedLabel* m_likes;
    QComboBox* m_plotOf;
    PlotView *m_positions, *m_landing;
    QTimer* m_bandTimer;
    std::size_t m_inspectedRow = 0;
    int m_inspectedPlace = -1;
    struct Explained {
        std::int64_t run = 0;
        Code user = noCode, item = noCode;
        std::vector<InspectorRow> rows;
    } m_explained; // the last one that was asked for
};

} // namespace carousel::ui
