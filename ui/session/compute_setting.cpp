// SPDX-License-Identifier: GPL-3.0-or-later
#include "session/compute_setting.h"
#include "llm/model_host.h"
#include "session/session.h"
#include "session/study_draft.h"
#include "stages/compute_choice.h"
#include "widgets/text.h"
#include <QSettings>
#include <QThread>

namespace carousel::ui {

namespace {
constexpr int editId = 900100; // choosing back and forth is one undo step

template <std::size_t N> QString kept(const char* key, const std::array<ComputeChoice, N>& choices, const char* builtIn) {
    const QString value = QSettings().value(QString::fromLatin1(key)).toString();
    return offers(choices, ss(value)) ? value : QString::fromLatin1(builtIn);
}
QString keptDevice() { return kept("compute/device", deviceChoices, "cpu"); }
QString keptType() { return kept("compute/type", computeTypeChoices, "auto"); }

struct Abilities {
    std::optional<Error> cardProblem;
    ModelHost::Place processor;
};
} // namespace

ComputeSetting::ComputeSetting(Session& session) : QObject(&session), m_session(session) {
    connect(&session.draft(), &StudyDraft::changed, this, &ComputeSetting::changed);
    connect(&session, &Session::projectChanged, this, &ComputeSetting::changed);
}

bool ComputeSetting::hasStudy() const { return m_session.hasProject(); }
QString ComputeSetting::device() const { return hasStudy() ? qs(m_session.draft().study().device) : keptDevice(); }
QString ComputeSetting::type() const { return hasStudy() ? qs(m_session.draft().study().compute) : keptType(); }
void ComputeSetting::setDevice(const QString& device) { set(device, type()); }
void ComputeSetting::setType(const QString& type) { set(device(), type); }

void ComputeSetting::apply(StudySpec& study, bool device, bool type) {
    if (device)
        study.device = ss(keptDevice());
    if (type)
        study.compute = ss(keptType());
}

void ComputeSetting::set(const QString& device, const QString& type) {
    if (!offers(deviceChoices, ss(device)) || !offers(computeTypeChoices, ss(type)))
        return;
    QSettings settings;
    settings.setValue(QStringLiteral("compute/device"), device);
    settings.setValue(QStringLiteral("compute/type"), type);
    if (!hasStudy()) {
        Q_EMIT changed();
        return;
    }
    StudySpec study = m_session.draft().study();
    if (study.device == ss(device) && study.compute == ss(type))
        return;
    study.device = ss(device);
    study.compute = ss(type);
    m_session.draft().edit(tr("change where models compute"), std::move(study), editId);
}

QString ComputeSetting::text() const {
    const QString where = device() == QLatin1String("cpu") ? tr("CPU") : device() == QLatin1String("cuda") ? tr("CUDA") : tr("auto device");
    QString text = where + QStringLiteral(" · ") + type();
    if (device() != QLatin1String("cuda"))
        text += QStringLiteral(" · ") + plural(QThread::idealThreadCount(), tr("thread"), tr("threads"));
    return text;
}

void ComputeSetting::ask() {
    if (m_known || m_asking)
        return;
    m_asking = true;
    m_session.jobs().run<Abilities>(
        this, {tr("Looking for a graphics card"), Lane::quick, QStringLiteral("abilities")},
        [](const RunControl&) -> Result<Abilities> {
            Abilities found;
            OpenOptions options;
            CAROUSEL_ASSIGN(found.processor, ModelHost(options).place());
            options.device = "cuda";
            if (const auto card = ModelHost(options).place(); !card)
                found.cardProblem = card.error();
            return found;
        },
        [this](JobRunner::Shared<Abilities> result) {
            m_asking = false;
            if (!result && result.error().kind == ErrorKind::cancelled)
                return;
            m_known = true;
            if (result) {
                m_cardProblem = (*result)->cardProblem;
                const auto& place = (*result)->processor;
                m_automatic = {place.computeType, place.fourBits, place.eightBits};
                m_automaticWords = tr("decoders come to %1 on this processor").arg(qs(place.computeType));
                if (place.fourBits != place.computeType)
                    m_automaticWords += tr(", with weights of 4 bits to %1").arg(qs(place.fourBits));
                if (!place.speeds.empty())
                    m_automaticWords += QStringLiteral(" (%1)").arg(qs(place.speeds));
            } else {
                m_cardProblem = result.error();
            }
            Q_EMIT known();
        });
}

} // namespace carousel::ui
