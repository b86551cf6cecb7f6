// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/experiments/analysis_setup.h"
#include "pages/experiments/strategy_choice.h"
#include "session/study_draft.h"
#include "theme/theme.h"
#include "widgets/parameter_form.h"
#include "widgets/text.h"
#include <QButtonGroup>
#include <QComboBox>
#include <QFormLayout>
#include <QLabel>
#include <QRadioButton>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int indent = 22; // of the words under a radio button
constexpr std::size_t mostPolicies = 12;

// Labels above their controls: the column is narrow.
ParameterForm* narrowForm() {
    auto* form = new ParameterForm;
    if (auto* layout = qobject_cast<QFormLayout*>(form->layout()))
        layout->setRowWrapPolicy(QFormLayout::WrapAllRows);
    return form;
}

ParameterSpec seedOption() {
    return {"seed", QObject::tr("Seed").toStdString(), ParameterKind::integer, std::int64_t{1}, QObject::tr("Same seed, same log, same numbers.").toStdString(),
            0, 9e15, {}, {}, {}, false};
}
} // namespace

AnalysisSetup::AnalysisSetup(Session& session) : m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 8, 8);
    column->setSpacing(8);
    auto* title = textLabel(tr("Data set"), "heading");
    m_dataset = new QComboBox;
    m_dataset->setAccessibleName(tr("Data set with the log"));
    m_dataset->setToolTip(tr("The data set whose impression log is analysed"));
    m_dataset->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_dataset->setMinimumContentsLength(12);
    title->setBuddy(m_dataset);
    column->addWidget(title);
    column->addWidget(m_dataset);
    m_datasetNote = textLabel({}, "caption", true);
    column->addWidget(m_datasetNote);
    column->addSpacing(4);
    column->addWidget(textLabel(tr("Analysis"), "heading"));
    column->addWidget(makeKinds());
    m_strategies = new StrategyChoice(session);
    column->addWidget(m_strategies);
    column->addWidget(makeOptions());
    column->addStretch(1);

    connect(m_dataset, &QComboBox::currentIndexChanged, this, [this] {
        if (m_filling)
            return;
        loadBadges();
        m_strategies->refresh(ss(dataset()));
        Q_EMIT changed();
    });
    connect(m_strategies, &StrategyChoice::edited, this, &AnalysisSetup::changed);
    connect(&session.draft(), &StudyDraft::changed, this, [this] { m_strategies->refresh(ss(dataset())); });
    connect(&session, &Session::projectChanged, this, [this] {
        m_loaded.clear();
        m_badges.clear();
    });
    setKind(AnalysisKind::clicks);
}

QWidget* AnalysisSetup::makeKinds() {
    auto* holder = new QWidget;
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    auto* group = new QButtonGroup(this);
    for (const auto kind : logAnalyses()) {
        auto* button = new QRadioButton(analysisTitle(kind));
        button->setAccessibleName(analysisTitle(kind));
        button->setAccessibleDescription(analysisQuestion(kind));
        group->addButton(button);
        auto* words = textLabel(analysisQuestion(kind), "caption", true);
        words->setContentsMargins(indent, 0, 0, 6);
        column->addWidget(button);
        column->addWidget(words);
        m_choices.push_back({kind, button, words});
        connect(button, &QRadioButton::toggled, this, [this, kind](bool on) {
            if (on && !m_filling)
                setKind(kind);
        });
    }
    return holder;
}

QWidget* AnalysisSetup::makeOptions() {
    auto* holder = new QWidget;
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 4, 0, 0);
    column->setSpacing(8);
    column->addWidget(textLabel(tr("Options"), "heading"));
    m_common = narrowForm();
    column->addWidget(m_common);
    m_moreButton = new QToolButton;
    m_moreButton->setText(tr("More options"));
    m_moreButton->setAccessibleName(tr("More options"));
    m_moreButton->setToolTip(tr("Options that rarely need to change"));
    m_moreButton->setCheckable(true);
    m_moreButton->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_moreButton->setArrowType(Qt::RightArrow);
    column->addWidget(m_moreButton, 0, Qt::AlignLeft);
    m_more = narrowForm();
    m_more->hide();
    column->addWidget(m_more);
    connect(m_moreButton, &QToolButton::toggled, this, [this](bool on) {
        m_moreButton->setArrowType(on ? Qt::DownArrow : Qt::RightArrow);
        m_more->setVisible(on);
    });
    for (auto* form : {m_common, m_more})
        connect(form, &ParameterForm::edited, this, [this] {
            if (const auto now = spec()) {
                m_kept[m_kind] = now->options;
                m_kept[m_kind].set("seed", static_cast<std::int64_t>(now->seed));
            }
            Q_EMIT changed();
        });
    return holder;
}

