// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/server_key_row.h"
#include "server/secret_key.h"
#include "server/secret_store.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
constexpr int forSession = 0, inStore = 1; // rows of the choice
}

ServerKeyRow::ServerKeyRow(Session& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_endpoints(session.workbench().endpoints()) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    auto* label = textLabel(tr("Key"));
    label->setMinimumWidth(146); // in line with the form above
    m_key = new QLineEdit;
    m_key->setEchoMode(QLineEdit::Password);
    m_key->setMaxLength(4096);
    m_key->setMaximumWidth(260);
    m_key->setAccessibleName(tr("Key of the server"));
    m_key->setPlaceholderText(tr("typed here, shown nowhere"));
    label->setBuddy(m_key);
    m_where = new QComboBox;
    m_where->setAccessibleName(tr("How long the key is kept"));
    m_where->addItem(tr("For this session only"));
    m_where->addItem(tr("Keep in the desktop key store"));
    m_set = new QPushButton(tr("Use key"));
    m_set->setAccessibleName(tr("Use the key"));
    m_set->setToolTip(tr("Give this key to the saved server; it is sent there and nowhere else"));
    m_forget = new QPushButton(tr("Remove key"));
    m_forget->setAccessibleName(tr("Remove the key"));
    m_forget->setToolTip(tr("Forget the key of this session, and delete the one in the desktop key store"));
    row->addWidget(label);
    row->addWidget(m_key, 1);
    row->addWidget(m_where);
    row->addWidget(m_set);
    row->addWidget(m_forget);
    row->addStretch();
    column->addLayout(row);
    m_says = textLabel({}, "secondary", true);
    column->addWidget(m_says);
    connect(m_key, &QLineEdit::textChanged, this, &ServerKeyRow::follow);
    connect(m_key, &QLineEdit::returnPressed, this, &ServerKeyRow::set);
    connect(m_set, &QPushButton::clicked, this, &ServerKeyRow::set);
    connect(m_forget, &QPushButton::clicked, this, &ServerKeyRow::forget);
}

void ServerKeyRow::show(const QString& name, const Parameters* saved) {
    if (name != m_name)
        m_key->clear();
    m_name = saved ? name : QString();
    m_source = saved ? server::keySource(*saved) : std::string();
    if (saved && !m_asked)
        askStore();
    if (!saved)
        tell(tr("Save the server first: a key is bound to its address."), "secondary");
    else if (m_typed.contains(name))
        tell(tr("A key was typed for this session."), "secondary");
    else
        tell(m_source.empty() ? tr("No key is sent.") : tr("The key comes from: %1.").arg(qs(m_source)), "secondary");
    follow();
}

// Once, when a saved server is first looked at: the desktop may start its key store for the question.
void ServerKeyRow::askStore() {
    m_asked = true;
    m_session.jobs().run(
        this, {tr("Looking for the desktop key store"), Lane::quick, QStringLiteral("key store")},
        [](const RunControl& control) { return server::secretStoreReady(control); },
        [this](Result<void> result) {
            if (!result && result.error().kind == ErrorKind::cancelled) {
                m_asked = false;
                return;
            }
            m_known = true;
            m_storeProblem = result ? std::optional<Error>() : std::optional<Error>(result.error());
            follow();
        });
}

void ServerKeyRow::follow() {
    auto* items = qobject_cast<QStandardItemModel*>(m_where->model());
    const bool usable = m_known && !m_storeProblem;
    items->item(inStore)->setEnabled(usable);
    const QString why = m_storeProblem ? qs(m_storeProblem->message) : m_known ? QString() : tr("Looking for the desktop key store…");
    items->item(inStore)->setToolTip(plainToolTip(why));
    m_where->setItemText(inStore, !m_storeProblem ? tr("Keep in the desktop key store")
                                  : m_storeProblem->code == "CL-2131" ? tr("Desktop key store: locked")
                                                                      : tr("Desktop key store: not there"));
    m_where->setToolTip(plainToolTip(why));
    if (!usable && m_where->currentIndex() == inStore)
        m_where->setCurrentIndex(forSession);
    const bool saved = !m_name.isEmpty();
    m_key->setEnabled(saved);
    m_where->setEnabled(saved);
    m_set->setEnabled(saved && !m_key->text().isEmpty());
    m_forget->setEnabled(saved && (m_source == "desktop key store" || m_typed.contains(m_name)));
}

void ServerKeyRow::tell(const QString& text, const char* role) {
    setRole(m_says, "role", QString::fromLatin1(role));
    const QString store = m_storeProblem && !m_name.isEmpty() ? tr("\nThe desktop key store cannot be used: %1").arg(qs(m_storeProblem->message)) : QString();
    m_says->setText(text + store);
}

void ServerKeyRow::done(const QString& name, const QString& sentence, const Result<void>& result) {
    if (!result) {
        m_session.log().add(result.error());
        if (result.error().code == "CL-2130" || result.error().code == "CL-2131") { // it has gone, or was locked meanwhile
            m_storeProblem = result.error();
            follow();
        }
        return tell(tr("▲ %1\nWhat to do: %2 (%3)").arg(qs(result.error().message), qs(result.error().hint), qs(result.error().code)), "bad");
    }
    m_session.say(sentence);
    Q_EMIT kept(name);
}

void ServerKeyRow::set() {
    if (!m_set->isEnabled())
        return;
    auto key = std::make_shared<std::string>(ss(m_key->text())); // the job and its answer share it, so that one place has to be wiped
    m_key->clear();
    const bool store = m_where->currentIndex() == inStore;
    const QString name = m_name;
    tell(store ? tr("Asking the desktop key store…") : tr("Taking the key…"), "secondary");
    m_session.jobs().run(
        this, {tr("Taking the key of %1").arg(name), Lane::quick, {}},
        [&endpoints = m_endpoints, name = ss(name), key, store](const RunControl& control) -> Result<void> {
            auto taken = store ? endpoints.keepKey(name, *key, control) : endpoints.setKey(name, *key);
            server::wipe(*key);
            return taken;
        },
        [this, name, store](Result<void> result) {
            if (result && store)
                m_typed.remove(name);
            else if (result)
                m_typed.insert(name);
            done(name, store ? tr("The key of %1 is in the desktop key store").arg(name) : tr("The key of %1 is kept for this session").arg(name), result);
        });
}

void ServerKeyRow::forget() {
    const QString name = m_name;
    tell(tr("Removing the key…"), "secondary");
    m_session.jobs().run(
        this, {tr("Removing the key of %1").arg(name), Lane::quick, {}},
        [&endpoints = m_endpoints, name = ss(name)](const RunControl& control) { return endpoints.forgetKey(name, control); },
        [this, name](Result<void> result) {
            m_typed.remove(name); // that of this session goes in every case
            done(name, tr("The key of %1 is removed").arg(name), result);
        });
}

} // namespace carousel::ui
