// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/tasks/entity_index.h"
#include "widgets/text.h"

namespace carousel::ui {

namespace {
const QString joint = QStringLiteral(" · ");
}

EntityIndex::EntityIndex(const EntityTable& table) {
    m_rows.reserve(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        const Code code = static_cast<Code>(i);
        Row row{qs(table.ids.id(code)), qs(table.displayName(code)).simplified(), {}, 0};
        if (row.title.isEmpty())
            row.title = row.id;
        const QString title = row.title.toCaseFolded();
        row.folded = row.title == row.id ? title : title + joint + row.id.toCaseFolded();
        row.idAt = row.title == row.id ? 0 : title.size() + joint.size();
        m_rows.push_back(std::move(row));
    }
}

QString EntityIndex::label(Code code) const {
    const Row& of = row(code);
    return of.title == of.id ? of.id : of.title + joint + of.id;
}

Code EntityIndex::withId(const QString& id) const {
    for (std::size_t i = 0; i < m_rows.size(); ++i)
        if (m_rows[i].id == id)
            return static_cast<Code>(i);
    return noCode;
}

std::vector<Code> EntityIndex::find(const QString& text, std::size_t most) const {
    const QString wanted = text.simplified().toCaseFolded();
    std::vector<Code> exact, begin, contain;
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const Row& row = m_rows[i];
        const qsizetype at = row.folded.indexOf(wanted);
        if (at < 0)
            continue;
        const QStringView idPart = QStringView(row.folded).mid(row.idAt);
        if (idPart == wanted || row.folded == wanted)
            exact.push_back(static_cast<Code>(i));
        else if (at == 0 || idPart.startsWith(wanted)) {
            if (begin.size() < most)
                begin.push_back(static_cast<Code>(i));
        } else if (contain.size() < most) {
            contain.push_back(static_cast<Code>(i));
        }
    }
    for (const auto* group : {&begin, &contain})
        exact.insert(exact.end(), group->begin(), group->end());
    if (exact.size() > most)
        exact.resize(most);
    return exact;
}

} // namespace carousel::ui