QString AnalysisSetup::dataset() const { return m_dataset->currentData().toString(); }

void AnalysisSetup::setDataset(const QString& name) {
    if (const int row = m_dataset->findData(name); row >= 0)
        m_dataset->setCurrentIndex(row);
}

void AnalysisSetup::refresh() {
    const QString before = dataset();
    m_filling = true;
    m_dataset->clear();
    int wanted = -1; // the one chosen before, else the first with a log, else the first
    bool wantedHasLog = false;
    QStringList listed;
    for (const auto& row : m_session.datasets())
        listed << qs(row.name);
    for (const auto& row : m_session.datasets()) {
        const QString name = qs(row.name);
        m_dataset->addItem(row.impressions > 0 ? name : tr("%1 — no impression log").arg(name), name);
        const int at = m_dataset->count() - 1;
        m_dataset->setItemData(at, plainToolTip(row.impressions > 0 ? plural(row.impressions, tr("impression"), tr("impressions"))
                                                                    : tr("No items shown with their positions: only ratings can be analysed.")),
                               Qt::ToolTipRole);
        if (name == before || wanted < 0 || (!listed.contains(before) && row.impressions > 0 && !wantedHasLog)) {
            wanted = at;
            wantedHasLog = row.impressions > 0;
        }
    }
    m_dataset->setCurrentIndex(wanted);
    m_filling = false;
    loadBadges();
    m_strategies->refresh(ss(dataset()));
    Q_EMIT changed();
}

// What the log can support is read off the log itself.
void AnalysisSetup::loadBadges() {
    const QString name = dataset();
    if (name == m_loaded && !m_failed)
        return followAbility();
    m_loaded = name;
    m_badges.clear();
    m_policies.clear();
    m_userFields.clear();
    m_failed = false;
    if (name.isEmpty() || !m_session.hasProject())
        return followAbility();
    m_loading = true;
    followAbility();
    m_session.requestDataset(name, this, [this, name](Result<DatasetPtr> loaded) {
        if (name != m_loaded)
            return;
        m_loading = false;
        if (!loaded) {
            m_failed = true;
            m_error = loaded.error();
            m_session.log().add(m_error);
        } else {
            const Dataset& set = **loaded;
            m_badges = badges(set);
            if (set.impressions.policy.size() <= mostPolicies)
                m_policies = set.impressions.policy;
            for (const auto& field : set.users.attributes)
                if (!field.isNumeric())
                    m_userFields.push_back(field.name());
        }
        fillForms();
        followAbility();
        Q_EMIT changed();
    });
}

void AnalysisSetup::followAbility() {
    m_datasetNote->setText(m_loading ? tr("Reading the log…") : m_failed ? qs("▲ " + m_error.code + " " + m_error.message) : QString());
    QStringList has;
    for (const auto& badge : m_badges)
        if (badge.available && (badge.id == "positions" || badge.id == "propensities" || badge.id == "swipes"))
            has << qs(badge.note);
    if (!has.isEmpty())
        m_datasetNote->setText(has.join(QStringLiteral(" · ")));
    m_datasetNote->setVisible(!m_datasetNote->text().isEmpty());
    const bool known = !m_badges.empty();
    for (const auto& choice : m_choices) {
        const auto ability = known ? analysisAbility(choice.kind, m_badges) : AnalysisAbility{};
        const bool can = known && ability.refusal.isEmpty();
        choice.button->setEnabled(can || !known);
        choice.words->setText(!known || can ? analysisQuestion(choice.kind) : tr("▲ Not with this data set: %1").arg(ability.refusal));
        QString tip = analysisHelp(choice.kind);
        if (!ability.refusal.isEmpty())
            tip.prepend(tr("Not with this data set: %1.\n\n").arg(ability.refusal));
        else if (!ability.note.isEmpty())
            tip += tr("\n\nMissing in this data set: %1.").arg(ability.note);
        choice.button->setToolTip(plainToolTip(tip));
        choice.button->setAccessibleDescription(choice.words->text());
    }
    // What this data set cannot have gives way to the first thing that it can.
    const auto chosen = std::find_if(m_choices.begin(), m_choices.end(), [this](const auto& choice) { return choice.kind == m_kind; });
    const auto possible = std::find_if(m_choices.begin(), m_choices.end(), [](const auto& choice) { return choice.button->isEnabled(); });
    if (known && chosen != m_choices.end() && !chosen->button->isEnabled() && possible != m_choices.end())
        setKind(possible->kind);
}

