// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/servers_panel.h"
#include "pages/server_key_row.h"
#include "session/model_list.h"
#include "session/session.h"
#include "stages/endpoint.h"
#include "theme/theme.h"
#include "widgets/parameter_form.h"
#include "widgets/text.h"
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
// What nearly every server needs to be told; the rest has defaults that fit and is folded away.
const std::vector<std::string> essential{"url", "model", "api_key_env", "api_key_store", "concurrency", "price_input", "price_output", "budget_money", "consent"};

std::vector<ParameterSpec> part(bool first) {
    std::vector<ParameterSpec> specs;
    for (const auto& spec : endpointParameters())
        if ((std::find(essential.begin(), essential.end(), spec.id) != essential.end()) == first)
            specs.push_back(spec);
    if (first)
        std::sort(specs.begin(), specs.end(), [](const auto& a, const auto& b) {
            return std::find(essential.begin(), essential.end(), a.id) < std::find(essential.begin(), essential.end(), b.id);
        });
    return specs;
}
} // namespace

ServersPanel::ServersPanel(Session& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_endpoints(session.workbench().endpoints()) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 8, 0, 0);
    row->setSpacing(16);
    auto* left = new QVBoxLayout;
    left->setSpacing(8);
    m_list = new QListWidget;
    m_list->setAccessibleName(tr("Servers"));
    m_list->setFixedWidth(220);
    left->addWidget(m_list, 1);
    auto* buttons = new QHBoxLayout;
    m_new = new QPushButton(Theme::icon(QStringLiteral("list-add")), tr("New"));
    m_new->setToolTip(tr("Describe another server"));
    m_new->setAccessibleName(tr("New server"));
    m_remove = new QPushButton(Theme::icon(QStringLiteral("edit-delete")), tr("Remove…"));
    m_remove->setToolTip(tr("Forget the selected server"));
    m_remove->setAccessibleName(tr("Remove the server"));
    buttons->addWidget(m_new);
    buttons->addWidget(m_remove);
    buttons->addStretch();
    left->addLayout(buttons);
    row->addLayout(left);
    m_right = new QStackedWidget;
    auto* nothing = new QWidget;
    auto* nothingColumn = new QVBoxLayout(nothing);
    nothingColumn->addStretch(2);
    auto* heading = textLabel(tr("No server is described yet"), "title");
    heading->setAlignment(Qt::AlignCenter);
    auto* sentence = textLabel(tr("A server that speaks the OpenAI protocol (vLLM, SGLang, llama-server, Ollama and others) can do what is too large for this machine. Nothing is sent until you agree."), "secondary", true);
    sentence->setAlignment(Qt::AlignCenter);
    nothingColumn->addWidget(heading);
    nothingColumn->addWidget(sentence);
    auto* first = new QPushButton(tr("Describe a server"));
    first->setProperty("kind", QStringLiteral("primary"));
    first->setAccessibleName(tr("Describe a server"));
    nothingColumn->addWidget(first, 0, Qt::AlignHCenter);
    nothingColumn->addStretch(3);
    m_right->addWidget(nothing);
    m_right->addWidget(makeForm());
    row->addWidget(m_right, 1);
    connect(first, &QPushButton::clicked, this, &ServersPanel::newServer);
    connect(m_new, &QPushButton::clicked, this, &ServersPanel::newServer);
    connect(m_remove, &QPushButton::clicked, this, &ServersPanel::removeCurrent);
    connect(m_list, &QListWidget::currentItemChanged, this, [this](QListWidgetItem* item) {
        if (item)
            show(item->data(Qt::UserRole).toString());
    });
    m_remove->setEnabled(false);
}

