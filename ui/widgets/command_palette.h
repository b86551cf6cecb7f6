// SPDX-License-Identifier: GPL-3.0-or-later
// Ctrl+K: one field that finds pages, actions, runs, data sets and items. It floats over the window and goes when focus goes; not modal.
#pragma once
#include "pages/page.h"
#include <QAbstractListModel>
#include <QFrame>

class QLineEdit;
class QListView;

namespace carousel::ui {

// How well `query` matches: all its words must occur; words at the start of a word count more. Negative: no match.
int matchScore(const QString& query, const QString& text);

class PaletteModel : public QAbstractListModel {
    Q_OBJECT
public:
    using QAbstractListModel::QAbstractListModel;
    void setEntries(QList<PaletteEntry> entries);
    const PaletteEntry& entry(int row) const { return m_entries[row]; }
    int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(m_entries.size()); }
    QVariant data(const QModelIndex& index, int role) const override;

private:
    QList<PaletteEntry> m_entries;
};

class CommandPalette : public QFrame {
    Q_OBJECT
public:
    CommandPalette(Session& session, QWidget* window);
    void open(QList<PaletteEntry> entries);

protected:
    bool eventFilter(QObject* object, QEvent* event) override;

private:
    void filter();
    void run();
    void searchItems(const QString& query);
    Session& m_session;
    QLineEdit* m_edit;
    QListView* m_list;
    PaletteModel* m_model;
    QList<PaletteEntry> m_all, m_items;
};

} // namespace carousel::ui
