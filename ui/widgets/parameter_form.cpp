// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/parameter_form.h"
#include "base/text.h"
#include "theme/theme.h"
#include "widgets/check_list.h"
#include "widgets/text.h"
#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace carousel::ui {

namespace {
// A combo box in a scrolling form must not change when the wheel passes over it.
class QuietCombo : public QComboBox {
public:
    using QComboBox::QComboBox;

protected:
    void wheelEvent(QWheelEvent* event) override {
        if (hasFocus())
            QComboBox::wheelEvent(event);
        else
            event->ignore();
    }
};

QString numberText(const ParameterValue& value) { return qs(toText(value)); }

QString rangeText(const ParameterSpec& spec) {
    const bool low = spec.minimum > -1e299, high = spec.maximum < 1e299;
    const auto text = [](double value) { return QString::number(value, 'g', 10); };
    if (low && high)
        return QObject::tr("from %1 to %2").arg(text(spec.minimum), text(spec.maximum));
    if (low)
        return QObject::tr("at least %1").arg(text(spec.minimum));
    return high ? QObject::tr("at most %1").arg(text(spec.maximum)) : QString();
}

std::vector<std::string> choicesOf(const ParameterSpec& spec, const FormContext& context) {
    return spec.fromDataFields && !context.itemFields.empty() ? context.itemFields : spec.choices;
}

QComboBox* combo(const std::vector<std::pair<QString, QString>>& entries, const QString& current) {
    auto* box = new QuietCombo;
    box->setFocusPolicy(Qt::StrongFocus);
    for (const auto& [id, text] : entries)
        box->addItem(text, id);
    if (box->findData(current) < 0) // what is set stays visible, even when it is not among the choices
        box->addItem(current, current);
    box->setCurrentIndex(box->findData(current));
    return box;
}
} // namespace

ParameterForm::ParameterForm(QWidget* parent) : QWidget(parent) {
    m_layout = new QFormLayout(this);
    m_layout->setContentsMargins(0, 0, 0, 0);
    m_layout->setHorizontalSpacing(16);
    m_layout->setVerticalSpacing(10);
    m_layout->setLabelAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_layout->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
}

void ParameterForm::setParameters(const std::vector<ParameterSpec>& specs, const Parameters& values, const FormContext& context,
                                  const std::string& owner) {
    m_filling = true;
    while (m_layout->rowCount() > 0)
        m_layout->removeRow(0);
    m_rows.clear();
    m_owner = owner;
    for (const auto& spec : specs)
        addRow(spec, values.has(spec.id) ? values.values().at(spec.id) : spec.defaultValue, context);
    if (specs.empty())
        m_layout->addRow(textLabel(tr("This plugin has nothing to set."), "secondary"));
    m_filling = false;
}

