// SPDX-License-Identifier: GPL-3.0-or-later
// The frame: top bar, rail of pages, the page, task bar. It knows pages only by their common interface.
#pragma once
#include "session/session.h"
#include <QMainWindow>
#include <vector>

class QPushButton;
class QStackedWidget;
class QToolButton;

namespace carousel::ui {

class Badge;
class CommandPalette;
class Page;
class TaskBar;
struct PaletteEntry;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    Session& session() { return m_session; }
    bool showPage(const QString& id); // false when there is no such page
    Page* currentPage() const;
    const std::vector<Page*>& pages() const { return m_pages; }
    // Nothing loads, computes or waits: a screenshot shows the finished page.
    bool isSettled() const;
    void openPalette();

protected:
    void closeEvent(QCloseEvent* event) override;

private:
    QWidget* makeTopBar();
    QWidget* makeRail();
    void makeShortcuts();
    void updateTitle();
    void followConsent(); // whether data may leave this machine
    void fillProjectMenu();
    QList<PaletteEntry> paletteEntries();
    static bool isTool(const Page& page);
    QString keysOf(std::size_t page) const; // "Ctrl+3"

    Session m_session;
    std::vector<Page*> m_pages;
    std::vector<QToolButton*> m_railButtons;
    QStackedWidget* m_stack;
    TaskBar* m_taskBar;
    Badge* m_home;
    CommandPalette* m_palette;
    QPushButton *m_project, *m_search;
};

} // namespace carousel::ui
