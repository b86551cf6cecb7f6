// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/data_split.h"
#include "models/text_table_model.h"
#include "plots/plot_view.h"
#include "session/session.h"
#include "session/study_draft.h"
#include "widgets/tables.h"
#include "widgets/text.h"
#include <QComboBox>
#include <QFormLayout>
#include <QFrame>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSpinBox>
#include <QTableView>
#include <QVBoxLayout>

namespace carousel::ui {

namespace {
QSpinBox* spin(int low, int high, int value, const QString& suffix, const QString& name) {
    auto* box = new QSpinBox;
    box->setRange(low, high);
    box->setValue(value);
    box->setSuffix(suffix);
    box->setAccessibleName(name);
    box->setMaximumWidth(120);
    return box;
}
} // namespace

DataSplit::DataSplit(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 16, 0, 0);
    row->setSpacing(24);
    auto* left = new QVBoxLayout;
    auto* form = new QFormLayout;
    form->setVerticalSpacing(10);
    form->setHorizontalSpacing(16);
    m_method = new QComboBox;
    m_method->setAccessibleName(tr("Split method"));
    m_method->addItem(tr("Leave one out: each user's last liked item"), static_cast<int>(SplitMethod::leaveOneOut));
    m_method->addItem(tr("By time, one date for everybody"), static_cast<int>(SplitMethod::ratioByTimeGlobal));
    m_method->addItem(tr("By time, per user"), static_cast<int>(SplitMethod::ratioByTimePerUser));
    m_target = new QComboBox;
    m_target->setAccessibleName(tr("What counts as a target"));
    for (const auto& model : presetEventModels())
        m_target->addItem(qs(model.title), qs(model.id));
    m_target->setCurrentIndex(m_target->findData(QStringLiteral("combined")));
    m_test = spin(1, 50, 10, QStringLiteral(" %"), tr("Test share"));
    m_validation = spin(0, 50, 10, QStringLiteral(" %"), tr("Validation share"));
    m_history = spin(0, 1000, 1, {}, tr("Least history of a user"));
    m_seed = spin(1, 1000000, 1, {}, tr("Seed"));
    form->addRow(textLabel(tr("Method")), m_method);
    form->addRow(textLabel(tr("Targets are likes under")), m_target);
    form->addRow(textLabel(tr("Test share")), m_test);
    form->addRow(textLabel(tr("Validation share")), m_validation);
    form->addRow(textLabel(tr("Least history")), m_history);
    form->addRow(textLabel(tr("Seed for equal times")), m_seed);
    left->addLayout(form);
    auto* use = new QPushButton(tr("Use for the study"));
    use->setToolTip(tr("Puts this split into the study on the Strategies page"));
    left->addWidget(use, 0, Qt::AlignLeft);
    m_message = textLabel({}, "bad", true);
    left->addWidget(m_message);
    m_notes = textLabel({}, "secondary", true);
    left->addWidget(m_notes);
    left->addStretch();
    auto* leftBox = new QWidget;
    leftBox->setLayout(left);
    leftBox->setMaximumWidth(420);
    row->addWidget(leftBox, 1);

    auto* right = new QVBoxLayout;
    right->addWidget(textLabel(tr("Audit"), "heading"));
    auto* table = new QTableView;
    setUpTable(table, tr("Split audit"));
    m_model = new TextTableModel(this);
    table->setModel(m_model);
    table->setMinimumHeight(250);
    right->addWidget(table, 1);
    auto* card = new QFrame;
    card->setProperty("card", QStringLiteral("true"));
    auto* cardColumn = new QVBoxLayout(card);
    cardColumn->setContentsMargins(0, 0, 0, 0);
    m_plot = new PlotView;
    m_plot->setMinimumHeight(220);
    cardColumn->addWidget(m_plot);
    right->addWidget(card, 1);
    row->addLayout(right, 2);
    connect(m_model, &QAbstractItemModel::modelReset, table, [table] { fitColumns(table, 420); });

