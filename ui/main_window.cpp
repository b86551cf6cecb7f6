// SPDX-License-Identifier: GPL-3.0-or-later
#include "main_window.h"
#include "pages/home_page.h"
#include "pages/page_list.h"
#include "session/compute_setting.h"
#include "session/model_list.h"
#include "session/run_selection.h"
#include "session/study_draft.h"
#include "theme/theme.h"
#include "widgets/badge.h"
#include "widgets/command_palette.h"
#include "widgets/compute_chooser.h"
#include "widgets/task_bar.h"
#include "widgets/text.h"
#include <QApplication>
#include <QCloseEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QShortcut>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
constexpr int railWidth = 146;
}

MainWindow::MainWindow(QWidget* parent) : QMainWindow(parent) {
    setWindowTitle(tr("Carousel Lab"));
    setMinimumSize(980, 620);
    auto* centre = new QWidget;
    setCentralWidget(centre);
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeTopBar());
    auto* body = new QHBoxLayout;
    body->setSpacing(0);
    m_pages = makePages(m_session);
    m_stack = new QStackedWidget;
    for (auto* page : m_pages)
        m_stack->addWidget(page);
    body->addWidget(makeRail());
    body->addWidget(m_stack, 1);
    column->addLayout(body, 1);
    m_taskBar = new TaskBar(m_session.jobs(), m_session.log());
    column->addWidget(m_taskBar);
    m_palette = new CommandPalette(m_session, centre);
    makeShortcuts();

    connect(&m_session, &Session::pageWanted, this, &MainWindow::showPage);
    connect(&m_session, &Session::projectChanged, this, &MainWindow::updateTitle);
    updateTitle();
    const QByteArray geometry = QSettings().value(QStringLiteral("window/geometry")).toByteArray();
    if (geometry.isEmpty() || !restoreGeometry(geometry))
        resize(1400, 900);
    showPage(QStringLiteral("home"));
}

MainWindow::~MainWindow() {
    // Pages hold references to the session: they go first.
    delete takeCentralWidget();
}

