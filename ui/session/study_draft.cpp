// SPDX-License-Identifier: GPL-3.0-or-later
#include "session/study_draft.h"
#include "base/text.h"
#include "session/compute_setting.h"
#include "session/session.h"
#include "widgets/text.h"
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int saveAfterMs = 800;
const char* const settingKey = "ui.study";

// What a new strategy starts from: the plainest plugin of each place that is there.
std::string startPlugin(const PluginRegistry& plugins, StageKind kind) {
    static const char* const wishes[4][3] = {{"text_template", "", ""}, {"one_hot_embedding", "", ""}, {"popularity", "random", ""}, {"fixed_cascade", "", ""}};
    for (const char* wish : wishes[static_cast<std::size_t>(kind)])
        if (*wish && plugins.find(kind, wish))
            return wish;
    for (const auto& entry : plugins.all())
        if (entry.manifest.kind == kind && !entry.manifest.usesLanguageModel)
            return entry.manifest.id;
    return {};
}

// Whether a study file has this key at its top level: such keys stand before the first table.
bool says(const std::string& toml, std::string_view key) {
    for (const auto line : split(toml, '\n')) {
        const auto text = trimmed(line);
        if (startsWith(text, "["))
            return false;
        if (startsWith(text, key) && startsWith(trimmed(text.substr(key.size())), "="))
            return true;
    }
    return false;
}
} // namespace

class StudyEdit : public QUndoCommand {
public:
    StudyEdit(StudyDraft& draft, const QString& what, StudySpec after, int mergeId)
        : QUndoCommand(what), m_draft(draft), m_before(draft.m_study), m_after(std::move(after)), m_currentBefore(draft.m_current), m_merge(mergeId) {}
    void undo() override {
        m_draft.m_current = m_currentBefore;
        m_draft.apply(m_before);
    }
    void redo() override { m_draft.apply(m_after); }
    int id() const override { return m_merge == 0 ? -1 : m_merge; }
    bool mergeWith(const QUndoCommand* other) override {
        m_after = static_cast<const StudyEdit*>(other)->m_after;
        return true;
    }

private:
    StudyDraft& m_draft;
    StudySpec m_before, m_after;
    int m_currentBefore, m_merge;
};

StudyDraft::StudyDraft(Session& session) : QObject(&session), m_session(session) {
    m_saveTimer.setSingleShot(true);
    m_saveTimer.setInterval(saveAfterMs);
    connect(&m_saveTimer, &QTimer::timeout, this, &StudyDraft::save);
    connect(&session, &Session::projectChanged, this, [this] {
        m_saveTimer.stop();
        m_undo.clear();
        m_study = {};
        ComputeSetting::apply(m_study);
        m_current = -1;
        m_wantsNewest = false;
        Q_EMIT changed();
        if (!m_session.hasProject())
            return;
        m_session.jobs().run<std::string>(
            this, {tr("Reading the draft"), Lane::quick, QStringLiteral("draft")},
            [this](const RunControl&) { return m_session.workbench().store().setting(settingKey); },
            [this](JobRunner::Shared<std::string> result) {
                if (!result || !isEmpty())
                    return;
                if ((*result)->empty()) { // never edited here: start from what was run last
                    m_wantsNewest = true;
                    return takeNewest();
                }
                if (auto study = parseStudy(**result, m_session.workbench().plugins())) {
                    m_study = std::move(*study);
                    m_current = m_study.strategies.empty() ? -1 : 0;
                    Q_EMIT changed();
                } else {
                    m_session.log().add(ActivityLog::Level::warning, tr("The study draft of this project cannot be read: %1").arg(qs(study.error().message)));
                }
            });
    });
    connect(&session, &Session::runsChanged, this, &StudyDraft::takeNewest);
    connect(&session, &Session::datasetsChanged, this, [this] { // the first data set is the one a new study means
        if (m_study.dataset.empty() && !m_session.datasets().empty()) {
            m_study.dataset = m_session.datasets().front().name;
            Q_EMIT changed();
        }
    });
}