QWidget* ServersPanel::makeForm() {
    // What the form comes to, and the buttons, stay in sight below it however long it is.
    auto* whole = new QWidget;
    auto* wholeColumn = new QVBoxLayout(whole);
    wholeColumn->setContentsMargins(0, 0, 0, 0);
    wholeColumn->setSpacing(8);
    m_scroll = new QScrollArea;
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 12, 0);
    column->setSpacing(10);
    auto* nameRow = new QHBoxLayout;
    nameRow->setSpacing(16);
    auto* label = textLabel(tr("Name"));
    label->setMinimumWidth(138); // in line with the form below
    m_name = new QLineEdit;
    m_name->setAccessibleName(tr("Name of the server"));
    m_name->setPlaceholderText(tr("a to z, 0 to 9, _ and -; strategies call it server:NAME"));
    m_name->setMaximumWidth(420);
    label->setBuddy(m_name);
    nameRow->addWidget(label);
    nameRow->addWidget(m_name, 1);
    nameRow->addStretch();
    column->addLayout(nameRow);
    m_main = new ParameterForm;
    column->addWidget(m_main);
    m_key = new ServerKeyRow(m_session);
    column->addWidget(m_key);
    m_consent = textLabel({}, "secondary", true);
    column->addWidget(m_consent);
    m_moreButton = new QToolButton;
    m_moreButton->setText(tr("More settings"));
    m_moreButton->setToolTip(tr("Time limits, tries, budgets, way of scoring"));
    m_moreButton->setAccessibleName(tr("More settings"));
    m_moreButton->setCheckable(true);
    m_moreButton->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_moreButton->setIcon(Theme::icon(QStringLiteral("go-down")));
    column->addWidget(m_moreButton, 0, Qt::AlignLeft);
    m_more = new ParameterForm;
    m_more->hide();
    column->addWidget(m_more);
    auto* buttons = new QHBoxLayout;
    m_save = new QPushButton(tr("Save"));
    m_save->setProperty("kind", QStringLiteral("primary"));
    m_save->setAccessibleName(tr("Save the server"));
    m_save->setToolTip(tr("Keep this description; keys are not part of it"));
    m_test = new QPushButton(Theme::icon(QStringLiteral("network-connect")), tr("Test"));
    m_test->setAccessibleName(tr("Test the server"));
    m_test->setToolTip(tr("Ask the server what it is and can do. Two easy questions are sent, and none of your data."));
    buttons->addWidget(m_save);
    buttons->addWidget(m_test);
    buttons->addStretch();
    m_message = textLabel({}, "", true);
    m_message->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_message->hide();
    m_card = textLabel({}, "", true);
    m_card->setFont(Theme::instance().mono());
    m_card->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_card->hide();
    column->addWidget(m_card);
    column->addStretch();
    m_scroll->setWidget(canvas);
    wholeColumn->addWidget(m_scroll, 1);
    wholeColumn->addWidget(m_message);
    wholeColumn->addLayout(buttons);
    connect(m_moreButton, &QToolButton::toggled, this, [this](bool on) {
        m_more->setVisible(on);
        m_moreButton->setIcon(Theme::icon(on ? QStringLiteral("go-up") : QStringLiteral("go-down")));
    });
    connect(m_main, &ParameterForm::edited, this, &ServersPanel::followForm);
    connect(m_more, &ParameterForm::edited, this, &ServersPanel::followForm);
    connect(m_name, &QLineEdit::textChanged, this, &ServersPanel::followForm);
    connect(m_key, &ServerKeyRow::kept, this, [this](const QString& name) { read(name); });
    connect(m_test, &QPushButton::clicked, this, &ServersPanel::test);
    connect(m_save, &QPushButton::clicked, this, &ServersPanel::save);
    return whole;
}

QString ServersPanel::current() const { return m_list->currentItem() ? m_list->currentItem()->data(Qt::UserRole).toString() : QString(); }

void ServersPanel::readOnce() {
    if (!m_read)
        read();
}

void ServersPanel::read(const QString& select) {
    m_read = true;
    ++m_busy;
    m_session.jobs().run<server::EndpointMap>(
        this, {tr("Reading the servers"), Lane::quick, QStringLiteral("servers")},
        [&endpoints = m_endpoints](const RunControl&) { return endpoints.list(); },
        [this, select](JobRunner::Shared<server::EndpointMap> result) {
            --m_busy;
            if (!result) {
                m_session.log().add(result.error());
                m_right->setCurrentIndex(1);
                return tell(qs("▲ " + describe(result.error())), "bad");
            }
            m_known = **result;
            const QString wanted = select.isEmpty() ? current() : select;
            {
                const QSignalBlocker block(m_list);
                m_list->clear();
                for (const auto& [name, values] : m_known) {
                    auto* item = new QListWidgetItem(qs(name) + QLatin1Char('\n') + qs(values.text("url")), m_list);
                    item->setData(Qt::UserRole, qs(name));
                    item->setToolTip(plainToolTip(qs(values.text("url"))));
                    if (qs(name) == wanted)
                        m_list->setCurrentItem(item);
                }
                if (!m_list->currentItem() && m_list->count())
                    m_list->setCurrentRow(0);
            }
            m_right->setCurrentIndex(m_known.empty() ? 0 : 1);
            if (m_known.empty())
                m_remove->setEnabled(false);
            else
                show(current());
        });
}

void ServersPanel::show(const QString& name) {
    const auto at = m_known.find(ss(name));
    const Parameters values = at == m_known.end() ? Parameters() : at->second;
    m_right->setCurrentIndex(1);
    m_main->setParameters(part(true), values, {}, "server");
    m_more->setParameters(part(false), values, {}, "server");
    m_name->setText(name);
    m_name->setReadOnly(at != m_known.end());
    m_remove->setEnabled(at != m_known.end());
    m_key->show(name, at == m_known.end() ? nullptr : &at->second);
    m_message->hide();
    m_card->hide();
    followForm();
}

