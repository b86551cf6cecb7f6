// SPDX-License-Identifier: GPL-3.0-or-later
// The one place where the window's look is decided: colours for light and dark, type, spacing, strategy colours and markers, icons.
// Widgets, delegates and plots ask it; nothing else names a colour.
#pragma once
#include <QColor>
#include <QFont>
#include <QIcon>
#include <QObject>
#include <QPainterPath>

namespace carousel::ui {

struct Palette {
    QColor window, surface, raised, border, text, secondary, disabled;
    QColor accent, accentText, accentSoft;
    QColor good, goodSoft, warning, warningSoft, bad, badSoft;
    QColor grid, bandEdge;
};

enum class Space { hair = 4, control = 8, page = 16, group = 24 };

class Theme : public QObject {
    Q_OBJECT
public:
    enum class Mode { system, light, dark };

    static Theme& instance();
    static Palette lightPalette();
    static Palette darkPalette();

    // Fonts, style, icon theme and palette for the whole program; called once after QApplication is made.
    void install();
    void setMode(Mode mode);
    Mode mode() const { return m_mode; }
    bool dark() const { return m_dark; }
    const Palette& colours() const { return m_colours; }

    QFont body() const;    // 13 px
    QFont caption() const; // 11 px
    QFont strong() const;  // 13 px, semibold
    QFont title() const;   // 16 px, semibold
    QFont mono() const;

    // A strategy keeps its colour and marker on every page, plot and report.
    QColor strategy(int index) const { return strategy(index, m_dark); }
    static QColor strategy(int index, bool forDark);
    static QPainterPath marker(int index, QPointF centre, qreal size);
    static QString markerName(int index); // "square", "triangle": read aloud by assistive tools
    QIcon strategyIcon(int index) const;
    // viridis, for magnitudes; 0..1
    static QColor magnitude(double share);
    static QIcon icon(const QString& name);
    static double contrast(const QColor& a, const QColor& b); // WCAG ratio 1..21

Q_SIGNALS:
    void changed();

protected:
    bool eventFilter(QObject* object, QEvent* event) override;

private:
    Theme() = default;
    void apply();
    QString styleSheet() const;
    Mode m_mode = Mode::light;
    bool m_dark = false;
    Palette m_colours = lightPalette();
};

inline int px(Space space) { return static_cast<int>(space); }

} // namespace carousel::ui
