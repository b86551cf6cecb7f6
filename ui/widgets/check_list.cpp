// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/check_list.h"
#include "widgets/flow_layout.h"
#include <QCheckBox>

namespace carousel::ui {

CheckList::CheckList(QWidget* parent) : QWidget(parent) {
    m_layout = new FlowLayout(this, 12, 4);
    setFocusPolicy(Qt::NoFocus);
}

void CheckList::setChoices(const QStringList& choices, const QStringList& checked) {
    m_layout->clear();
    m_checked = checked;
    QStringList all = choices;
    for (const auto& word : checked) // set before, but not offered by this data set: still shown, so that it can be taken away
        if (!all.contains(word))
            all << word;
    for (const auto& word : all) {
        auto* box = new QCheckBox(this);
        box->setText(QString(word).replace(QLatin1Char('&'), QLatin1String("&&")));
        box->setAccessibleName(word);
        box->setChecked(checked.contains(word));
        connect(box, &QCheckBox::toggled, this, [this, word](bool on) {
            m_checked.removeAll(word);
            if (on)
                m_checked << word;
            Q_EMIT edited();
        });
        m_layout->addWidget(box);
        box->show();
    }
    updateGeometry();
}

} // namespace carousel::ui