void ParameterForm::addRow(const ParameterSpec& spec, const ParameterValue& value, const FormContext& context) {
    Row row;
    row.spec = spec;
    const auto choices = choicesOf(spec, context);
    const auto fromText = [spec, owner = m_owner](auto read) {
        return [spec, owner, read]() -> Result<ParameterValue> { return parseParameter(spec, ss(read()), owner); };
    };
    if (spec.kind == ParameterKind::boolean) {
        auto* box = new QCheckBox(qs(spec.label));
        box->setChecked(std::holds_alternative<bool>(value) && std::get<bool>(value));
        row.control = box;
        row.read = [box]() -> Result<ParameterValue> { return ParameterValue(box->isChecked()); };
        connect(box, &QCheckBox::toggled, this, &ParameterForm::changed);
    } else if (spec.kind == ParameterKind::integer || spec.kind == ParameterKind::number) {
        auto* edit = new QLineEdit(numberText(value));
        edit->setMaximumWidth(160);
        row.control = edit;
        row.read = fromText([edit] { return edit->text().trimmed(); });
        connect(edit, &QLineEdit::textChanged, this, &ParameterForm::changed);
    } else if (spec.kind == ParameterKind::plugin) {
        std::vector<std::pair<QString, QString>> entries;
        if (context.plugins)
            for (const auto& entry : context.plugins->all())
                if (spec.pluginKind.empty() || spec.pluginKind == name(entry.manifest.kind))
                    entries.emplace_back(qs(entry.manifest.id), qs(entry.manifest.name));
        auto* box = combo(entries, qs(toText(value)));
        row.control = box;
        row.read = fromText([box] { return box->currentData().toString(); });
        connect(box, &QComboBox::currentIndexChanged, this, &ParameterForm::changed);
    } else if (spec.id == "model" && spec.kind == ParameterKind::text && !context.models.empty()) {
        const bool chats = std::none_of(context.models.begin(), context.models.end(), [&](const auto& model) { return model.id == toText(spec.defaultValue) && !model.canChat; });
        std::vector<std::pair<QString, QString>> entries;
        for (const auto& model : context.models)
            if (model.usable && (chats ? model.canChat : model.canEmbed))
                entries.emplace_back(qs(model.id), model.text);
        const QString current = qs(toText(value));
        if (std::none_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first == current; }))
            entries.emplace_back(current, tr("%1 (not on the shelf)").arg(current));
        auto* box = combo(entries, current);
        row.control = box;
        row.read = fromText([box] { return box->currentData().toString(); });
        connect(box, &QComboBox::currentIndexChanged, this, &ParameterForm::changed);
    } else if (spec.kind == ParameterKind::choice || (spec.kind == ParameterKind::text && (!choices.empty() || spec.fromDataFields))) {
        std::vector<std::pair<QString, QString>> entries;
        if (spec.fromDataFields)
            entries.emplace_back(QString(), tr("(chosen by the plugin)"));
        for (const auto& choice : choices)
            entries.emplace_back(qs(choice), qs(choice));
        auto* box = combo(entries, qs(toText(value)));
        row.control = box;
        row.read = fromText([box] { return box->currentData().toString(); });
        connect(box, &QComboBox::currentIndexChanged, this, &ParameterForm::changed);
    } else if (spec.kind == ParameterKind::list && !choices.empty()) {
        auto* list = new CheckList;
        QStringList all, on;
        for (const auto& choice : choices)
            all << qs(choice);
        if (std::holds_alternative<std::vector<std::string>>(value))
            for (const auto& word : std::get<std::vector<std::string>>(value))
                on << qs(word);
        list->setChoices(all, on);
        row.control = list;
        row.read = [list]() -> Result<ParameterValue> {
            std::vector<std::string> words;
            for (const auto& word : list->checked())
                words.push_back(ss(word));
            return ParameterValue(words);
        };
        connect(list, &CheckList::edited, this, &ParameterForm::changed);
    } else if (spec.kind == ParameterKind::prompt) {
        auto* edit = new QPlainTextEdit(qs(toText(value)));
        edit->setFont(Theme::instance().mono());
        edit->setTabChangesFocus(true);
        edit->setMinimumHeight(110);
        edit->setMaximumHeight(170);
        row.control = edit;
        row.read = [edit]() -> Result<ParameterValue> { return ParameterValue(ss(edit->toPlainText())); };
        connect(edit, &QPlainTextEdit::textChanged, this, &ParameterForm::changed);
    } else { // text, and lists that may hold anything
        auto* edit = new QLineEdit(qs(toText(value)));
        if (spec.kind == ParameterKind::list)
            edit->setPlaceholderText(tr("words, separated by commas"));
        row.control = edit;
        row.read = fromText([edit] { return edit->text(); });
        connect(edit, &QLineEdit::textChanged, this, &ParameterForm::changed);
    }
    const QString range = rangeText(spec);
    QString help = qs(spec.help);
    row.control->setObjectName(qs(spec.id));
    row.control->setAccessibleName(qs(spec.label));
    row.control->setAccessibleDescription(help);
    row.control->setToolTip(plainToolTip(QStringLiteral("%1\n%2%3").arg(help, qs("--set … " + spec.id + "="), range.isEmpty() ? QString() : QStringLiteral("  (%1)").arg(range))));

    auto* field = new QWidget;
    auto* column = new QVBoxLayout(field);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    if (!spec.unit.empty()) {
        auto* line = new QHBoxLayout;
        line->addWidget(row.control);
        line->addWidget(textLabel(qs(spec.unit), "secondary"));
        line->addStretch();
        column->addLayout(line);
    } else {
        column->addWidget(row.control);
    }
    if (!help.isEmpty()) {
        if (!range.isEmpty() && (spec.kind == ParameterKind::integer || spec.kind == ParameterKind::number))
            help += QStringLiteral(" (%1)").arg(range);
        column->addWidget(textLabel(help, "caption", true));
    }
    row.message = textLabel({}, "bad", true);
    row.message->hide();
    column->addWidget(row.message);
    auto* label = textLabel(spec.kind == ParameterKind::boolean ? QString() : qs(spec.label));
    label->setBuddy(row.control);
    label->setContentsMargins(0, 6, 0, 0);
    label->setMinimumWidth(120);
    m_layout->addRow(label, field);
    m_rows.push_back(std::move(row));
}

void ParameterForm::changed() {
    if (m_filling)
        return;
    for (auto& row : m_rows) {
        const auto value = row.read();
        row.message->setVisible(!value);
        row.message->setText(value ? QString() : qs("▲ " + value.error().message));
        setRole(row.control, "state", value ? QString() : QStringLiteral("bad"));
    }
    Q_EMIT edited();
}

Result<Parameters> ParameterForm::parameters() const {
    Parameters out;
    for (const auto& row : m_rows) {
        CAROUSEL_ASSIGN(auto value, row.read());
        out.set(row.spec.id, std::move(value));
    }
    return out;
}

QWidget* ParameterForm::control(const std::string& id) const {
    for (const auto& row : m_rows)
        if (row.spec.id == id)
            return row.control;
    return nullptr;
}

bool ParameterForm::isValid() const { return parameters().has_value(); }

} // namespace carousel::ui
