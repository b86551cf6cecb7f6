// SPDX-License-Identifier: GPL-3.0-or-later
// A line to choose a customer or an item in: what is typed is looked up, the best few are offered, Return takes the first of them.
#pragma once
#include "pages/tasks/entity_index.h"
#include <QLineEdit>
#include <memory>

class QCompleter;
class QStandardItemModel;

namespace carousel::ui {

class EntityField : public QLineEdit {
    Q_OBJECT
public:
    static constexpr std::size_t mostOffered = 40;
    EntityField(const QString& name, const QString& accessibleName, const QString& hint);
    void setIndex(std::shared_ptr<const EntityIndex> index); // the choice is gone with the old one; null: switched off
    void setCurrent(Code code);                              // without chosen()
    Code current() const { return m_current; }
    void offer(const QString& text); // fills the list below the line

Q_SIGNALS:
    void chosen(carousel::Code code);
    void notFound(const QString& text);

protected:
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    void take(Code code);
    void takeText();
    void showCurrent();
    std::shared_ptr<const EntityIndex> m_index;
    Code m_current = noCode;
    QCompleter* m_completer;
    QStandardItemModel* m_offers;
};

} // namespace carousel::ui