void StudyDraft::takeNewest() {
    if (!m_wantsNewest || !m_session.loaded())
        return;
    m_wantsNewest = false;
    if (!isEmpty() || m_session.runs().empty())
        return;
    if (auto study = parseStudy(m_session.runs().front().studyToml, m_session.workbench().plugins())) {
        m_study = std::move(*study);
        m_current = m_study.strategies.empty() ? -1 : 0;
        Q_EMIT changed();
    }
}

const StrategySpec* StudyDraft::strategy() const {
    return m_current >= 0 && static_cast<std::size_t>(m_current) < m_study.strategies.size() ? &m_study.strategies[static_cast<std::size_t>(m_current)] : nullptr;
}

void StudyDraft::setCurrent(int index) {
    if (index == m_current || index >= static_cast<int>(m_study.strategies.size()))
        return;
    m_current = index;
    Q_EMIT changed();
}

void StudyDraft::apply(const StudySpec& study) {
    m_study = study;
    m_current = std::clamp(m_current, m_study.strategies.empty() ? -1 : 0, static_cast<int>(m_study.strategies.size()) - 1);
    m_saveTimer.start();
    Q_EMIT changed();
}

void StudyDraft::save() {
    if (!m_session.hasProject() || m_session.readOnly())
        return;
    m_session.jobs().run(
        this, {tr("Saving the draft"), Lane::quick, QStringLiteral("draft")},
        [this, text = toToml(m_study)](const RunControl&) { return m_session.workbench().store().setSetting(settingKey, text); },
        [this](Result<void> result) {
            if (!result && result.error().kind != ErrorKind::cancelled)
                m_session.log().add(result.error());
        });
}

void StudyDraft::edit(const QString& what, StudySpec after, int mergeId) { m_undo.push(new StudyEdit(*this, what, std::move(after), mergeId)); }

void StudyDraft::replace(StudySpec study, const QString& what) {
    m_current = study.strategies.empty() ? -1 : 0;
    edit(what, std::move(study));
}

QString StudyDraft::freeName(const QString& wish) const {
    const auto taken = [&](const QString& name) {
        return std::any_of(m_study.strategies.begin(), m_study.strategies.end(), [&](const auto& s) { return qs(s.name) == name; });
    };
    QString name = wish;
    for (int i = 2; taken(name); ++i)
        name = QStringLiteral("%1 %2").arg(wish).arg(i);
    return name;
}

void StudyDraft::addStrategy() {
    const auto& plugins = m_session.workbench().plugins();
    StrategySpec fresh;
    fresh.name = ss(freeName(tr("strategy")));
    for (std::size_t i = 0; i < fresh.stages.size(); ++i)
        fresh.stages[i].plugin = startPlugin(plugins, static_cast<StageKind>(i));
    auto filled = resolved(fresh, plugins);
    if (!filled)
        return m_session.log().add(filled.error());
    StudySpec after = m_study;
    after.strategies.push_back(std::move(*filled));
    m_current = static_cast<int>(after.strategies.size()) - 1;
    edit(tr("add strategy"), std::move(after));
}

void StudyDraft::copyStrategy() {
    if (!strategy())
        return;
    StudySpec after = m_study;
    StrategySpec copy = *strategy();
    copy.name = ss(freeName(qs(copy.name) + tr(" copy")));
    after.strategies.insert(after.strategies.begin() + m_current + 1, std::move(copy));
    ++m_current;
    edit(tr("copy strategy"), std::move(after));
}

void StudyDraft::removeStrategy() {
    if (!strategy())
        return;
    StudySpec after = m_study;
    after.strategies.erase(after.strategies.begin() + m_current);
    edit(tr("remove strategy"), std::move(after));
}

