// SPDX-License-Identifier: GPL-3.0-or-later
// Carousel: what a user sees, what all users are worth at every position, and carousels in several rows. The page holds what its three
// panels share: strategies A and B, fold and swipe with their study's values, the user, and the inspector.
#pragma once
#include "pages/carousel/arranged_carousel.h"
#include "pages/carousel/carousel_panel.h"
#include "pages/carousel/lens_panel.h"
#include "pages/comparison_page.h"
#include <array>

class QComboBox;
class QLabel;
class QPushButton;
class QSlider;
class QSpinBox;
class QStackedWidget;
class QTabBar;

namespace carousel::ui {

class ExplanationWords;
class UserBar;
class UserPanel;

// What the panels ask the workbench for; tests bring answers of their own.
struct CarouselServices {
    LensSource lens;
    std::function<void(QObject* receiver, const AnalysisSpec& spec, std::function<void()> done)> keep;
};

class CarouselPage : public ComparisonPage {
    Q_OBJECT
public:
    explicit CarouselPage(Session& session);
    CarouselPage(Session& session, CarouselServices services);
    bool isBusy() const override;
    void entered() override;
    bool showTab(const QString& name); // "user", "lens", "rows"; false when there is no such tab
    const CarouselModel& model() const { return m_whatIf->model(); }
    const ArrangedCarousel& arranged(std::size_t row) const;
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
    QWidget* makeControls();
    void addPanel(CarouselPanel* panel, const QString& name, const QString& text, const QString& tip, bool ofOneUser);
    void present(const ComparisonPtr& comparison);
    void fillStrategies();
    void chooseStrategies(); // the combos changed
    void showModel();        // fold and swipe on their controls
    void showPanel(int index);
    void showInspection();

    WhatIf* m_whatIf;
    ComparisonPtr m_shown;
    std::array<QComboBox*, 2> m_strategies{};
    UserBar* m_users;
    UserPanel* m_user;
    ExplanationWords* m_words; // below the inspector, while one user is looked at
    struct Panel {
        CarouselPanel* panel = nullptr;
        QString name;
        bool ofOneUser = false;
    };
    std::vector<Panel> m_panels; // in the order of the tabs
    QTabBar* m_tabs;
    QStackedWidget* m_stack;
    QLabel *m_swipeText, *m_changed;
    QSpinBox* m_window;
    QSlider* m_swipe;
    QPushButton* m_reset;
};

} // namespace carousel::ui