void AnalysisSetup::setKind(AnalysisKind kind) {
    m_kind = kind;
    m_filling = true;
    for (const auto& choice : m_choices)
        choice.button->setChecked(choice.kind == kind);
    m_filling = false;
    m_strategies->setVisible(takesStrategies(kind));
    fillForms();
    Q_EMIT changed();
}

void AnalysisSetup::fillForms() {
    const auto common = commonOptions(m_kind);
    std::vector<ParameterSpec> first, rest;
    for (ParameterSpec option : analysisParameters(m_kind)) {
        if (option.id == "policies" && m_policies.size() > 1)
            option.choices = m_policies;
        if (option.id == "segment" && !m_userFields.empty()) {
            option.choices = m_userFields;
            option.choices.insert(option.choices.begin(), std::string());
        }
        const bool shown = std::find(common.begin(), common.end(), option.id) != common.end();
        (shown ? first : rest).push_back(std::move(option));
    }
    rest.push_back(seedOption());
    const Parameters& kept = m_kept[m_kind];
    const std::string owner = name(m_kind);
    m_common->setParameters(first, kept, {}, owner);
    m_more->setParameters(rest, kept, {}, owner);
    if (auto* segment = qobject_cast<QComboBox*>(m_more->control("segment")); segment && segment->count() > 0 && segment->itemData(0).toString().isEmpty())
        segment->setItemText(0, tr("(none)"));
    for (auto* form : {m_common, m_more}) // a tick carries its own words: no empty line above it
        for (auto* label : form->findChildren<QLabel*>(QString(), Qt::FindDirectChildrenOnly))
            label->setVisible(!label->text().isEmpty());
}

bool AnalysisSetup::canCarryAny() const {
    const auto& kinds = logAnalyses();
    return !m_badges.empty() && std::any_of(kinds.begin(), kinds.end(), [this](AnalysisKind kind) { return analysisAbility(kind, m_badges).refusal.isEmpty(); });
}

bool AnalysisSetup::canRun(QString* reason) const {
    const auto no = [&](const QString& why) {
        if (reason)
            *reason = why;
        return false;
    };
    if (dataset().isEmpty())
        return no(tr("No data set of this project has an impression log."));
    if (m_loading)
        return no(tr("The log is being read."));
    if (m_failed)
        return no(qs(m_error.message));
    if (const auto ability = analysisAbility(m_kind, m_badges); !ability.refusal.isEmpty())
        return no(tr("Not with this log: %1.").arg(ability.refusal));
    if (const auto made = spec(); !made)
        return no(qs(made.error().message));
    return true;
}

Result<AnalysisSpec> AnalysisSetup::spec() const {
    AnalysisSpec spec = defaultAnalysis(m_kind);
    spec.dataset = ss(dataset());
    spec.device = m_session.draft().study().device;
    spec.compute = m_session.draft().study().compute;
    for (const auto* form : {m_common, m_more}) {
        CAROUSEL_ASSIGN(const auto set, form->parameters());
        for (const auto& [id, value] : set.values())
            spec.options.set(id, value);
    }
    if (spec.options.has("seed")) {
        spec.seed = static_cast<std::uint64_t>(spec.options.integer("seed"));
        spec.options.erase("seed");
    }
    if (takesStrategies(m_kind))
        spec.strategies = m_strategies->chosen();
    return resolved(spec, m_session.workbench().plugins());
}

} // namespace carousel::ui
