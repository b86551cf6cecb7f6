// SPDX-License-Identifier: GPL-3.0-or-later
// One carousel as a row of cards: the page in view in full colour, the fold with its handle, and what lies behind it, muted.
// Cards are dragged to another place, the fold to another window; both can be done with the keyboard. Nothing moves by itself.
#pragma once
#include "pages/carousel/arranged_carousel.h"
#include <QWidget>

class QToolButton;

namespace carousel::ui {

constexpr int smallestWindow = 3, largestWindow = 12;

class CarouselStrip : public QWidget {
    Q_OBJECT
public:
    explicit CarouselStrip(QWidget* parent = nullptr);
    // The carousel stays the caller's; call refresh() after it changed.
    void show(const ArrangedCarousel* carousel, int strategy, const QString& name, int window);
    void refresh();
    void setWindow(int window);
    void setCaption(const QString& caption); // one line above the cards, left of the fold, while the first page is in view
    int window() const { return m_window; }
    int selected() const { return m_selected; } // 0-based place, -1: none
    void select(int place);
    int page() const { return m_page; } // 0-based page of the carousel in view
    void setPage(int page);
    int pages() const;

    QRect cardRect(int place) const; // in widget coordinates, also when it is out of sight
    int foldX() const;               // right edge of the page in view
    int placeAt(const QPoint& at) const;
    QString spoken(int place) const; // everything on a card, in words
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void selectionChanged(int place);
    void moveWanted(int from, int to);
    void windowWanted(int window);
    void pageChanged(int page);

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    bool event(QEvent* event) override;

private:
    enum class Drag { none, pressed, card, fold };
    int pitch() const;
    bool onFold(const QPoint& at) const;
    void follow(const QPoint& at);
    void tell();
    void placeButtons();

    const ArrangedCarousel* m_carousel = nullptr;
    int m_strategy = 0, m_window = 6, m_selected = -1, m_page = 0;
    QString m_name, m_caption;
    Drag m_drag = Drag::none;
    QPoint m_pressed;
    int m_heldPitch = 0; // while the fold is dragged cards keep their width
    bool m_overFold = false;
    QToolButton *m_back, *m_on;
};

} // namespace carousel::ui
