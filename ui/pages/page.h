// SPDX-License-Identifier: GPL-3.0-or-later
// What every page has: a title, the question it answers, actions at the right of the header (one of them primary), content in a StateView,
// and, where it helps, an inspector at the right that can be folded away.
#pragma once
#include "session/session.h"
#include "widgets/state_view.h"
#include <QAction>
#include <QWidget>
#include <functional>

class QHBoxLayout;
class QPushButton;
class QSplitter;

namespace carousel::ui {

class Inspector;

struct PaletteEntry { // one line of the Ctrl+K palette
    QString kind, text, detail, shortcut; // kind: "action", "page", "run", "item", "data"
    std::function<void()> call;
};

class Page : public QWidget {
    Q_OBJECT
public:
    Page(Session& session, const QString& id, const QString& icon, const QString& title, const QString& question);

    const QString& id() const { return m_id; }
    const QString& title() const { return m_title; }
    const QString& icon() const { return m_icon; }
    const QString& question() const { return m_question; }
    virtual void entered() {}                   // comes into view
    virtual bool isBusy() const { return false; } // screenshots wait for this
    virtual QList<PaletteEntry> paletteEntries() const;

protected:
    Session& session() const { return m_session; }
    enum class Weight { primary, secondary };
    // Adds a button to the header; its action also appears in the palette and takes the shortcut while the page is shown.
    QAction* addPageAction(const QString& icon, const QString& text, const QString& tip, const QKeySequence& shortcut, Weight weight,
                           std::function<void()> call);
    void addHeaderWidget(QWidget* widget); // left of the actions
    void setContent(QWidget* content);     // once
    StateView& state() { return *m_state; }
    Inspector& inspector();                // made on first use

private:
    Session& m_session;
    QString m_id, m_icon, m_title, m_question;
    QHBoxLayout *m_headerWidgets, *m_buttons;
    QSplitter* m_body;
    StateView* m_state = nullptr;
    Inspector* m_inspector = nullptr;
    QList<QAction*> m_actions;
};

} // namespace carousel::ui
