// SPDX-License-Identifier: GPL-3.0-or-later
// Customers or items by id and title, for a field that is typed into: made once away from the window's thread, then read by it. A search of
// 100,000 rows takes milliseconds and brings back a handful.
#pragma once
#include "data/dataset.h"
#include <QString>
#include <vector>

namespace carousel::ui {

class EntityIndex {
public:
    EntityIndex() = default;
    explicit EntityIndex(const EntityTable& table);
    std::size_t size() const { return m_rows.size(); }
    QString id(Code code) const { return row(code).id; }
    QString title(Code code) const { return row(code).title; } // the id where there is no title
    QString label(Code code) const;                            // "Title · id", or the id alone
    // At most `most`: the one with this very id or label, then those whose title or id begins with the text, then those that contain it,
    // each in the order of the table. Upper and lower case are one; an empty text finds the first ones.
    std::vector<Code> find(const QString& text, std::size_t most) const;
    Code withId(const QString& id) const; // noCode when there is none

private:
    struct Row {
        QString id, title, folded; // folded: what is searched
        qsizetype idAt = 0;        // where the id begins in it
    };
    const Row& row(Code code) const { return m_rows[static_cast<std::size_t>(code)]; }
    std::vector<Row> m_rows;
};

} // namespace carousel::ui
