// SPDX-License-Identifier: GPL-3.0-or-later
// The style sheet made from the tokens. Widgets choose a variant with dynamic properties: role, kind, card, state.
#include "theme/theme.h"
#include <QStringList>
#include <utility>

namespace carousel::ui {

QString Theme::styleSheet() const {
    QString sheet = QStringLiteral(R"(
QToolTip { background: @surface; color: @text; border: 1px solid @border; padding: 4px 6px; font-size: 12px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: 16px; font-weight: 600; }
QLabel[role="question"], QLabel[role="secondary"] { color: @secondary; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="caption"] { font-size: 11px; color: @secondary; }
QLabel[role="figure"] { font-size: 20px; font-weight: 600; }
QLabel[role="good"] { color: @good; }
QLabel[role="warning"] { color: @warning; }
QLabel[role="bad"] { color: @bad; }

QFrame[card="true"] { background: @surface; border: 1px solid @border; border-radius: 6px; }
QFrame[card="selected"] { background: @surface; border: 2px solid @accent; border-radius: 6px; }
QFrame[card="bar"] { background: @surface; border: none; border-bottom: 1px solid @border; }
QFrame[card="foot"] { background: @surface; border: none; border-top: 1px solid @border; }
QFrame[card="rail"] { background: @surface; border: none; border-right: 1px solid @border; }
QFrame[card="good"] { background: @goodSoft; border: 1px solid @good; border-radius: 6px; }
QFrame[card="warning"] { background: @warningSoft; border: 1px solid @warning; border-radius: 6px; }
QFrame[card="bad"] { background: @badSoft; border: 1px solid @bad; border-radius: 6px; }
QFrame[card="rule"] { background: @border; border: none; max-height: 1px; min-height: 1px; }

QPushButton { background: @surface; color: @text; border: 1px solid @border; border-radius: 4px; padding: 5px 12px; min-height: 18px; }
QPushButton:hover { background: @raised; }
QPushButton:pressed { background: @border; }
QPushButton:disabled { color: @disabled; background: @window; }
QPushButton:focus { border: 1px solid @accent; }
QPushButton[kind="primary"] { background: @accent; color: @accentText; border: 1px solid @accent; font-weight: 600; }
QPushButton[kind="primary"]:hover { background: @accentHover; }
QPushButton[kind="primary"]:focus { border: 2px solid @text; padding: 4px 11px; }
QPushButton[kind="primary"]:disabled { background: @raised; color: @disabled; border-color: @border; }
QPushButton[kind="quiet"] { background: transparent; border: 1px solid transparent; }
QPushButton[kind="quiet"]:hover { background: @raised; }
QPushButton[kind="quiet"]:focus { border: 1px solid @accent; }
QPushButton[kind="search"] { background: @window; color: @secondary; text-align: left; padding: 5px 10px; }
QPushButton[kind="search"]:hover { border-color: @accent; }
QPushButton::menu-indicator { image: none; width: 0; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px; }
QToolButton:hover { background: @raised; }
QToolButton:checked { background: @accentSoft; }
QToolButton:focus { border: 1px solid @accent; }
QToolButton::menu-indicator { image: none; }
QToolButton[kind="rail"] { border-radius: 4px; padding: 7px 8px; text-align: left; color: @text; }
QToolButton[kind="rail"]:checked { background: @accentSoft; color: @accent; font-weight: 600; }
QToolButton[kind="switch"] { border: 1px solid @border; padding: 3px 10px; color: @secondary; background: @surface; }
QToolButton[kind="switch"]:checked { background: @accent; color: @accentText; border-color: @accent; }
QToolButton[kind="switch"]:disabled { color: @disabled; background: @window; }

QLineEdit, QPlainTextEdit, QTextEdit, QTextBrowser { background: @surface; color: @text; border: 1px solid @border; border-radius: 4px; padding: 4px 6px;
    selection-background-color: @accent; selection-color: @accentText; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus { border: 1px solid @accent; }
QLineEdit[state="bad"] { border: 1px solid @bad; }
QLineEdit:disabled, QPlainTextEdit:disabled { color: @disabled; background: @window; }
QSpinBox, QDoubleSpinBox, QComboBox { min-height: 20px; }

QRadioButton::indicator { width: 12px; height: 12px; border: 1px solid @secondary; border-radius: 7px; background: @surface; }
QRadioButton::indicator:checked { background: qradialgradient(cx:0.5, cy:0.5, radius:0.5, fx:0.5, fy:0.5, stop:0 @accent, stop:0.55 @accent, stop:0.65 @surface); }
QRadioButton::indicator:focus { border: 1px solid @accent; }
QRadioButton::indicator:disabled { border: 1px solid @border; background: @window; }
QRadioButton:disabled { color: @disabled; }
QCheckBox::indicator:unchecked, QAbstractItemView::indicator:unchecked { border: 1px solid @secondary; border-radius: 2px; background: @surface; }
QCheckBox::indicator:unchecked:focus { border: 1px solid @accent; }
QCheckBox::indicator:unchecked:disabled, QAbstractItemView::indicator:unchecked:disabled { border: 1px solid @border; background: @window; }

QAbstractItemView { background: @surface; color: @text; border: 1px solid @border; selection-background-color: @accentSoft; selection-color: @text;
    outline: 0; gridline-color: @grid; }
QTableView, QListView, QTreeView { border-radius: 4px; alternate-background-color: @surface; }
QTableView::item { padding: 0 6px; border: none; }
QListView::item { padding: 4px 6px; border: none; }
QListView::item:selected, QTableView::item:selected, QTreeView::item:selected { background: @accentSoft; color: @text; }
QHeaderView { background: @raised; }
QHeaderView::section { background: @raised; color: @secondary; border: none; border-right: 1px solid @border; border-bottom: 1px solid @border;
    padding: 5px 8px; font-weight: 600; font-size: 12px; }
QHeaderView::section:vertical { font-weight: normal; padding: 0 6px; }
QTableCornerButton::section { background: @raised; border: none; border-bottom: 1px solid @border; }

QTabWidget::pane { border: none; border-top: 1px solid @border; top: -1px; }
QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: @secondary; padding: 7px 14px; border: none; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:focus { background: @accentSoft; }
QTabBar::tab:disabled { color: @disabled; }

QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget[role="canvas"] { background: transparent; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: @bandEdge; border-radius: 4px; border: 2px solid transparent; background-clip: padding; }
QScrollBar::handle:vertical { min-height: 28px; margin: 2px; }
QScrollBar::handle:horizontal { min-width: 28px; margin: 2px; }
QScrollBar::handle:hover { background: @secondary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: @raised; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: @accent; border-radius: 3px; }
QMenu { background: @surface; border: 1px solid @border; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 3px; }
QMenu::item:selected { background: @accentSoft; color: @text; }
QMenu::item:disabled { color: @disabled; }
QMenu::separator { height: 1px; background: @border; margin: 4px 6px; }
QSplitter::handle { background: @border; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QGroupBox { border: none; font-weight: 600; margin-top: 20px; }
QGroupBox::title { subcontrol-origin: margin; left: 0; }
)");
    const Palette& c = m_colours;
    const QColor hover = m_dark ? c.accent.lighter(112) : c.accent.darker(112);
    // Longer names first, so that @accentSoft is not read as @accent.
    const std::pair<const char*, QColor> tokens[] = {
        {"@accentHover", hover},       {"@accentText", c.accentText}, {"@accentSoft", c.accentSoft}, {"@warningSoft", c.warningSoft},
        {"@goodSoft", c.goodSoft},     {"@badSoft", c.badSoft},       {"@secondary", c.secondary},   {"@disabled", c.disabled},
        {"@bandEdge", c.bandEdge},     {"@surface", c.surface},       {"@window", c.window},         {"@raised", c.raised},
        {"@border", c.border},         {"@warning", c.warning},       {"@accent", c.accent},         {"@text", c.text},
        {"@good", c.good},             {"@grid", c.grid},             {"@bad", c.bad},
    };
    for (const auto& [token, colour] : tokens)
        sheet.replace(QLatin1String(token), colour.name());
    return sheet;
}

} // namespace carousel::ui
