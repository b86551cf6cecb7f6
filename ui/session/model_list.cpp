// SPDX-License-Identifier: GPL-3.0-or-later
#include "session/model_list.h"
#include "base/paths.h"
#include "llm/measure_model.h"
#include "server/endpoints.h"
#include "session/compute_setting.h"
#include "session/session.h"
#include "widgets/text.h"
#include <QFileInfo>
#include <algorithm>

namespace carousel::ui {

using Models = std::vector<ModelStatus>;

namespace {
struct Found {
    Models models;
    std::vector<std::string> servers, consenting;
};
} // namespace

ModelList::ModelList(Session& session) : QObject(&session), m_session(session) {}

const ModelStatus* ModelList::find(const std::string& id) const {
    const auto at = std::find_if(m_models.begin(), m_models.end(), [&](const ModelStatus& status) { return status.model.id == id; });
    return at == m_models.end() ? nullptr : &*at;
}

std::vector<FormModel> ModelList::formModels() const {
    std::vector<FormModel> out;
    for (const auto& status : m_models)
        out.push_back({status.model.id, qs(status.model.title.empty() ? status.model.id : status.model.title), status.model.canChat, status.model.canEmbed,
                       status.state == ModelState::ready});
    for (const auto& name : m_servers)
        out.push_back({"server:" + name, tr("%1 (server)").arg(qs(name)), true, true, true});
    return out;
}

bool ModelList::hasServer(const std::string& name) const { return std::find(m_servers.begin(), m_servers.end(), name) != m_servers.end(); }

void ModelList::readOnce() {
    if (!m_read && !m_reading)
        read();
}

void ModelList::read() {
    m_reading = true;
    m_session.jobs().run<Found>(
        this, {tr("Looking at the model shelf"), Lane::quick, QStringLiteral("models")},
        [](const RunControl&) -> Result<Found> {
            Found found{ModelShelf().status(), {}, {}};
            if (const auto servers = server::Endpoints(endpointFile()).list()) // what is wrong with that file, the servers' own tab says
                for (const auto& [name, values] : *servers) {
                    found.servers.push_back(name);
                    if (values.boolean("consent"))
                        found.consenting.push_back(name);
                }
            return found;
        },
        [this](JobRunner::Shared<Found> result) {
            m_reading = false;
            if (!result && result.error().kind == ErrorKind::cancelled)
                return; // the next page that needs it asks again
            m_read = true;
            m_error.reset();
            if (result) {
                m_servers = (*result)->servers;
                m_consenting = (*result)->consenting;
                return take((*result)->models, false);
            }
            m_error = result.error();
            Q_EMIT changed();
        });
}

void ModelList::take(Models models, bool hashed) {
    for (auto& status : models) {
        const auto wrong = m_wrongHashes.find(status.model.id);
        if (hashed && status.state == ModelState::wrongHash)
            m_wrongHashes[status.model.id] = status;
        else if (hashed && wrong != m_wrongHashes.end())
            m_wrongHashes.erase(wrong);
        else if (wrong != m_wrongHashes.end() && status.state == ModelState::ready)
            status = wrong->second;
    }
    m_models = std::move(models);
    Q_EMIT changed();
}

void ModelList::add(const QString& path, bool link) {
    const QString file = QFileInfo(path).fileName();
    m_session.jobs().run<AddedModel>(
        this, {tr("Adding %1").arg(file.isEmpty() ? path : file), Lane::task, {}},
        [request = AddRequest{ss(path), {}, link}](const RunControl& control) { return addModel(ModelShelf(), request, control); },
        [this, path](JobRunner::Shared<AddedModel> result) {
            if (!result) {
                m_session.log().add(result.error());
                if (result.error().kind != ErrorKind::cancelled)
                    Q_EMIT refused(path, result.error());
                return;
            }
            const auto& card = (*result)->status.model;
            m_session.say(tr("Added the model %1").arg(qs(card.id)));
            for (const auto& warning : (*result)->facts.warnings)
                m_session.log().add(ActivityLog::Level::warning, qs(warning));
            Q_EMIT added(qs(card.id));
            read();
        });
}

void ModelList::check(const std::vector<std::string>& ids) {
    m_session.jobs().run<Models>(
        this, {ids.size() == 1 ? tr("Checking %1").arg(qs(ids.front())) : tr("Checking models"), Lane::task, QStringLiteral("check models")},
        [ids](const RunControl& control) -> Result<Models> {
            const ModelShelf shelf;
            if (ids.empty())
                return shelf.statusWithHashes(control);
            Models found;
            for (std::size_t i = 0; i < ids.size(); ++i) {
                const auto n = static_cast<double>(ids.size());
                CAROUSEL_ASSIGN(auto status, shelf.status(ids[i], true, control.slice(static_cast<double>(i) / n, static_cast<double>(i + 1) / n)));
                found.push_back(std::move(status));
            }
            return found;
        },
        [this](JobRunner::Shared<Models> result) {
            if (!result)
                return m_session.log().add(result.error());
            Models all = m_models;
            int sound = 0, damaged = 0;
            for (const auto& status : **result) {
                sound += status.state == ModelState::ready;
                damaged += status.state != ModelState::ready && status.state != ModelState::notAdded;
                if (!status.detail.empty() && status.state != ModelState::notAdded)
                    m_session.log().add(ActivityLog::Level::warning, tr("Model %1: %2: %3").arg(qs(status.model.id), QString::fromLatin1(name(status.state)), qs(status.detail)));
                const auto at = std::find_if(all.begin(), all.end(), [&](const ModelStatus& old) { return old.model.id == status.model.id; });
                if (at != all.end())
                    *at = status;
                m_wrongHashes.erase(status.model.id);
                if (status.state == ModelState::wrongHash)
                    m_wrongHashes[status.model.id] = status;
            }
            m_session.say(damaged ? tr("Checked models: %1 sound, %2 not").arg(sound).arg(damaged) : tr("Checked models: every file has its SHA-256"));
            take(std::move(all), false);
            Q_EMIT checked(sound, damaged);
        });
}

void ModelList::measure(const std::string& id) {
    OpenOptions options;
    options.device = ss(m_session.compute().device());
    options.computeType = ss(m_session.compute().type());
    m_session.jobs().run<SpeedRecord>(
        this, {tr("Measuring %1").arg(qs(id)), Lane::task, {}},
        [id, options](const RunControl& control) { return measureModel(ModelShelf(), id, options, {}, control); },
        [this, id](JobRunner::Shared<SpeedRecord> result) {
            if (!result) {
                m_session.log().add(result.error());
                if (result.error().kind != ErrorKind::cancelled)
                    Q_EMIT measureFailed(qs(id), result.error());
                return;
            }
            read();
        });
}

void ModelList::remove(const std::vector<std::string>& ids) {
    m_session.jobs().run(
        this, {tr("Removing models"), Lane::quick, {}},
        [ids](const RunControl&) -> Result<void> {
            for (const auto& id : ids)
                CAROUSEL_TRY(removeModel(ModelShelf(), id));
            return {};
        },
        [this](Result<void> result) {
            if (!result)
                m_session.log().add(result.error());
            read();
        });
}

} // namespace carousel::ui