QWidget* MainWindow::makeTopBar() {
    auto* bar = new QFrame;
    bar->setProperty("card", QStringLiteral("bar"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(8, 6, 16, 6);
    row->setSpacing(12);
    m_project = new QPushButton;
    m_project->setProperty("kind", QStringLiteral("quiet"));
    m_project->setAccessibleName(tr("Project menu"));
    auto* menu = new QMenu(m_project);
    connect(menu, &QMenu::aboutToShow, this, &MainWindow::fillProjectMenu);
    m_project->setMenu(menu);
    row->addWidget(m_project);
    row->addStretch(1);
    m_search = new QPushButton(Theme::icon(QStringLiteral("search")), tr("Ctrl+K   search actions, runs, items…"));
    m_search->setProperty("kind", QStringLiteral("search"));
    m_search->setMinimumWidth(360);
    m_search->setToolTip(tr("Search everything (Ctrl+K)"));
    m_search->setAccessibleName(tr("Search everything"));
    connect(m_search, &QPushButton::clicked, this, &MainWindow::openPalette);
    row->addWidget(m_search);
    row->addStretch(1);
    row->addWidget(new ComputeChooser(m_session.compute()));
    m_home = new Badge(tr("data stays home"), Badge::Tone::good);
    row->addWidget(m_home);
    connect(&m_session.models(), &ModelList::changed, this, &MainWindow::followConsent);
    followConsent();
    m_session.models().readOnce();
    auto* look = new QToolButton;
    look->setIcon(Theme::icon(QStringLiteral("color-mode-black-white")));
    look->setAccessibleName(tr("Dark or light"));
    look->setToolTip(tr("Dark or light (Ctrl+Shift+D)"));
    connect(look, &QToolButton::clicked, this, [] {
        auto& theme = Theme::instance();
        theme.setMode(theme.dark() ? Theme::Mode::light : Theme::Mode::dark);
        QSettings().setValue(QStringLiteral("look"), theme.dark() ? QStringLiteral("dark") : QStringLiteral("light"));
    });
    auto* key = new QShortcut(QKeySequence(tr("Ctrl+Shift+D")), this);
    connect(key, &QShortcut::activated, look, &QToolButton::click);
    row->addWidget(look);
    return bar;
}

// The shelf of models is no step of the work: it stands at the foot of the rail and keeps its key, whatever pages come before it.
bool MainWindow::isTool(const Page& page) { return page.id() == QLatin1String("models"); }

QString MainWindow::keysOf(std::size_t page) const {
    return isTool(*m_pages[page]) ? QStringLiteral("Ctrl+0") : QStringLiteral("Ctrl+%1").arg(page + 1);
}

QWidget* MainWindow::makeRail() {
    auto* rail = new QFrame;
    rail->setProperty("card", QStringLiteral("rail"));
    rail->setFixedWidth(railWidth);
    rail->setAccessibleName(tr("Pages"));
    auto* column = new QVBoxLayout(rail);
    column->setContentsMargins(8, 12, 8, 8);
    column->setSpacing(2);
    for (std::size_t i = 0; i < m_pages.size(); ++i) {
        auto* page = m_pages[i];
        if (isTool(*page)) // apart from the pages that follow the order of the work
            column->addStretch();
        auto* button = new QToolButton;
        button->setProperty("kind", QStringLiteral("rail"));
        button->setIcon(Theme::icon(page->icon()));
        button->setIconSize({18, 18});
        button->setText(page->id() == QLatin1String("home") ? tr("Home") : page->title());
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setCheckable(true);
        button->setAutoExclusive(true);
        button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        const QString keys = keysOf(i);
        button->setToolTip(tr("%1 (%2)").arg(button->text(), keys));
        button->setAccessibleName(button->text());
        connect(button, &QToolButton::clicked, this, [this, page] { showPage(page->id()); });
        auto* key = new QShortcut(QKeySequence(keys), this);
        connect(key, &QShortcut::activated, this, [this, page] { showPage(page->id()); });
        m_railButtons.push_back(button);
        column->addWidget(button);
    }
    if (m_pages.empty() || !isTool(*m_pages.back()))
        column->addStretch();
    return rail;
}

void MainWindow::makeShortcuts() {
    const auto on = [this](const QKeySequence& keys, auto call) { connect(new QShortcut(keys, this), &QShortcut::activated, this, call); };
    on(QKeySequence(tr("Ctrl+K")), [this] { openPalette(); });
    on(QKeySequence(tr("Ctrl+Shift+P")), [this] { openPalette(); });
    on(QKeySequence(tr("Ctrl+L")), [this] { m_taskBar->setLogShown(!m_taskBar->logShown()); });
    on(QKeySequence(Qt::Key_Escape), [this] { m_session.jobs().cancelTasks(); });
    on(QKeySequence::Quit, [this] { close(); });
    on(QKeySequence::Undo, [this] { m_session.draft().undoStack().undo(); });
    on(QKeySequence::Redo, [this] { m_session.draft().undoStack().redo(); });
}

void MainWindow::fillProjectMenu() {
    auto* menu = m_project->menu();
    menu->clear();
    auto* home = static_cast<HomePage*>(m_pages.front());
    menu->addAction(Theme::icon(QStringLiteral("document-new")), tr("New project…"), home, &HomePage::createWithDialog);
    menu->addAction(Theme::icon(QStringLiteral("document-open")), tr("Open project…"), home, &HomePage::openWithDialog);
    menu->addSeparator();
    for (const auto& file : Session::recentProjects())
        menu->addAction(QFileInfo(file).completeBaseName().replace(QLatin1Char('&'), QLatin1String("&&")), this, [this, file] { m_session.openProject(file); });
    menu->addSeparator();
    auto* close = menu->addAction(tr("Close project"), this, [this] {
        m_session.closeProject();
        showPage(QStringLiteral("home"));
    });
    close->setEnabled(m_session.hasProject());
}

void MainWindow::updateTitle() {
    const QString name = m_session.projectName();
    m_project->setText((name.isEmpty() ? tr("No project") : name + (m_session.readOnly() ? tr("  (read only)") : QString())) + QStringLiteral("  ▾"));
    m_project->setToolTip(plainToolTip(m_session.hasProject() ? m_session.projectFile() : tr("Open or create a project")));
    setWindowTitle(name.isEmpty() ? tr("Carousel Lab") : tr("%1 — Carousel Lab").arg(name));
}

void MainWindow::followConsent() {
    const auto& servers = m_session.models().consenting();
    if (servers.empty())
        return m_home->setBadge(tr("data stays home"), Badge::Tone::good, tr("No server has your consent: data, models and results stay on this machine."));
    QStringList names;
    for (const auto& name : servers)
        names << qs(name);
    m_home->setBadge(tr("data may leave"), Badge::Tone::warning,
                     tr("You agreed that prompts with item texts and people's histories may be sent to: %1. Only strategies that name these servers do so.").arg(names.join(QStringLiteral(", "))));
}

Page* MainWindow::currentPage() const { return static_cast<Page*>(m_stack->currentWidget()); }

bool MainWindow::showPage(const QString& id) {
    for (std::size_t i = 0; i < m_pages.size(); ++i)
        if (m_pages[i]->id() == id) {
            m_stack->setCurrentIndex(static_cast<int>(i));
            m_railButtons[i]->setChecked(true);
            m_pages[i]->entered();
            return true;
        }
    return false;
}

bool MainWindow::isSettled() const {
    return m_session.isIdle() && !m_session.isOpening() && !currentPage()->isBusy();
}

QList<PaletteEntry> MainWindow::paletteEntries() {
    QList<PaletteEntry> entries;
    for (std::size_t i = 0; i < m_pages.size(); ++i) {
        auto* page = m_pages[i];
        entries << PaletteEntry{tr("page"), m_railButtons[i]->text(), page->question(), keysOf(i),
                                [this, page] { showPage(page->id()); }};
    }
    entries << currentPage()->paletteEntries();
    for (auto* page : m_pages)
        if (page != currentPage())
            entries << page->paletteEntries();
    entries << PaletteEntry{tr("action"), tr("Dark or light"), tr("Look"), tr("Ctrl+Shift+D"), [] {
                                auto& theme = Theme::instance();
                                theme.setMode(theme.dark() ? Theme::Mode::light : Theme::Mode::dark);
                            }};
    entries << PaletteEntry{tr("action"), tr("Show or hide the log"), {}, tr("Ctrl+L"), [this] { m_taskBar->setLogShown(!m_taskBar->logShown()); }};
    if (m_session.draft().undoStack().canUndo())
        entries << PaletteEntry{tr("action"), tr("Undo: %1").arg(m_session.draft().undoStack().undoText()), {}, tr("Ctrl+Z"),
                                [this] { m_session.draft().undoStack().undo(); }};
    for (const auto& run : m_session.runs())
        entries << PaletteEntry{tr("run"), qs(run.strategy), qs(run.studyName + " · " + run.dataset), {}, [this, id = run.id] {
                                    m_session.selection().select({id});
                                    showPage(QStringLiteral("carousel"));
                                }};
    for (const auto& file : Session::recentProjects())
        entries << PaletteEntry{tr("project"), QFileInfo(file).completeBaseName(), QFileInfo(file).absolutePath(), {}, [this, file] { m_session.openProject(file); }};
    return entries;
}

void MainWindow::openPalette() { m_palette->open(paletteEntries()); }

void MainWindow::closeEvent(QCloseEvent* event) {
    QSettings().setValue(QStringLiteral("window/geometry"), saveGeometry());
    event->accept();
}

} // namespace carousel::ui
