// SPDX-License-Identifier: GPL-3.0-or-later
// Colours, fonts, markers and icons of the window.
#include "theme/theme.h"
#include "report/plot.h"
#include <QApplication>
#include <QDir>
#include <QEvent>
#include <QFontDatabase>
#include <QPainter>
#include <QPalette>
#include <QPixmap>
#include <QStyle>
#include <QStyleFactory>
#include <array>
#include <cmath>

namespace carousel::ui {

namespace {
QFont sized(int pixels, QFont::Weight weight) {
    QFont font(QStringLiteral("Inter"));
    if (!QFontDatabase::hasFamily(QStringLiteral("Inter")))
        font = QFontDatabase::systemFont(QFontDatabase::GeneralFont);
    font.setPixelSize(pixels);
    font.setWeight(weight);
    return font;
}
double linear(double channel) { return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4); }
double luminance(const QColor& c) { return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF()); }
} // namespace

Theme& Theme::instance() {
    static Theme theme;
    return theme;
}

Palette Theme::lightPalette() {
    Palette p;
    p.window = QColor(0xF5F6F8);
    p.surface = QColor(0xFFFFFF);
    p.raised = QColor(0xEDEFF2);
    p.border = QColor(0xD5D9DE);
    p.text = QColor(0x1C2126);
    p.secondary = QColor(0x58616B);
    p.disabled = QColor(0x8A929B);
    p.accent = QColor(0x1D5FA6);
    p.accentText = QColor(0xFFFFFF);
    p.accentSoft = QColor(0xE1ECF8);
    p.good = QColor(0x1B6E36);
    p.goodSoft = QColor(0xE3F3E7);
    p.warning = QColor(0x805000);
    p.warningSoft = QColor(0xFBF0DA);
    p.bad = QColor(0xA9251B);
    p.badSoft = QColor(0xFBE6E4);
    p.grid = QColor(0xE6E9EC);
    p.bandEdge = QColor(0xB9C0C8);
    return p;
}

Palette Theme::darkPalette() {
    Palette p;
    p.window = QColor(0x15181C);
    p.surface = QColor(0x1D2126);
    p.raised = QColor(0x272C33);
    p.border = QColor(0x3A414A);
    p.text = QColor(0xE7EAED);
    p.secondary = QColor(0xA8B0B9);
    p.disabled = QColor(0x737C86);
    p.accent = QColor(0x6FB3F2);
    p.accentText = QColor(0x0B1A2A);
    p.accentSoft = QColor(0x1E3750);
    p.good = QColor(0x63C97F);
    p.goodSoft = QColor(0x1A3523);
    p.warning = QColor(0xE2AE52);
    p.warningSoft = QColor(0x3A2E15);
    p.bad = QColor(0xFF8E84);
    p.badSoft = QColor(0x45211E);
    p.grid = QColor(0x2D333A);
    p.bandEdge = QColor(0x59626C);
    return p;
}

void Theme::install() {
    // Icons and the style come with the program's packages, so the window looks the same with and without a desktop session.
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    QStringList paths = QIcon::themeSearchPaths();
    for (const QString& folder : {QStringLiteral("/usr/share/icons"), QStringLiteral("/usr/local/share/icons")})
        if (!paths.contains(folder))
            paths << folder;
    QIcon::setThemeSearchPaths(paths);
    qApp->installEventFilter(this);
    apply();
}

void Theme::setMode(Mode mode) {
    m_mode = mode;
    apply();
}

bool Theme::eventFilter(QObject* object, QEvent* event) {
    // Qt 6.4 tells of a desktop switching to dark only through its palette.
    if (object == qApp && event->type() == QEvent::ThemeChange && m_mode == Mode::system)
        apply();
    return QObject::eventFilter(object, event);
}

