// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/pairs_panel.h"
#include "base/file.h"
#include "theme/theme.h"
#include "widgets/document_table.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QPushButton>
#include <QVBoxLayout>

namespace carousel::ui {

PairsPanel::PairsPanel(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 8, 0, 0);
    column->setSpacing(8);
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    auto* label = textLabel(tr("p values for all pairs together"), "secondary");
    head->addWidget(label);
    m_correction = new QComboBox;
    m_correction->setAccessibleName(label->text());
    for (const auto each : {PairCorrection::tukey, PairCorrection::holm, PairCorrection::benjaminiHochberg, PairCorrection::none})
        m_correction->addItem(QString::fromLatin1(title(each)), static_cast<int>(each));
    head->addWidget(m_correction);
    head->addStretch();
    m_export = new QPushButton(tr("Export pairs…"));
    m_export->setAccessibleDescription(tr("Write every pair with interval, effect size and all p values as a CSV file"));
    m_export->setEnabled(false);
    head->addWidget(m_export);
    column->addLayout(head);
    m_state = textLabel({}, "secondary", true);
    column->addWidget(m_state);
    m_tables = new QVBoxLayout;
    m_tables->setSpacing(12);
    column->addLayout(m_tables);
    column->addStretch();
    connect(m_correction, &QComboBox::currentIndexChanged, this, &PairsPanel::redraw);
    connect(m_export, &QPushButton::clicked, this, [this] {
        const QString file = QFileDialog::getSaveFileName(this, tr("Export pairs"), QStringLiteral("pairs.csv"), tr("Comma-separated values (*.csv)"));
        if (!file.isEmpty())
            exportTo(file);
    });
}

void PairsPanel::setComparison(ComparisonPtr comparison, int metric) {
    if (comparison == m_comparison && metric == m_metric)
        return;
    m_comparison = std::move(comparison);
    m_metric = metric;
    m_stale = true;
    if (isVisible())
        compute();
}

void PairsPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (m_stale)
        compute();
}

PairCorrection PairsPanel::correction() const { return static_cast<PairCorrection>(m_correction->currentData().toInt()); }
void PairsPanel::setCorrection(PairCorrection correction) { m_correction->setCurrentIndex(m_correction->findData(static_cast<int>(correction))); }

void PairsPanel::say(const QString& text) {
    m_state->setText(text);
    m_state->setVisible(!text.isEmpty());
}

void PairsPanel::compute() {
    m_stale = false;
    m_pairs.reset();
    redraw();
    if (!m_comparison || m_metric < 0)
        return;
    const auto& definition = m_comparison->definitions[static_cast<std::size_t>(m_metric)];
    m_session.jobs().cancelKey(QStringLiteral("pairs"));
    if (!definition.perUser) {
        say(tr("%1 is of the whole run and has no figure per user, so that no pair can be tested on it. Choose another metric in the table above.").arg(qs(definition.label)));
        Q_EMIT shown(false);
        return;
    }
    say(tr("Comparing all pairs…"));
    m_session.jobs().run<PairComparison>(
        this, {tr("All pairs on %1").arg(qs(definition.label)), Lane::quick, QStringLiteral("pairs")},
        [&bench = m_session.workbench(), comparison = m_comparison, metric = static_cast<std::size_t>(m_metric)](const RunControl& control) -> Result<PairComparison> {
            CAROUSEL_ASSIGN(auto pairs, comparePairs(*comparison, metric, control.slice(0, 0.5)));
            if (bench.isOpen())
                CAROUSEL_TRY(addSeedSpread(bench, *comparison, pairs, control.slice(0.5, 1)));
            return pairs;
        },
        [this](JobRunner::Shared<PairComparison> result) {
            if (result)
                m_pairs = *result;
            say(result ? QString() : QStringLiteral("▲ ") + qs(result.error().message) + QLatin1Char(' ') + qs(result.error().hint));
            redraw();
            Q_EMIT shown(result.has_value());
        });
}

void PairsPanel::redraw() {
    while (QLayoutItem* item = m_tables->takeAt(0)) {
        if (item->widget())
            item->widget()->deleteLater();
        delete item;
    }
    m_table = nullptr;
    m_export->setEnabled(m_pairs != nullptr);
    if (!m_pairs)
        return;
    m_table = new DocumentTable(pairTable(*m_comparison, *m_pairs, correction()));
    m_tables->addWidget(m_table);
    if (!m_pairs->spread.empty())
        m_tables->addWidget(new DocumentTable(spreadTable(*m_comparison, *m_pairs)));
    else if (!m_pairs->spreadNote.empty())
        m_tables->addWidget(textLabel(qs(m_pairs->spreadNote), "caption", true));
}

QString PairsPanel::toTsv() const { return m_table ? m_table->toTsv() : QString(); }

bool PairsPanel::exportTo(const QString& file) {
    if (!m_pairs)
        return false;
    if (const auto written = atomicWrite(ss(file), pairsCsv(*m_comparison, *m_pairs)); !written) {
        m_session.log().add(written.error());
        return false;
    }
    m_session.say(tr("Wrote %1").arg(file));
    return true;
}

} // namespace carousel::ui
