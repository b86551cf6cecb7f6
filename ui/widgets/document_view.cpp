// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/document_view.h"
#include "plots/plot_view.h"
#include "theme/theme.h"
#include "widgets/document_table.h"
#include "widgets/flow_layout.h"
#include "widgets/origin_window.h"
#include "widgets/text.h"
#include <QFrame>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QResizeEvent>
#include <QScrollArea>
#include <QScrollBar>
#include <QTabBar>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
constexpr int twoAbreast = 820, plotHeight = 320, legendRow = 16, heatRow = 26, heatRest = 150, readingWidth = 900, longestTab = 190;

QLabel* readable(const QString& text, const char* role = "") {
    auto* label = textLabel(text, role, true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setMinimumWidth(0);
    return label;
}

QFrame* card(const char* kind, QLayout* layout) {
    auto* frame = new QFrame;
    frame->setProperty("card", QString::fromLatin1(kind));
    frame->setLayout(layout);
    return frame;
}

// Plots side by side while each has room to be read, else below each other; those side by side are equally high.
class PlotGrid : public QWidget {
public:
    PlotGrid() : m_grid(new QGridLayout(this)) {
        m_grid->setContentsMargins(0, 0, 0, 0);
        m_grid->setSpacing(12);
    }
    void add(QWidget* plot, int height) {
        m_plots << plot;
        m_heights << height;
        m_columns = 0;
        arrange(width());
    }

protected:
    void resizeEvent(QResizeEvent* event) override {
        QWidget::resizeEvent(event);
        arrange(event->size().width());
    }

private:
    void arrange(int width) {
        const int columns = width >= twoAbreast && m_plots.size() > 1 ? 2 : 1;
        if (columns == m_columns)
            return;
        m_columns = columns;
        for (auto* plot : m_plots)
            m_grid->removeWidget(plot);
        const auto n = static_cast<int>(m_plots.size());
        for (int i = 0; i < n; ++i) {
            const bool alone = columns == 2 && i == n - 1 && n % 2 == 1;
            m_grid->addWidget(m_plots[i], i / columns, i % columns, 1, alone ? 2 : 1);
            const int other = columns == 1 || alone ? i : i ^ 1;
            m_plots[i]->setFixedHeight(std::max(m_heights[i], m_heights[other]));
        }
        m_grid->setColumnStretch(0, 1);
        m_grid->setColumnStretch(1, columns == 2 ? 1 : 0);
    }
    QGridLayout* m_grid;
    QList<QWidget*> m_plots;
    QList<int> m_heights;
    int m_columns = 0;
};

Badge::Tone toneOf(Light light) {
    switch (light) {
    case Light::green: return Badge::Tone::good;
    case Light::amber: return Badge::Tone::warning;
    case Light::red: return Badge::Tone::bad;
    case Light::none: break;
    }
    return Badge::Tone::neutral;
}
} // namespace

Badge* lightBadge(Light light, const QString& reason) {
    return light == Light::none ? nullptr : new Badge(QString::fromLatin1(name(light)), toneOf(light), reason);
}

QString lightWords(const QString& word) {
    for (const auto& [light, shape] : {std::pair{Light::green, "●"}, std::pair{Light::amber, "▲"}, std::pair{Light::red, "■"}})
        if (word == QLatin1String(name(light)))
            return QString::fromUtf8(shape) + QLatin1Char(' ') + word;
    return word;
}

DocumentView::DocumentView(QWidget* parent) : QWidget(parent) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_tabs = new QTabBar;
    m_tabs->setAccessibleName(tr("Contents of the document"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->setUsesScrollButtons(true);
    m_tabs->addTab(tr("Verdict")); // assistive tools call a bar by its current tab: it is never without one
    m_tabs->hide();
    m_tabs->setElideMode(Qt::ElideNone); // all at once would cut the short names too
    column->addWidget(m_tabs);
    m_scroll = new QScrollArea;
    m_scroll->setWidgetResizable(true);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setFocusPolicy(Qt::StrongFocus); // arrows and page keys scroll
    m_scroll->setAccessibleName(tr("Document"));
    column->addWidget(m_scroll, 1);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int part) {
        if (!m_following)
            showPart(part);
    });
    connect(m_tabs, &QTabBar::tabBarClicked, this, &DocumentView::showPart);
    connect(m_scroll->verticalScrollBar(), &QScrollBar::valueChanged, this, &DocumentView::followScrolling);
}

