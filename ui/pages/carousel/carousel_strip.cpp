// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/carousel_strip.h"
#include "pages/carousel/card_painter.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QAccessible>
#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolButton>
#include <QToolTip>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
constexpr int gap = 4, foldGap = 22, buttonWidth = 26, smallestPitch = 66, largestPitch = 128, foldReach = 9, cardTop = 14;
constexpr double behindShown = 3.3; // cards behind the fold that should be seen without paging

QString statusWords(ScoreStatus status) {
    switch (status) {
    case ScoreStatus::ok:
        return {};
    case ScoreStatus::missing:
        return QObject::tr("no score, a stand-in was used");
    case ScoreStatus::invalid:
        return QObject::tr("the score was not valid, a stand-in was used");
    default:
        return QObject::tr("the score is %1").arg(QString::fromLatin1(name(status)));
    }
}
} // namespace

CarouselStrip::CarouselStrip(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    const auto button = [this](const char* icon, const QString& text, int step) {
        auto* made = new QToolButton(this);
        made->setIcon(Theme::icon(QString::fromLatin1(icon)));
        made->setAccessibleName(text);
        made->setToolTip(text);
        made->setFocusPolicy(Qt::NoFocus); // the keyboard pages with the arrow keys
        connect(made, &QToolButton::clicked, this, [this, step] { setPage(m_page + step); });
        return made;
    };
    m_back = button("go-previous", tr("Swipe back"), -1);
    m_on = button("go-next", tr("Swipe on"), 1);
    connect(&Theme::instance(), &Theme::changed, this, [this] { update(); });
}

void CarouselStrip::show(const ArrangedCarousel* carousel, int strategy, const QString& name, int window) {
    m_carousel = carousel;
    m_strategy = strategy;
    m_name = name;
    m_window = window;
    m_selected = -1;
    m_page = 0;
    setAccessibleName(tr("Carousel of %1").arg(name));
    refresh();
}

void CarouselStrip::refresh() {
    if (m_carousel && m_selected >= static_cast<int>(m_carousel->size()))
        m_selected = -1;
    m_page = std::clamp(m_page, 0, std::max(0, pages() - 1));
    placeButtons();
    tell();
    update();
}

void CarouselStrip::setWindow(int window) {
    if (window == m_window)
        return;
    const int first = m_page * m_window;
    m_window = std::clamp(window, smallestWindow, largestWindow);
    m_page = first / m_window;
    refresh();
}

void CarouselStrip::setCaption(const QString& caption) {
    if (caption == m_caption)
        return;
    m_caption = caption;
    update();
}

int CarouselStrip::pages() const {
    return m_carousel ? (static_cast<int>(m_carousel->size()) + m_window - 1) / m_window : 0;
}

void CarouselStrip::setPage(int page) {
    page = std::clamp(page, 0, std::max(0, pages() - 1));
    if (page == m_page)
        return;
    m_page = page;
    placeButtons();
    update();
    Q_EMIT pageChanged(page);
}

void CarouselStrip::select(int place) {
    if (!m_carousel || place < -1 || place >= static_cast<int>(m_carousel->size()) || place == m_selected)
        return;
    m_selected = place;
    if (place >= 0 && (place < m_page * m_window || cardRect(place).right() > width() - buttonWidth))
        setPage(place / m_window);
    tell();
    update();
    Q_EMIT selectionChanged(place);
}

// The first card that can be seen is the first of the page in view; the cards before it have been swiped away.
int CarouselStrip::pitch() const {
    if (m_heldPitch > 0)
        return m_heldPitch;
    const double room = width() - 2 * buttonWidth - foldGap;
    return std::clamp(static_cast<int>(room / (m_window + behindShown)), smallestPitch, largestPitch);
}

QRect CarouselStrip::cardRect(int place) const {
    const int offset = place - m_page * m_window;
    int x = buttonWidth + offset * pitch();
    if (offset >= m_window)
        x += foldGap;
    return {x, cardTop, pitch() - gap, cardHeight};
}

int CarouselStrip::foldX() const {
    return buttonWidth + m_window * pitch() - gap + foldGap / 2 + 1;
}

int CarouselStrip::placeAt(const QPoint& at) const {
    if (!m_carousel || at.y() < cardTop || at.y() > cardTop + cardHeight)
        return -1;
    for (int place = m_page * m_window; place < static_cast<int>(m_carousel->size()); ++place) {
        const QRect rect = cardRect(place);
        if (rect.left() > width())
            break;
        if (rect.contains(at))
            return place;
    }
    return -1;
}

bool CarouselStrip::onFold(const QPoint& at) const {
    return m_carousel && std::abs(at.x() - foldX()) <= foldReach;
}