void ServersPanel::newServer() {
    m_list->setCurrentItem(nullptr);
    show({});
    m_name->setFocus();
}

Parameters ServersPanel::given() const {
    Parameters out;
    for (const auto* form : {m_main, m_more})
        if (const auto values = form->parameters())
            for (const auto& [id, value] : values->values())
                for (const auto& spec : endpointParameters())
                    if (spec.id == id && spec.defaultValue != value)
                        out.set(id, value);
    return out;
}

void ServersPanel::followForm() {
    const bool valid = m_main->isValid() && m_more->isValid();
    const auto values = given();
    const QString url = values.has("url") ? qs(values.text("url")) : QString();
    m_test->setEnabled(valid && !url.isEmpty());
    m_save->setEnabled(valid && !url.isEmpty() && !m_name->text().isEmpty());
    const QString where = url.isEmpty() ? tr("the server") : url;
    m_consent->setText(values.has("consent") && values.boolean("consent")
                           ? tr("▲ You agree: prompts with item texts and people's histories may be sent to %1 whenever a strategy names this server.").arg(where)
                           : tr("Nothing is sent to %1 but the two easy questions of a test, unless it runs on this machine: prompts with item texts and people's histories need your consent above.").arg(where));
    setRole(m_consent, "role", values.has("consent") && values.boolean("consent") ? QStringLiteral("warning") : QStringLiteral("secondary"));
}

void ServersPanel::tell(const QString& text, const char* role) {
    setRole(m_message, "role", QString::fromLatin1(role));
    m_message->setText(text);
    m_message->setVisible(!text.isEmpty());
}

void ServersPanel::test() {
    const QString name = m_name->text().isEmpty() ? tr("server") : m_name->text();
    tell(tr("Asking %1…").arg(name), "secondary");
    m_card->hide();
    m_session.jobs().run<server::ServerCard>(
        this, {tr("Testing %1").arg(name), Lane::task, QStringLiteral("test server")},
        [&endpoints = m_endpoints, values = given(), name = ss(m_name->text().isEmpty() ? QStringLiteral("server") : m_name->text())](const RunControl& control) -> Result<server::ServerCard> {
            CAROUSEL_ASSIGN(const auto checked, checkedEndpoint(name, values));
            return endpoints.test(checked, control, name);
        },
        [this](JobRunner::Shared<server::ServerCard> result) {
            if (!result) {
                m_session.log().add(result.error());
                return tell(tr("▲ %1\nWhat to do: %2 (%3)").arg(qs(result.error().message), qs(result.error().hint), qs(result.error().code)), "bad");
            }
            tell((*result)->easyPassed() ? tr("● The server answers, and gets the two easy questions right.") : tr("▲ The server answers; look at its card before relying on its scores."),
                 (*result)->easyPassed() ? "good" : "warning");
            m_card->setText(qs((*result)->text()).trimmed());
            m_card->show();
            QTimer::singleShot(0, this, [this] { m_scroll->ensureWidgetVisible(m_card, 0, 0); }); // once it has its place
        });
}

void ServersPanel::save() {
    const QString name = m_name->text();
    const bool known = m_known.count(ss(name)) != 0;
    m_session.jobs().run(
        this, {tr("Saving %1").arg(name), Lane::quick, {}},
        [&endpoints = m_endpoints, name = ss(name), values = given(), known](const RunControl&) -> Result<void> {
            return known ? endpoints.put(name, values) : endpoints.add(name, values); // a new one takes no other's place
        },
        [this, name](Result<void> result) {
            if (!result) {
                m_session.log().add(result.error());
                return tell(tr("▲ %1\nWhat to do: %2 (%3)").arg(qs(result.error().message), qs(result.error().hint), qs(result.error().code)), "bad");
            }
            m_session.say(tr("Saved the server %1").arg(name));
            m_session.models().read(); // forms offer it now
            read(name);
        });
}

void ServersPanel::removeCurrent() {
    const QString name = current();
    if (name.isEmpty())
        return;
    QMessageBox box(QMessageBox::Warning, tr("Remove server"), tr("Forget the server %1? Strategies that name it cannot run afterwards.").arg(name), QMessageBox::Cancel, this);
    box.setTextFormat(Qt::PlainText);
    QAbstractButton* remove = box.addButton(tr("Remove"), QMessageBox::DestructiveRole);
    box.exec();
    if (box.clickedButton() != remove)
        return;
    m_session.jobs().run(
        this, {tr("Removing %1").arg(name), Lane::quick, {}}, [&endpoints = m_endpoints, name = ss(name)](const RunControl&) { return endpoints.remove(name); },
        [this](Result<void> result) {
            if (!result)
                m_session.log().add(result.error());
            m_session.models().read();
            read();
        });
}

} // namespace carousel::ui
