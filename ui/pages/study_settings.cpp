// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/study_settings.h"
#include "session/session.h"
#include "session/study_draft.h"
#include "widgets/parameter_form.h"
#include "widgets/text.h"
#include "stages/compute_choice.h"
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int editId = 900000; // typing in the settings is one undo step

ParameterSpec whole(const char* id, const char* label, std::int64_t value, double low, double high, const char* unit, const char* help) {
    return {id, label, ParameterKind::integer, value, help, low, high, {}, unit, {}, false};
}
ParameterSpec real(const char* id, const char* label, double value, double low, double high, const char* help) {
    return {id, label, ParameterKind::number, value, help, low, high, {}, {}, {}, false};
}
template <std::size_t N> std::vector<std::string> idList(const std::array<ComputeChoice, N>& choices) {
    const auto ids = idsOf(choices);
    return {ids.begin(), ids.end()};
}
} // namespace

std::vector<ParameterSpec> evaluationParameters() {
    const EvaluationSpec e;
    return {
        whole("users", "Users", e.users, 0, 1e9, "users", "Users to evaluate, drawn with the seed; 0 takes all users with a target."),
        whole("k", "Metrics at k", e.k, 1, 1000, "items", "The cut-off of hit rate, nDCG, recall and precision."),
        whole("window", "Window", e.window, 1, 50, "slots", "Slots that are visible without a swipe: the fold lies behind them."),
        real("swipe", "Swipe probability", e.swipe, 0, 1, "Chance to swipe on after a page without a click. Clicks alone do not tell it; the results show a band over it."),
        real("examination", "Examination", e.examination, 0.01, 1, "How attention falls from slot to slot of a page."),
        whole("depth", "Depth kept", e.depth, 1, 1e6, "items", "Items stored per user, for exports and the carousel page."),
        whole("bootstrap", "Resamples", e.bootstrap, 0, 100000, "draws", "Bootstrap draws over users for the intervals."),
        real("confidence", "Confidence", e.confidence, 0.5, 0.999, "Coverage of the intervals."),
        {"refitOnValidation", "Fit on training and validation before the test", ParameterKind::boolean, e.refitOnValidation, "Disclosed with every result.", -1e300, 1e300, {}, {}, {}, false},
        whole("seed", "Seed", 1, 0, 9e15, "", "Same seed, same data, same numbers."),
        {"device", "Device", ParameterKind::choice, std::string("cpu"), "Where language models compute; cuda needs a LibTorch that has it, auto takes it when it is there.",
         -1e300, 1e300, idList(deviceChoices), {}, {}, false},
        {"compute", "Numbers", ParameterKind::choice, std::string("auto"), "What language models compute in: fp32 is exact, bf16 fast, auto takes bf16 where the device multiplies it natively.",
         -1e300, 1e300, idList(computeTypeChoices), {}, {}, false},
    };
}

Parameters toParameters(const StudySpec& s) {
    Parameters p;
    p.set("users", static_cast<std::int64_t>(s.evaluation.users));
    p.set("k", static_cast<std::int64_t>(s.evaluation.k));
    p.set("window", static_cast<std::int64_t>(s.evaluation.window));
    p.set("swipe", s.evaluation.swipe);
    p.set("examination", s.evaluation.examination);
    p.set("depth", static_cast<std::int64_t>(s.evaluation.depth));
    p.set("bootstrap", static_cast<std::int64_t>(s.evaluation.bootstrap));
    p.set("confidence", s.evaluation.confidence);
    p.set("refitOnValidation", s.evaluation.refitOnValidation);
    p.set("seed", static_cast<std::int64_t>(s.seed));
    p.set("device", s.device);
    p.set("compute", s.compute);
    return p;
}

void fromParameters(const Parameters& p, StudySpec& s) {
    s.evaluation.users = static_cast<int>(p.integer("users"));
    s.evaluation.k = static_cast<int>(p.integer("k"));
    s.evaluation.window = static_cast<int>(p.integer("window"));
    s.evaluation.swipe = p.number("swipe");
    s.evaluation.examination = p.number("examination");
    s.evaluation.depth = static_cast<int>(p.integer("depth"));
    s.evaluation.bootstrap = static_cast<int>(p.integer("bootstrap"));
    s.evaluation.confidence = p.number("confidence");
    s.evaluation.refitOnValidation = p.boolean("refitOnValidation");
    s.seed = static_cast<std::uint64_t>(p.integer("seed"));
    s.device = p.text("device");
    s.compute = p.text("compute");
}