void Theme::apply() {
    m_dark = m_mode == Mode::dark;
    if (m_mode == Mode::system) {
        const QPalette system = QApplication::style()->standardPalette();
        m_dark = system.color(QPalette::Window).lightness() < 128;
    }
    m_colours = m_dark ? darkPalette() : lightPalette();
    const Palette& c = m_colours;
    QIcon::setThemeName(m_dark ? QStringLiteral("breeze-dark") : QStringLiteral("breeze"));
    QIcon::setFallbackThemeName(QStringLiteral("breeze"));

    QPalette p;
    p.setColor(QPalette::Window, c.window);
    p.setColor(QPalette::WindowText, c.text);
    p.setColor(QPalette::Base, c.surface);
    p.setColor(QPalette::AlternateBase, c.raised);
    p.setColor(QPalette::Text, c.text);
    p.setColor(QPalette::PlaceholderText, c.secondary);
    p.setColor(QPalette::Button, c.surface);
    p.setColor(QPalette::ButtonText, c.text);
    p.setColor(QPalette::BrightText, c.bad);
    p.setColor(QPalette::Highlight, c.accentSoft);
    p.setColor(QPalette::HighlightedText, c.text);
    p.setColor(QPalette::Link, c.accent);
    p.setColor(QPalette::LinkVisited, c.accent);
    p.setColor(QPalette::ToolTipBase, c.surface);
    p.setColor(QPalette::ToolTipText, c.text);
    p.setColor(QPalette::Light, c.surface);
    p.setColor(QPalette::Midlight, c.raised);
    p.setColor(QPalette::Mid, c.border);
    p.setColor(QPalette::Dark, c.border);
    p.setColor(QPalette::Shadow, c.border);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, c.disabled);
    QApplication::setPalette(p);
    QApplication::setFont(body());
    qApp->setStyleSheet(styleSheet());
    Q_EMIT changed();
}

QFont Theme::body() const { return sized(13, QFont::Normal); }
QFont Theme::caption() const { return sized(11, QFont::Normal); }
QFont Theme::strong() const { return sized(13, QFont::DemiBold); }
QFont Theme::title() const { return sized(16, QFont::DemiBold); }
QFont Theme::mono() const {
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    font.setPixelSize(12);
    return font;
}

QColor Theme::strategy(int index, bool forDark) {
    const auto& names = strategyColours();
    const int count = static_cast<int>(names.size());
    QColor colour(QString::fromStdString(names[static_cast<std::size_t>(((index % count) + count) % count)]));
    // The same hue, lighter, until it stands off the dark surface.
    while (forDark && contrast(colour, darkPalette().surface) < 4.0 && colour.lightnessF() < 0.9)
        colour = QColor::fromHslF(colour.hslHueF(), colour.hslSaturationF(), std::min(1.0F, colour.lightnessF() + 0.03F));
    return colour;
}

QPainterPath Theme::marker(int index, QPointF centre, qreal size) {
    QPainterPath path;
    const qreal r = size / 2;
    const auto at = [&](qreal x, qreal y) { return QPointF(centre.x() + x * r, centre.y() + y * r); };
    switch (((index % 6) + 6) % 6) {
    case 0: path.addEllipse(centre, r * 0.95, r * 0.95); break; // the order of the report's markers
    case 1: path.addRect(QRectF(at(-0.85, -0.85), at(0.85, 0.85))); break;
    case 2: path.addPolygon(QPolygonF{at(0, -1), at(1, 0.85), at(-1, 0.85)}); break;
    case 3: path.addPolygon(QPolygonF{at(0, -1.1), at(1.1, 0), at(0, 1.1), at(-1.1, 0)}); break;
    case 4: path.addPolygon(QPolygonF{at(0, 1), at(1, -0.85), at(-1, -0.85)}); break;
    default:
        path.addPolygon(QPolygonF{at(-0.35, -1), at(0.35, -1), at(0.35, -0.35), at(1, -0.35), at(1, 0.35), at(0.35, 0.35), at(0.35, 1),
                                  at(-0.35, 1), at(-0.35, 0.35), at(-1, 0.35), at(-1, -0.35), at(-0.35, -0.35)});
    }
    path.closeSubpath();
    return path;
}

QString Theme::markerName(int index) {
    static const std::array<const char*, 6> names{"circle", "square", "triangle", "diamond", "falling triangle", "cross"};
    return QString::fromLatin1(names[static_cast<std::size_t>(((index % 6) + 6) % 6)]);
}

QIcon Theme::strategyIcon(int index) const {
    QPixmap pixmap(32, 32);
    pixmap.setDevicePixelRatio(2);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillPath(marker(index, {8, 8}, 10), strategy(index));
    return QIcon(pixmap);
}

QColor Theme::magnitude(double share) {
    static const std::array<QRgb, 9> stops{0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725};
    if (!std::isfinite(share))
        share = 0;
    const double at = std::clamp(share, 0.0, 1.0) * (stops.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const auto high = std::min(low + 1, stops.size() - 1);
    const double t = at - static_cast<double>(low);
    const QColor a(stops[low]), b(stops[high]);
    return QColor::fromRgbF(static_cast<float>(a.redF() + t * (b.redF() - a.redF())), static_cast<float>(a.greenF() + t * (b.greenF() - a.greenF())),
                            static_cast<float>(a.blueF() + t * (b.blueF() - a.blueF())));
}

QIcon Theme::icon(const QString& name) { return QIcon::fromTheme(name); }

double Theme::contrast(const QColor& a, const QColor& b) {
    const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
    return x > y ? x / y : y / x;
}

} // namespace carousel::ui