void DocumentView::setDocument(const AnalysisDocument& document) {
    m_document = document;
    clear();
    m_following = true;
    addVerdict();
    addFindings();
    for (const auto& section : m_document.report.sections)
        addSection(section);
    m_column->addStretch(1);
    m_scroll->setWidget(m_page);
    m_page->show();
    m_tabs->setCurrentIndex(0);
    m_tabs->setVisible(m_tabs->count() > 1);
    m_tabs->updateGeometry(); // a hidden bar does not tell of new tabs by itself
    m_scroll->verticalScrollBar()->setValue(0);
    m_following = false;
}

void DocumentView::updateDocument(const AnalysisDocument& document) {
    const int at = m_scroll->verticalScrollBar()->value();
    setDocument(document);
    if (at == 0)
        return;
    m_column->activate();
    m_scroll->verticalScrollBar()->setValue(at);
    QTimer::singleShot(0, this, [this, at] { m_scroll->verticalScrollBar()->setValue(at); }); // once the new page has its height
}

void DocumentView::clear() {
    m_following = true;
    delete m_scroll->takeWidget();
    while (m_tabs->count() > 0)
        m_tabs->removeTab(0);
    m_parts.clear();
    m_titles.clear();
    m_page = new QWidget;
    m_page->setProperty("role", QStringLiteral("canvas"));
    m_column = new QVBoxLayout(m_page);
    m_column->setContentsMargins(0, 0, 8, 8);
    m_column->setSpacing(10);
    m_following = false;
}

void DocumentView::beginPart(const QString& title, QWidget* first) {
    m_parts.push_back(first);
    const QString shown = QFontMetrics(Theme::instance().body()).elidedText(title, Qt::ElideRight, longestTab);
    const int tab = m_tabs->addTab(QString(shown).replace(QLatin1Char('&'), QLatin1String("&&")));
    m_tabs->setTabToolTip(tab, plainToolTip(title));
    m_titles << title;
}

void DocumentView::addVerdict() {
    const ReportModel& report = m_document.report;
    auto* words = new QVBoxLayout;
    words->setContentsMargins(16, 12, 16, 12);
    words->setSpacing(6);
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    auto* title = readable(qs(report.title), "secondary");
    head->addWidget(title, 1);
    if (auto* badge = lightBadge(report.light, tr("The worst of what was checked and decides")))
        head->addWidget(badge, 0, Qt::AlignTop);
    words->addLayout(head);
    for (std::size_t i = 0; i < report.lead.size(); ++i)
        words->addWidget(readable(qs(report.lead[i]), i == 0 ? "title" : ""));
    if (!report.subtitle.empty())
        words->addWidget(readable(qs(report.subtitle), "caption"));
    auto* box = card("true", words);
    m_column->addWidget(box);
    beginPart(tr("Verdict"), box);

    if (!report.facts.empty()) {
        auto* facts = new QWidget;
        auto* flow = new FlowLayout(facts, 8, 8);
        for (const auto& [what, value] : report.facts) {
            auto* fact = new QVBoxLayout;
            fact->setContentsMargins(12, 6, 12, 6);
            fact->setSpacing(0);
            auto* figure = textLabel(qs(value), "heading");
            figure->setTextInteractionFlags(Qt::TextSelectableByMouse);
            fact->addWidget(figure);
            fact->addWidget(textLabel(qs(what), "caption"));
            flow->addWidget(card("true", fact));
        }
        m_column->addWidget(facts);
    }
    if (!report.warnings.empty()) {
        auto* list = new QVBoxLayout;
        list->setContentsMargins(12, 8, 12, 8);
        list->setSpacing(4);
        for (const auto& warning : report.warnings)
            list->addWidget(readable(QStringLiteral("▲ ") + qs(warning), "warning"));
        m_column->addWidget(card("warning", list));
    }
}

void DocumentView::addFindings() {
    const auto& findings = m_document.report.findings;
    if (findings.empty())
        return;
    auto* heading = textLabel(tr("What was checked"), "title");
    m_column->addSpacing(8);
    m_column->addWidget(heading);
    beginPart(tr("Checks"), heading);
    auto* grid = new QGridLayout;
    grid->setContentsMargins(16, 12, 16, 12);
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(10);
    grid->setColumnStretch(1, 1);
    int row = 0;
    for (const auto& finding : findings) {
        if (auto* badge = lightBadge(finding.light))
            grid->addWidget(badge, row, 0, Qt::AlignTop | Qt::AlignLeft);
        auto* words = new QVBoxLayout;
        words->setSpacing(1);
        words->addWidget(readable(qs(finding.title), "heading"));
        if (!finding.text.empty())
            words->addWidget(readable(qs(finding.text)));
        grid->addLayout(words, row++, 1);
    }
    m_column->addWidget(card("true", grid));
}