QString CarouselStrip::spoken(int place) const {
    if (!m_carousel || place < 0 || place >= static_cast<int>(m_carousel->size()))
        return {};
    const auto& card = m_carousel->at(static_cast<std::size_t>(place));
    QStringList parts{tr("Position %1 of %2: %3").arg(place + 1).arg(m_carousel->size()).arg(qs(card.title))};
    if (!card.subtitle.empty())
        parts << qs(card.subtitle);
    if (card.isTarget)
        parts << tr("★ the item that the user went on to choose");
    if (const QString status = statusWords(card.status); !status.isEmpty())
        parts << status;
    parts << (place < m_window ? tr("before the fold") : tr("behind the fold, page %1").arg(place / m_window + 1));
    if (static_cast<std::size_t>(place) < m_carousel->figures().slots.size()) {
        const auto& slot = m_carousel->figures().slots[static_cast<std::size_t>(place)];
        parts << tr("reach %1, click %2, value %3").arg(figures(slot.reach), figures(slot.click), figures(slot.value));
    }
    if (const auto stored = m_carousel->storedPlace(static_cast<std::size_t>(place)); stored != static_cast<std::size_t>(place))
        parts << tr("moved here from position %1").arg(stored + 1);
    return parts.join(QLatin1Char('\n'));
}

void CarouselStrip::tell() {
    const QString words =
        m_selected >= 0 ? spoken(m_selected) : tr("No card selected; the arrow keys select one, Ctrl with an arrow key moves it");
    if (words == accessibleDescription())
        return;
    setAccessibleDescription(words);
    QAccessibleEvent event(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&event);
}

QSize CarouselStrip::sizeHint() const {
    return {900, cardTop + cardHeight + 2};
}
QSize CarouselStrip::minimumSizeHint() const {
    return {2 * buttonWidth + foldGap + (smallestWindow + 3) * smallestPitch, cardTop + cardHeight + 2};
}

void CarouselStrip::placeButtons() {
    const int y = cardTop + (cardHeight - 28) / 2;
    m_back->setGeometry(0, y, buttonWidth - 4, 28);
    m_on->setGeometry(width() - buttonWidth + 4, y, buttonWidth - 4, 28);
    m_back->setEnabled(m_page > 0);
    m_on->setEnabled(m_page + 1 < pages());
}

void CarouselStrip::resizeEvent(QResizeEvent*) {
    placeButtons();
}

void CarouselStrip::paintEvent(QPaintEvent*) {
    if (!m_carousel)
        return;
    const auto& theme = Theme::instance();
    const Palette& c = theme.colours();
    QPainter painter(this);
    const QFontMetrics small(theme.caption());
    painter.setClipRect(QRect(buttonWidth - 2, 0, width() - 2 * buttonWidth + 4, height()));
    const int first = m_page * m_window, count = static_cast<int>(m_carousel->size());
    for (int place = first; place < count; ++place) {
        const QRect rect = cardRect(place);
        if (rect.left() > width() - buttonWidth)
            break;
        CardLook look;
        look.place = place;
        look.strategy = m_strategy;
        look.muted = place >= first + m_window;
        look.selected = place == m_selected;
        look.focused = look.selected && hasFocus();
        look.dragged = look.selected && m_drag == Drag::card;
        if (static_cast<std::size_t>(place) < m_carousel->figures().slots.size())
            look.figures = m_carousel->figures().slots[static_cast<std::size_t>(place)];
        paintCard(painter, rect, m_carousel->at(static_cast<std::size_t>(place)), look);
        // Where a further swipe begins a page.
        if (place > first + m_window && place % m_window == 0) {
            painter.setPen(QPen(c.border, 1));
            painter.drawLine(rect.left() - gap / 2, cardTop, rect.left() - gap / 2, cardTop + cardHeight);
        }
    }

    // The fold: a line through the whole height, a handle to drag, and its name.
    painter.setClipping(false);
    painter.setRenderHint(QPainter::Antialiasing);
    const int x = foldX();
    const QColor line = m_overFold || m_drag == Drag::fold ? c.accent : c.text;
    QPen pen(line, 1.5);
    pen.setDashPattern({4, 3});
    painter.setPen(pen);
    painter.drawLine(QPointF(x + 0.5, cardTop), QPointF(x + 0.5, cardTop + cardHeight));
    const QRectF handle(x - 5, cardTop + cardHeight / 2.0 - 17, 11, 34);
    painter.setPen(QPen(line, 1.2));
    painter.setBrush(c.surface);
    painter.drawRoundedRect(handle, 4, 4);
    for (int i = -1; i <= 1; ++i)
        painter.drawLine(QPointF(handle.left() + 3.5, handle.center().y() + i * 5),
                         QPointF(handle.right() - 3.5, handle.center().y() + i * 5));
    painter.setFont(theme.caption());
    painter.setPen(c.secondary);
    const QString fold = m_page == 0 ? tr("fold") : tr("fold, page %1").arg(m_page + 1);
    painter.drawText(QRect(x - 60, 0, 120, cardTop - 1), Qt::AlignHCenter | Qt::AlignBottom, fold);
    const double onward = first + m_window < count && static_cast<std::size_t>(first + m_window) < m_carousel->figures().slots.size()
                              ? m_carousel->figures().slots[static_cast<std::size_t>(first + m_window)].reach
                              : 0;
    if (first + m_window < count) {
        const int room = width() - x - 44 - buttonWidth;
        QString reached = tr("%1 of 100 visits come to see this").arg(100 * onward, 0, 'f', 0);
        if (small.horizontalAdvance(reached) > room)
            reached = tr("%1 %").arg(100 * onward, 0, 'f', 0);
        painter.drawText(QRect(x + 40, 0, room, cardTop - 1), Qt::AlignLeft | Qt::AlignBottom,
                         small.elidedText(reached, Qt::ElideRight, room));
    }
    const QString caption =
        m_page > 0 ? tr("after %1; %2 cards lie before").arg(plural(m_page, tr("swipe"), tr("swipes"))).arg(first) : m_caption;
    const int captionWidth = x - 30 - buttonWidth;
    painter.drawText(QRect(buttonWidth, 0, captionWidth, cardTop - 1), Qt::AlignLeft | Qt::AlignBottom,
                     small.elidedText(caption, Qt::ElideRight, captionWidth));
}

