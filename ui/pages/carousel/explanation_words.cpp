// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/carousel/explanation_words.h"
#include "session/model_list.h"
#include "session/session.h"
#include "theme/theme.h"
#include "widgets/parameter_form.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QDialog>
#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <QTextEdit>
#include <QToolButton>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
constexpr int plainWriter = 0, modelWriter = 1, textHeight = 168;

qsizetype characters(const std::string& text, std::size_t bytes) { // UTF-16 units before a byte, as the text edit counts
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(std::min(bytes, text.size()))).size();
}
} // namespace

ExplanationWords::ExplanationWords(Session& session, Source source) : m_session(session), m_source(std::move(source)) {
    if (!m_source)
        m_source = [explainer = std::make_shared<GroundedExplainer>(session.workbench())](std::int64_t run, Code user, Code item, const Parameters& options, const RunControl& control) {
            return explainer->explain(run, user, item, options, control);
        };
    setAccessibleName(tr("Explanation in sentences"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 4, 8, 8);
    column->setSpacing(4);
    column->addWidget(textLabel(tr("In sentences"), "heading"));
    m_writer = new QComboBox;
    m_writer->setObjectName(QStringLiteral("explanation-writer"));
    m_writer->addItems({tr("Made from the facts"), tr("Language model")});
    m_writer->setAccessibleName(tr("Who writes the explanation"));
    m_writer->setToolTip(tr("Sentences of ours say nothing that is not in the data; a language model may"));
    column->addWidget(m_writer);
    auto* buttons = new QHBoxLayout;
    m_write = new QPushButton;
    m_write->setObjectName(QStringLiteral("explanation-write"));
    buttons->addWidget(m_write, 1);
    m_edit = new QToolButton;
    m_edit->setText(tr("Prompt…"));
    m_edit->setToolTip(tr("Model, prompt, number of last choices, longest answer"));
    buttons->addWidget(m_edit);
    column->addLayout(buttons);
    m_text = new QTextEdit;
    m_text->setObjectName(QStringLiteral("explanation-text"));
    m_text->setReadOnly(true);
    m_text->setAcceptRichText(false);
    m_text->setMinimumHeight(textHeight);
    m_text->setAccessibleName(tr("Explanation"));
    column->addWidget(m_text, 1);
    m_count = textLabel({}, "secondary", true);
    m_count->setObjectName(QStringLiteral("explanation-count"));
    column->addWidget(m_count);
    connect(m_writer, &QComboBox::currentIndexChanged, this, &ExplanationWords::chooseWriter);
    connect(m_write, &QPushButton::clicked, this, [this] { isBusy() ? stop() : write(); });
    connect(m_edit, &QToolButton::clicked, this, &ExplanationWords::editSettings);
    clear({});
    showButtons();
}

Parameters ExplanationWords::options() const {
    Parameters out = m_settings;
    out.set("writer", std::string(m_writer->currentIndex() == modelWriter ? "model" : "plain"));
    return out;
}

void ExplanationWords::show(std::int64_t run, Code user, Code item) {
    if (run == m_run && user == m_user && item == m_item)
        return;
    stop();
    m_run = run, m_user = user, m_item = item;
    setVisible(run != 0);
    chooseWriter();
}

void ExplanationWords::chooseWriter() {
    stop();
    clear(m_writer->currentIndex() == modelWriter ? tr("The model is asked when you say so; it takes seconds.") : QString());
    showButtons();
    if (m_run != 0 && m_writer->currentIndex() == plainWriter)
        write();
}

void ExplanationWords::showButtons() {
    const bool model = m_writer->currentIndex() == modelWriter;
    m_write->setVisible(model);
    m_edit->setVisible(model);
    m_write->setText(isBusy() ? tr("Stop") : tr("Write"));
    m_edit->setEnabled(!isBusy());
}

void ExplanationWords::write() {
    if (m_run == 0)
        return;
    stop();
    const bool model = m_writer->currentIndex() == modelWriter;
    const int asked = ++m_asked;
    m_job = m_session.jobs().run<GroundedExplanation>(
        this, {tr("Explaining in sentences"), model ? Lane::task : Lane::quick, QStringLiteral("carousel-words")},
        [source = m_source, run = m_run, user = m_user, item = m_item, options = options()](const RunControl& control) { return source(run, user, item, options, control); },
        [this, asked](JobRunner::Shared<GroundedExplanation> result) {
            if (asked != m_asked)
                return;
            m_job = 0;
            showButtons();
            if (result)
                present(**result);
            else
                clear(qs(describe(result.error())));
        });
    if (model)
        clear(tr("The model writes …"));
    showButtons();
}

void ExplanationWords::stop() {
    if (m_job == 0)
        return;
    const auto job = m_job;
    m_job = 0;
    ++m_asked; // its answer is dropped
    m_session.jobs().cancel(job);
    clear(tr("Stopped."));
    showButtons();
}

void ExplanationWords::clear(const QString& note) {
    m_unsupported = -1;
    m_text->clear();
    m_text->setExtraSelections({});
    setRole(m_count, "role", QStringLiteral("secondary"));
    m_count->setText(note);
}

void ExplanationWords::present(const GroundedExplanation& told) {
    m_unsupported = told.checked.unsupported();
    m_text->setPlainText(qs(told.text));
    QTextCursor cursor(m_text->document());
    const auto& colours = Theme::instance().colours();
    for (const auto& statement : told.checked.statements)
        for (const auto& span : statement.spans) {
            if (span.status < StatementStatus::unsupported)
                continue;
            QTextCharFormat format;
            format.setUnderlineStyle(QTextCharFormat::WaveUnderline);
            format.setUnderlineColor(span.status == StatementStatus::contradicted ? colours.bad : colours.warning);
            format.setForeground(span.status == StatementStatus::contradicted ? colours.bad : colours.warning);
            format.setToolTip(plainToolTip(tr("%1: %2").arg(qs(name(span.status)), qs(span.reason))));
            cursor.setPosition(static_cast<int>(characters(told.text, span.begin)));
            cursor.setPosition(static_cast<int>(characters(told.text, span.end)), QTextCursor::KeepAnchor);
            cursor.mergeCharFormat(format);
        }
    const auto all = static_cast<int>(told.checked.statements.size());
    QString line = m_unsupported == 0 ? tr("● All %1 statements are free of claims that the data do not back.").arg(all)
                                      : tr("▲ %1 of %2 statements are not supported; the reason is at what is underlined.").arg(m_unsupported).arg(all);
    if (told.writer == "model")
        line += tr(" %1, %2 tokens, %3 s.").arg(qs(told.model), count(told.generatedTokens), figures(told.seconds));
    if (told.cut)
        line += tr(" Cut at its longest length.");
    setRole(m_count, "role", m_unsupported == 0 ? QStringLiteral("good") : QStringLiteral("warning"));
    m_count->setText(line);
}

void ExplanationWords::editSettings() {
    auto specs = explanationParameters();
    std::erase_if(specs, [](const ParameterSpec& spec) { return spec.id == "writer"; });
    QDialog dialog(this);
    dialog.setWindowTitle(tr("How the model is asked"));
    auto* column = new QVBoxLayout(&dialog);
    auto* form = new ParameterForm;
    FormContext context;
    context.models = m_session.models().formModels();
    form->setParameters(specs, m_settings, context, "explanation");
    column->addWidget(form, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, &dialog, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    connect(form, &ParameterForm::edited, buttons, [form, buttons] { buttons->button(QDialogButtonBox::Ok)->setEnabled(form->isValid()); });
    dialog.resize(640, 520);
    if (dialog.exec() != QDialog::Accepted)
        return;
    if (const auto chosen = form->parameters()) {
        m_settings = *chosen;
        clear(tr("The model is asked when you say so; it takes seconds."));
    }
}

} // namespace carousel::ui