    for (auto* box : {m_method, m_target})
        connect(box, &QComboBox::currentIndexChanged, this, &DataSplit::preview);
    for (auto* box : {m_test, m_validation, m_history, m_seed})
        connect(box, &QSpinBox::valueChanged, this, &DataSplit::preview);
    connect(use, &QPushButton::clicked, this, [this] {
        StudySpec study = m_session.draft().study();
        study.split = spec();
        if (m_dataset)
            study.dataset = m_dataset->name;
        m_session.draft().edit(tr("change split"), std::move(study));
        m_session.goTo(QStringLiteral("strategies"));
    });
}

SplitSpec DataSplit::spec() const {
    SplitSpec spec;
    spec.method = static_cast<SplitMethod>(m_method->currentData().toInt());
    spec.targetModel = ss(m_target->currentData().toString());
    spec.testShare = m_test->value() / 100.0;
    spec.validationShare = m_validation->value() / 100.0;
    spec.minimumHistory = m_history->value();
    spec.seed = static_cast<std::uint64_t>(m_seed->value());
    return spec;
}

void DataSplit::showDataset(DatasetPtr dataset) {
    m_dataset = std::move(dataset);
    preview();
}

void DataSplit::preview() {
    if (!m_dataset)
        return;
    const bool ratio = m_method->currentIndex() != 0;
    m_test->setEnabled(ratio);
    m_validation->setEnabled(ratio);
    m_busy = true;
    m_message->setText({});
    m_notes->setText(tr("working it out…"));
    m_session.jobs().run<Split>(
        this, {tr("Split preview"), Lane::quick, QStringLiteral("split")},
        [dataset = m_dataset, wanted = spec()](const RunControl& control) { return makeSplit(*dataset, wanted, control); },
        [this](JobRunner::Shared<Split> result) {
            m_busy = false;
            m_notes->setText({});
            if (result)
                return display(**result);
            m_model->setTable({}, {});
            m_message->setText(qs("▲ " + describe(result.error())));
        });
}

void DataSplit::display(const Split& split) {
    const auto n = [](std::size_t value) { return count(static_cast<std::int64_t>(value)); };
    std::vector<QStringList> rows{
        {tr("training rows"), n(split.trainRows), tr("what strategies may learn from")},
        {tr("validation rows"), n(split.validationRows), tr("for choosing settings; joined to training before the test when the study says so")},
        {tr("test rows"), n(split.testRows), tr("never seen by a strategy")},
        {tr("users with a target"), n(split.usersWithTarget), tr("the users that metrics are taken over")},
        {tr("repeat targets dropped"), n(split.repeatTargetsDropped), tr("targets that the user had already seen in training")},
        {tr("ties in time"), n(split.tiedTimes), tr("rows of one user at the same second; their order comes from the seed")},
        {tr("training later than the first test row"), QStringLiteral("%1 %").arg(figures(100 * split.globalLeakShare)),
         tr("0 for one date for everybody; else trends of the future may leak into training")},
        {tr("digest"), qs(split.digest).left(16), tr("runs are compared only when this is equal")},
    };
    m_model->setTable({tr("audit"), tr("value"), tr("meaning")}, std::move(rows), {false, true, false});
    QStringList notes;
    for (const auto& note : split.notes)
        notes << qs(note);
    m_notes->setText(notes.join(QLatin1Char('\n')));
    PlotSpec plot;
    plot.id = "split";
    const double all = static_cast<double>(std::max<std::size_t>(1, split.trainRows + split.validationRows + split.testRows));
    plot.title = fmt::format("{:.3g} % of the rows train, {:.3g} % test", 100.0 * static_cast<double>(split.trainRows) / all, 100.0 * static_cast<double>(split.testRows) / all);
    plot.subtitle = fmt::format("n = {} users with a target", split.usersWithTarget);
    plot.xTitle = "part";
    plot.yTitle = "interaction rows";
    plot.yMinimum = 0;
    plot.categories = {"train", "validation", "test"};
    PlotSeries series;
    series.name = "rows";
    series.kind = PlotSeries::Kind::bars;
    series.x = {0, 1, 2};
    series.y = {static_cast<double>(split.trainRows), static_cast<double>(split.validationRows), static_cast<double>(split.testRows)};
    plot.series = {series};
    m_plot->setPlot(plot);
}

} // namespace carousel::ui
