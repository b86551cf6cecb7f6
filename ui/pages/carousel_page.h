// SPDX-License-Identifier: GPL-3.0-or-later
// Carousel: what a user sees, what lies behind the fold, and what every position is worth. Up to two strategies, one above the other, for
// the same user; cards, fold and swipe can be changed, and every figure follows at once.
#pragma once
#include "pages/carousel/arranged_carousel.h"
#include "pages/carousel/user_index.h"
#include "pages/comparison_page.h"
#include "widgets/inspector.h"
#include <array>

class QCheckBox;
class QComboBox;
class QFrame;
class QLabel;
class QLineEdit;
class QPushButton;
class QSlider;
class QSpinBox;
class QTimer;
class QToolButton;

namespace carousel::ui {

class CarouselStrip;
class PlotView;

class CarouselPage : public ComparisonPage {
    Q_OBJECT
public:
    explicit CarouselPage(Session& session);
    bool isBusy() const override;
    void entered() override;
    const CarouselModel& model() const { return m_model; }
    const ArrangedCarousel& arranged(std::size_t row) const { return m_rows[row].carousel; }
    bool isChanged() const; // cards, fold or swipe differ from what the study stored

public Q_SLOTS:
    void setWindow(int window);
    void setSwipe(double swipe);
    void reset();
    void stepUser(int by);

protected:
    void showComparison(const ComparisonPtr& comparison) override;

private:
    static constexpr int swipeSteps = 100; // of the slider
    struct Row {
        QFrame* frame = nullptr;
        QComboBox* strategy = nullptr;
        QLabel* line = nullptr;
        CarouselStrip* strip = nullptr;
        ArrangedCarousel carousel;
        std::int64_t run = 0, loadedRun = 0; // 0: not shown
        Code loadedUser = noCode;
        SwipeSensitivity band;
    };
    QWidget* makeControls();
    QWidget* makeRow(std::size_t index);
    QWidget* makePlots();
    void present(const ComparisonPtr& comparison);
    void fillStrategies();
    void chooseStrategies(); // the combos changed
    void readIndex();
    void showIndex();
    void showUser(Code user);
    void readUser();
    void userArrived(const std::vector<UserCarousel>& carousels);
    void evaluate();  // everything that follows from order, fold and swipe
    void showBands(); // the costlier part of it, a moment later
    void showLines();
    void showPlots();
    void inspect(std::size_t row, int place);
    void showInspector();
    const StrategyResult* strategyOf(std::int64_t run) const;
    std::vector<int> visibleRows() const; // rows of the index that the filter lets through
    std::vector<std::int64_t> shownRuns() const;

    CarouselModel m_model;
    double m_examination = 0.85;
    std::array<Row, 2> m_rows;
    UserIndexPtr m_index;
    std::vector<std::int64_t> m_indexRuns;
    ComparisonPtr m_shown;
    QLineEdit* m_search;
    QToolButton *m_previous, *m_next;
    QLabel *m_place, *m_likes, *m_swipeText, *m_changed;
    QCheckBox* m_outside;
    QSpinBox* m_window;
    QSlider* m_swipe;
    QPushButton* m_reset;
    QComboBox* m_plotOf;
    PlotView *m_positions, *m_landing;
    QTimer* m_bandTimer;
    std::size_t m_inspectedRow = 0;
    int m_inspectedPlace = -1;
    QString m_userId;
    struct Explained {
        std::int64_t run = 0;
        Code user = noCode, item = noCode;
        std::vector<InspectorRow> rows;
    } m_explained; // the last one that was asked for
};

} // namespace carousel::ui