Result<void> StudyDraft::renameStrategy(const QString& name) {
    if (!strategy() || qs(strategy()->name) == name)
        return {};
    for (const auto& other : m_study.strategies)
        if (qs(other.name) == name)
            return fail(ErrorKind::input, "CL-3050", "Two strategies of one study cannot both be called '" + ss(name) + "'.", "Choose another name.");
    if (name.trimmed().isEmpty())
        return fail(ErrorKind::input, "CL-3050", "A strategy needs a name.", "Type at least one character.");
    StudySpec after = m_study;
    after.strategies[static_cast<std::size_t>(m_current)].name = ss(name.trimmed());
    edit(tr("rename strategy"), std::move(after), 1 + m_current);
    return {};
}

Result<void> StudyDraft::switchTwin(StageKind kind) {
    if (!strategy())
        return {};
    CAROUSEL_ASSIGN(auto twin, withTwin(*strategy(), kind, m_session.workbench().plugins()));
    StudySpec after = m_study;
    twin.name = strategy()->name;
    after.strategies[static_cast<std::size_t>(m_current)] = std::move(twin);
    edit(tr("switch %1").arg(QString::fromLatin1(name(kind))), std::move(after));
    return {};
}

Result<void> StudyDraft::setPlugin(StageKind kind, const QString& plugin) {
    if (!strategy() || strategy()->stage(kind).plugin == ss(plugin))
        return {};
    StrategySpec changed = *strategy();
    changed.stage(kind) = {ss(plugin), {}};
    CAROUSEL_ASSIGN(auto filled, resolved(changed, m_session.workbench().plugins()));
    StudySpec after = m_study;
    after.strategies[static_cast<std::size_t>(m_current)] = std::move(filled);
    edit(tr("change %1").arg(QString::fromLatin1(name(kind))), std::move(after));
    return {};
}

Result<void> StudyDraft::setParameters(StageKind kind, const Parameters& parameters) {
    if (!strategy() || strategy()->stage(kind).parameters == parameters)
        return {};
    StrategySpec changed = *strategy();
    changed.stage(kind).parameters = parameters;
    CAROUSEL_ASSIGN(auto filled, resolved(changed, m_session.workbench().plugins()));
    StudySpec after = m_study;
    after.strategies[static_cast<std::size_t>(m_current)] = std::move(filled);
    edit(tr("change settings"), std::move(after), 1000 + m_current * 4 + static_cast<int>(kind));
    return {};
}

void StudyDraft::setEventModel(const QString& model) {
    if (!strategy() || strategy()->eventModel == ss(model))
        return;
    StudySpec after = m_study;
    after.strategies[static_cast<std::size_t>(m_current)].eventModel = ss(model);
    edit(tr("change event model"), std::move(after));
}

bool StudyDraft::canRun(QString* reason) const {
    QString why;
    if (!m_session.hasProject())
        why = tr("Open a project first.");
    else if (m_session.readOnly())
        why = tr("This project is open for reading only.");
    else if (m_study.strategies.empty())
        why = tr("Add a strategy first.");
    else if (m_study.dataset.empty())
        why = tr("Import a data set first.");
    else if (std::none_of(m_session.datasets().begin(), m_session.datasets().end(), [&](const DatasetRow& row) { return row.name == m_study.dataset; }))
        why = tr("The data set '%1' is not in this project.").arg(qs(m_study.dataset));
    else if (m_session.isRunningStudy())
        why = tr("A study is running.");
    if (reason)
        *reason = why;
    return why.isEmpty();
}

Result<void> StudyDraft::load(const std::string& toml, const QString& what) {
    CAROUSEL_ASSIGN(auto study, parseStudy(toml, m_session.workbench().plugins()));
    ComputeSetting::apply(study, !says(toml, "device"), !says(toml, "compute"));
    if (study.dataset.empty() && !m_session.datasets().empty())
        study.dataset = m_session.datasets().front().name;
    replace(std::move(study), what);
    return {};
}

} // namespace carousel::ui