PlannedWork plannedWork(const StudySpec& study, const StrategySpec& strategy, const PluginRegistry& plugins, std::int64_t users, std::int64_t items) {
    PlannedWork work;
    work.users = study.evaluation.users > 0 ? std::min<std::int64_t>(study.evaluation.users, users) : users;
    work.candidates = items;
    const auto& scorer = strategy.stage(StageKind::scorer);
    const auto entry = plugins.find(StageKind::scorer, scorer.plugin);
    work.languageModel = entry && (*entry)->manifest.usesLanguageModel;
    const auto& values = scorer.parameters.values();
    if (const auto it = values.find("count"); work.languageModel && it != values.end() && std::holds_alternative<std::int64_t>(it->second))
        work.candidates = std::min(items, std::get<std::int64_t>(it->second));
    return work;
}

StudySettings::StudySettings(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 8, 0);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(10);
    m_name = new QLineEdit;
    m_name->setAccessibleName(tr("Name of the study"));
    m_name->setMaximumWidth(420);
    m_dataset = new QComboBox;
    m_dataset->setAccessibleName(tr("Data set of the study"));
    m_dataset->setMaximumWidth(420);
    const auto label = [](const QString& text) {
        auto* made = textLabel(text);
        made->setMinimumWidth(120);
        return made;
    };
    form->addRow(label(tr("Study")), m_name);
    form->addRow(label(tr("Data set")), m_dataset);
    auto* splitRow = new QHBoxLayout;
    m_split = textLabel({});
    splitRow->addWidget(m_split);
    auto* change = new QPushButton(tr("Change on the Data page"));
    change->setProperty("kind", QStringLiteral("quiet"));
    splitRow->addWidget(change);
    splitRow->addStretch();
    form->addRow(label(tr("Split")), splitRow);
    column->addLayout(form);
    m_form = new ParameterForm;
    column->addWidget(m_form);
    column->addStretch();

    connect(change, &QPushButton::clicked, this, [this] { m_session.goTo(QStringLiteral("data")); });
    connect(m_name, &QLineEdit::textEdited, this, [this](const QString& text) {
        StudySpec study = m_session.draft().study();
        study.name = ss(text);
        m_session.draft().edit(tr("rename study"), std::move(study), editId);
    });
    connect(m_dataset, &QComboBox::activated, this, [this] {
        StudySpec study = m_session.draft().study();
        study.dataset = ss(m_dataset->currentData().toString());
        m_session.draft().edit(tr("change data set"), std::move(study));
    });
    connect(m_form, &ParameterForm::edited, this, [this] {
        const auto values = m_form->parameters();
        if (!values)
            return;
        StudySpec study = m_session.draft().study();
        fromParameters(*values, study);
        m_following = true;
        m_session.draft().edit(tr("change evaluation"), std::move(study), editId + 1);
        m_following = false;
    });
    connect(&m_session.draft(), &StudyDraft::changed, this, &StudySettings::follow);
    connect(&m_session, &Session::datasetsChanged, this, &StudySettings::follow);
    follow();
}

void StudySettings::follow() {
    const auto& study = m_session.draft().study();
    if (m_name->text() != qs(study.name))
        m_name->setText(qs(study.name));
    m_dataset->clear();
    for (const auto& row : m_session.datasets())
        m_dataset->addItem(qs(row.title.empty() ? row.name : row.title), qs(row.name));
    if (m_dataset->findData(qs(study.dataset)) < 0 && !study.dataset.empty())
        m_dataset->addItem(tr("%1 (not in this project)").arg(qs(study.dataset)), qs(study.dataset));
    m_dataset->setCurrentIndex(m_dataset->findData(qs(study.dataset)));
    QString split = QString::fromLatin1(name(study.split.method));
    if (study.split.method != SplitMethod::leaveOneOut)
        split += tr(", %1 % test, %2 % validation").arg(figures(100 * study.split.testShare), figures(100 * study.split.validationShare));
    m_split->setText(tr("%1; targets: liked under '%2'").arg(split, qs(study.split.targetModel)));
    if (!m_following)
        if (const auto shown = m_form->parameters(); !shown || shown->values().empty() || !(*shown == toParameters(study)))
            m_form->setParameters(evaluationParameters(), toParameters(study), {}, "evaluation");
}

} // namespace carousel::ui