void DocumentView::addSection(const ReportSection& section) {
    auto* heading = textLabel(qs(section.title), "title", true);
    m_column->addSpacing(8);
    m_column->addWidget(heading);
    beginPart(qs(section.title), heading);
    for (const auto& paragraph : section.paragraphs) {
        auto* words = readable(qs(paragraph));
        words->setMaximumWidth(readingWidth); // longer lines are hard to follow
        m_column->addWidget(words);
    }
    if (!section.plots.empty()) {
        auto* grid = new PlotGrid;
        for (const auto& plot : section.plots) {
            auto* view = new PlotView;
            view->setObjectName(QStringLiteral("plot-") + qs(plot.id));
            view->setPlot(plot);
            auto* inside = new QVBoxLayout;
            inside->setContentsMargins(0, 0, 0, 0);
            inside->addWidget(view);
            auto* frame = card("true", inside);
            const int legend = legendRow * std::max(0, (static_cast<int>(plot.series.size()) + 1) / 2 - 2); // many names take room of their own
            grid->add(frame, plot.heat.empty() ? plotHeight + legend : std::clamp(heatRest + heatRow * static_cast<int>(plot.heat.rows.size()), plotHeight - 60, 720));
            connect(view, &PlotView::exported, this, &DocumentView::exported);
            connect(view, &PlotView::exportFailed, this, &DocumentView::exportFailed);
        }
        m_column->addWidget(grid);
    }
    for (const auto& table : section.tables) {
        m_column->addSpacing(4);
        auto* shown = new DocumentTable(table);
        connect(shown, &DocumentTable::originWanted, this, [this, shown](int row, int column) {
            if (!m_origin)
                m_origin = new OriginWindow(this);
            m_origin->showOrigin(originOf(m_document, shown->table(), static_cast<std::size_t>(row), static_cast<std::size_t>(column)));
        });
        m_column->addWidget(shown);
    }
    if (!section.definitions.empty()) {
        auto* grid = new QGridLayout;
        grid->setContentsMargins(16, 12, 16, 12);
        grid->setHorizontalSpacing(16);
        grid->setVerticalSpacing(8);
        grid->setColumnStretch(1, 1);
        int row = 0;
        for (const auto& definition : section.definitions) {
            auto* term = readable(qs(definition.term), "heading");
            term->setFixedWidth(170);
            term->setAlignment(Qt::AlignTop | Qt::AlignLeft);
            grid->addWidget(term, row, 0);
            auto* words = new QVBoxLayout;
            words->setSpacing(1);
            words->addWidget(readable(qs(definition.meaning)));
            if (!definition.source.empty())
                words->addWidget(readable(tr("Source: %1").arg(qs(definition.source)), "caption"));
            grid->addLayout(words, row++, 1);
        }
        m_column->addWidget(card("true", grid));
    }
}

void DocumentView::showPart(int part) {
    if (part < 0 || static_cast<std::size_t>(part) >= m_parts.size())
        return;
    m_following = true;
    m_scroll->verticalScrollBar()->setValue(part == 0 ? 0 : m_parts[static_cast<std::size_t>(part)]->y() - 2);
    m_tabs->setCurrentIndex(part);
    m_following = false;
}

void DocumentView::followScrolling() {
    if (m_following || m_parts.empty())
        return;
    const auto* bar = m_scroll->verticalScrollBar();
    std::size_t current = 0;
    for (std::size_t i = 0; i < m_parts.size(); ++i)
        if (m_parts[i]->y() <= bar->value() + 40)
            current = i;
    if (bar->value() == bar->maximum() && bar->maximum() > 0)
        current = m_parts.size() - 1;
    m_following = true;
    m_tabs->setCurrentIndex(static_cast<int>(current));
    m_following = false;
}

QList<PlotView*> DocumentView::plots() const { return m_page ? m_page->findChildren<PlotView*>() : QList<PlotView*>(); }

} // namespace carousel::ui
