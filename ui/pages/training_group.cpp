// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/training_group.h"
#include "experiment/training_parameters.h"
#include "session/study_draft.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
constexpr int mergeFrom = 900000; // apart from the merge numbers of other edits
QString wordsOf(const std::string& clicks) {
    return clicks == "none"       ? QObject::tr("no")
           : clicks == "evidence" ? QObject::tr("click rates only")
           : clicks == "naive"    ? QObject::tr("clicks as they are")
                                  : QObject::tr("clicks weighted by inverse propensity");
}
} // namespace

QString trainingNote(const TrainingSpec& training) {
    return training.clicks == "none"       ? QString()
           : training.clicks == "evidence" ? QObject::tr("+ click rates")
           : training.clicks == "naive"    ? QObject::tr("+ clicks")
                                           : QObject::tr("+ clicks, weighted");
}

TrainingGroup::TrainingGroup(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(textLabel(tr("Learns from carousel clicks"), "heading"));
    m_why = textLabel({}, "warning", true);
    column->addWidget(m_why);
    auto* form = new QFormLayout;
    column->addLayout(form);
    m_clicks = new QComboBox;
    m_examination = new QDoubleSpinBox;
    m_clip = new QDoubleSpinBox;
    m_logShare = new QDoubleSpinBox;
    for (const auto& spec : trainingParameters()) {
        const QString id = qs(spec.id);
        QWidget* control = m_clicks;
        if (spec.kind == ParameterKind::choice) {
            for (const auto& choice : spec.choices)
                m_clicks->addItem(wordsOf(choice), qs(choice));
            connect(m_clicks, &QComboBox::currentIndexChanged, this, [this, id] { edited(id); });
        } else {
            auto* box = spec.id == "examination" ? m_examination : spec.id == "clip" ? m_clip : m_logShare;
            box->setDecimals(3);
            box->setRange(spec.minimum, spec.maximum);
            box->setSingleStep(spec.id == "clip" ? 1 : 0.05);
            box->setMaximumWidth(160);
            connect(box, &QDoubleSpinBox::valueChanged, this, [this, id] { edited(id); });
            control = box;
        }
        control->setObjectName(QStringLiteral("training-") + id);
        control->setAccessibleName(qs(spec.label));
        control->setToolTip(plainToolTip(qs(spec.help)));
        form->addRow(qs(spec.label), control);
        form->addRow(QString(), textLabel(qs(spec.help), "caption", true));
    }
    m_examination->setSpecialValueText(tr("the study's"));
    connect(&session.draft(), &StudyDraft::changed, this, &TrainingGroup::follow);
    connect(&session, &Session::datasetsChanged, this, &TrainingGroup::follow);
    follow();
}

void TrainingGroup::follow() {
    const auto* strategy = m_session.draft().strategy();
    const TrainingSpec training = strategy ? strategy->training : TrainingSpec{};
    const QSignalBlocker one(m_clicks), two(m_examination), three(m_clip), four(m_logShare);
    m_clicks->setCurrentIndex(m_clicks->findData(qs(training.clicks)));
    m_examination->setValue(training.examination);
    m_clip->setValue(training.clip);
    m_logShare->setValue(training.logShare);
    bool log = false;
    const auto& dataset = m_session.draft().study().dataset;
    for (const auto& row : m_session.datasets())
        log = log || (row.name == dataset && row.impressions > 0);
    m_why->setText(log ? QString()
                   : dataset.empty() ? tr("Choose a data set first.")
                                     : tr("The data set '%1' has no carousel log to learn clicks from.").arg(qs(dataset)));
    m_why->setVisible(!log);
    const bool any = training.clicks != "none";
    m_clicks->setEnabled(strategy && (log || any)); // what cannot run can still be switched off
    m_examination->setEnabled(log && any && training.clicks != "naive");
    m_clip->setEnabled(log && training.clicks == "ips");
    m_logShare->setEnabled(log && any);
}

void TrainingGroup::edited(const QString& id) {
    auto& draft = m_session.draft();
    if (!draft.strategy())
        return;
    StudySpec after = draft.study();
    auto& training = after.strategies[static_cast<std::size_t>(draft.current())].training;
    const bool choice = id == QLatin1String("clicks");
    if (choice) {
        training.clicks = ss(m_clicks->currentData().toString());
        if (training.clicks == "none")
            training = {};
    } else {
        const double look = m_examination->value();
        training.examination = look > 0 && look < 0.01 ? 0.01 : look; // 0: the study's
        training.clip = m_clip->value();
        training.logShare = m_logShare->value();
    }
    draft.edit(tr("change learning from clicks"), std::move(after), choice ? 0 : mergeFrom + draft.current());
}

} // namespace carousel::ui