void CarouselStrip::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton)
        return QWidget::mousePressEvent(event);
    m_pressed = event->position().toPoint();
    if (onFold(m_pressed)) {
        m_heldPitch = pitch();
        m_drag = Drag::fold;
    } else if (const int place = placeAt(m_pressed); place >= 0) {
        select(place);
        if (cardRect(place).contains(m_pressed)) // unless selecting it turned the page
            m_drag = Drag::pressed;
    }
    update();
}

void CarouselStrip::follow(const QPoint& at) {
    if (m_drag == Drag::fold) {
        const int wished = static_cast<int>(std::lround((at.x() - buttonWidth - foldGap / 2.0) / m_heldPitch));
        const int window = std::clamp(wished, smallestWindow, largestWindow);
        if (window != m_window)
            Q_EMIT windowWanted(window);
        return;
    }
    if (m_drag == Drag::pressed && (at - m_pressed).manhattanLength() >= QApplication::startDragDistance())
        m_drag = Drag::card;
    if (m_drag != Drag::card)
        return;
    // The card goes where the pointer is, at once: what is seen is always what the figures say.
    const int place = placeAt({at.x(), cardTop + cardHeight / 2});
    if (place >= 0 && place != m_selected) {
        const int from = m_selected;
        m_selected = place;
        Q_EMIT moveWanted(from, place);
        Q_EMIT selectionChanged(place);
        tell();
    }
    update();
}

void CarouselStrip::mouseMoveEvent(QMouseEvent* event) {
    const QPoint at = event->position().toPoint();
    if (m_drag != Drag::none)
        return follow(at);
    const bool over = onFold(at);
    if (over != m_overFold) {
        m_overFold = over;
        update();
    }
    if (over)
        setCursor(Qt::SplitHCursor);
    else if (placeAt(at) >= 0)
        setCursor(Qt::OpenHandCursor);
    else
        unsetCursor();
}

void CarouselStrip::mouseReleaseEvent(QMouseEvent*) {
    m_drag = Drag::none;
    m_heldPitch = 0;
    placeButtons();
    update();
}

void CarouselStrip::leaveEvent(QEvent*) {
    m_overFold = false;
    update();
}

void CarouselStrip::keyPressEvent(QKeyEvent* event) {
    const int count = m_carousel ? static_cast<int>(m_carousel->size()) : 0;
    const bool control = event->modifiers() & Qt::ControlModifier, shift = event->modifiers() & Qt::ShiftModifier;
    const int step = event->key() == Qt::Key_Left ? -1 : event->key() == Qt::Key_Right ? 1 : 0;
    if (step == 0 && event->key() != Qt::Key_Home && event->key() != Qt::Key_End)
        return QWidget::keyPressEvent(event);
    if (count == 0)
        return;
    if (step && shift) {
        Q_EMIT windowWanted(std::clamp(m_window + step, smallestWindow, largestWindow));
        return;
    }
    if (control && step) {
        const int from = m_selected, to = m_selected + step;
        if (from < 0 || to < 0 || to >= count)
            return;
        m_selected = to;
        if (to < m_page * m_window || cardRect(to).right() > width() - buttonWidth)
            setPage(to / m_window);
        Q_EMIT moveWanted(from, to);
        Q_EMIT selectionChanged(to);
        tell();
        update();
        return;
    }
    const int to = event->key() == Qt::Key_Home  ? 0
                   : event->key() == Qt::Key_End ? count - 1
                   : m_selected < 0              ? m_page * m_window
                                                 : m_selected + step;
    select(std::clamp(to, 0, count - 1));
}

bool CarouselStrip::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        if (onFold(help->pos()))
            QToolTip::showText(help->globalPos(),
                               plainToolTip(tr("The fold: drag it to show more or fewer cards (Shift+Left, Shift+Right)")), this);
        else if (const int place = placeAt(help->pos()); place >= 0)
            QToolTip::showText(help->globalPos(), plainToolTip(spoken(place)), this);
        else
            QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

} // namespace carousel::ui
