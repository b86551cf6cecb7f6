// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/home_page.h"
#include "theme/theme.h"
#include "widgets/badge.h"
#include "widgets/carousel_sketch.h"
#include "widgets/text.h"
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStandardPaths>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace carousel::ui {

namespace {
const char* const filter = "Carousel Lab project (*.carousel *.clab *.sqlite *.db);;All files (*)";

void emptyLayout(QLayout* layout) {
    while (auto* item = layout->takeAt(0)) {
        if (item->widget()) {
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
}
} // namespace

HomePage::HomePage(Session& s)
    : Page(s, QStringLiteral("home"), QStringLiteral("go-home"), tr("Carousel Lab"),
           tr("Which recommender strategy should fill our carousel, and where in the pipeline does a language model pay for itself?")) {
    addPageAction(QStringLiteral("document-open"), tr("Open project…"), tr("Open a project file"), QKeySequence::Open, Weight::secondary, [this] { openWithDialog(); });
    addPageAction(QStringLiteral("document-new"), tr("New project…"), tr("Create an empty project"), QKeySequence::New, Weight::primary, [this] { createWithDialog(); });

    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    auto* canvas = new QWidget;
    canvas->setProperty("role", QStringLiteral("canvas"));
    auto* column = new QVBoxLayout(canvas);
    column->setContentsMargins(0, 0, 8, 0);
    column->setSpacing(8);

    auto* error = new QFrame;
    m_error = error;
    error->setProperty("card", QStringLiteral("bad"));
    auto* errorRow = new QHBoxLayout(error);
    m_errorText = textLabel({}, "bad", true);
    m_errorText->setTextInteractionFlags(Qt::TextSelectableByMouse);
    errorRow->addWidget(m_errorText, 1);
    error->hide();
    column->addWidget(error);

    m_current = new QVBoxLayout;
    column->addLayout(m_current);

    // The story in one picture.
    auto* story = new QFrame;
    story->setProperty("card", QStringLiteral("true"));
    story->setMaximumHeight(150);
    auto* storyRow = new QHBoxLayout(story);
    storyRow->setContentsMargins(20, 16, 20, 16);
    storyRow->setSpacing(24);
    auto* words = new QVBoxLayout;
    words->addWidget(textLabel(tr("A carousel shows six of hundreds"), "heading"));
    words->addWidget(textLabel(tr("The product this visitor would have bought stands at position 8, behind the fold. They do not swipe; the sale is lost. "
                                  "Carousel Lab shows what stands where, what is never seen, what moves when the strategy changes, and how sure we are."),
                               "secondary", true));
    words->addStretch();
    storyRow->addLayout(words, 2);
    storyRow->addWidget(new CarouselSketch, 3);
    column->addWidget(story);
    column->addSpacing(16);

    column->addWidget(textLabel(tr("Start with a sample"), "heading"));
    m_samples = new QGridLayout;
    m_samples->setSpacing(12);
    column->addLayout(m_samples);
    column->addSpacing(16);
    column->addWidget(textLabel(tr("Recent projects"), "heading"));
    m_recent = new QVBoxLayout;
    m_recent->setSpacing(4);
    column->addLayout(m_recent);
    column->addStretch();
    scroll->setWidget(canvas);
    setContent(scroll);

    connect(&session(), &Session::projectChanged, this, [this] {
        if (session().hasProject())
            m_error->hide();
        rebuild();
    });
    connect(&session(), &Session::runsChanged, this, &HomePage::rebuild);
    connect(&session(), &Session::openFailed, this, [this](const Error& problem) {
        m_errorText->setText(qs(describe(problem)));
        m_error->show();
    });
    rebuild();
}

QWidget* HomePage::projectCard() {
    auto* card = new QFrame;
    card->setProperty("card", QStringLiteral("true"));
    auto* row = new QHBoxLayout(card);
    row->setContentsMargins(20, 14, 20, 14);
    row->setSpacing(16);
    auto* words = new QVBoxLayout;
    words->addWidget(textLabel(tr("Open now: %1").arg(session().projectName()), "heading"));
    const auto& runs = session().runs();
    const auto complete = std::count_if(runs.begin(), runs.end(), [](const RunRow& run) { return run.state == RunState::complete; });
    const auto waiting = std::count_if(runs.begin(), runs.end(), [](const RunRow& run) { return run.state == RunState::interrupted; });
    QString text = plural(static_cast<std::int64_t>(session().datasets().size()), tr("data set"), tr("data sets")) + QStringLiteral(" · ") +
                   plural(complete, tr("complete run"), tr("complete runs"));
    if (waiting)
        text += QStringLiteral(" · ") + plural(waiting, tr("run can be resumed"), tr("runs can be resumed"));
    words->addWidget(textLabel(text, "secondary"));
    if (!session().placementVerdict().isEmpty())
        words->addWidget(textLabel(session().placementVerdict(), "", true));
    row->addLayout(words, 1);
    const auto button = [&](const QString& name, const QString& page, bool primary) {
        auto* push = new QPushButton(name);
        if (primary)
            push->setProperty("kind", QStringLiteral("primary"));
        connect(push, &QPushButton::clicked, this, [this, page] { session().goTo(page); });
        row->addWidget(push);
    };
    if (waiting)
        button(tr("Resume runs"), QStringLiteral("runs"), false);
    if (!session().placementVerdict().isEmpty())
        button(tr("Where it pays"), QStringLiteral("experiments"), false);
    if (complete) {
        button(tr("Compare metrics"), QStringLiteral("metrics"), false);
        button(tr("See the carousel"), QStringLiteral("carousel"), true);
    } else if (!session().datasets().empty()) {
        button(tr("Define strategies"), QStringLiteral("strategies"), true);
    } else {
        button(tr("Import data"), QStringLiteral("data"), true);
    }
    return card;
}

QWidget* HomePage::sampleCard(const Sample& sample) {
    auto* card = new QFrame;
    card->setProperty("card", QStringLiteral("true"));
    card->setMaximumHeight(172);
    auto* column = new QVBoxLayout(card);
    column->setContentsMargins(16, 14, 16, 14);
    column->setSpacing(8);
    auto* head = new QHBoxLayout;
    head->addWidget(textLabel(sample.title, "heading"), 1);
    const bool exists = QFileInfo::exists(Session::sampleProject(sample));
    if (exists)
        head->addWidget(new Badge(tr("project ready"), Badge::Tone::good, tr("The project with this sample is there: %1").arg(Session::sampleProject(sample))));
    else if (!sample.available)
        head->addWidget(new Badge(tr("files missing"), Badge::Tone::warning,
                                  tr("Expected in %1. The script packaging/run.sh fetches it.").arg(sample.source)));
    column->addLayout(head);
    auto* summary = textLabel(sample.summary, "secondary", true);
    summary->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    column->addWidget(summary, 1);
    auto* open = new QPushButton(exists ? tr("Open") : tr("Import and open"));
    open->setAccessibleName(tr("%1 %2").arg(open->text(), sample.title));
    open->setEnabled(exists || sample.available);
    connect(open, &QPushButton::clicked, this, [this, sample] { session().openSample(sample); });
    column->addWidget(open, 0, Qt::AlignLeft);
    return card;
}

void HomePage::rebuild() {
    emptyLayout(m_current);
    emptyLayout(m_samples);
    emptyLayout(m_recent);
    if (session().hasProject()) {
        m_current->addWidget(projectCard());
        m_current->addSpacing(8);
    }
    int place = 0;
    for (const auto& sample : Session::samples()) {
        m_samples->addWidget(sampleCard(sample), 0, place);
        m_samples->setColumnStretch(place++, 1);
    }
    const QStringList recent = Session::recentProjects();
    if (recent.isEmpty())
        m_recent->addWidget(textLabel(tr("None yet. A project is one file that holds data, strategies and results."), "secondary"));
    for (const auto& file : recent) {
        auto* button = new QPushButton(Theme::icon(QStringLiteral("document-open-recent")), QFileInfo(file).completeBaseName() + QStringLiteral("   —   ") +
                                                                                                QDir::toNativeSeparators(QFileInfo(file).absolutePath()));
        button->setProperty("kind", QStringLiteral("quiet"));
        button->setStyleSheet(QStringLiteral("text-align:left"));
        button->setToolTip(plainToolTip(file));
        connect(button, &QPushButton::clicked, this, [this, file] { session().openProject(file); });
        m_recent->addWidget(button, 0, Qt::AlignLeft);
    }
}

void HomePage::openWithDialog() {
    const QString file = QFileDialog::getOpenFileName(this, tr("Open project"), QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation), QString::fromLatin1(filter));
    if (!file.isEmpty())
        session().openProject(file);
}

void HomePage::createWithDialog() {
    QString file = QFileDialog::getSaveFileName(this, tr("New project"), QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation) + tr("/project.carousel"),
                                                QString::fromLatin1(filter));
    if (file.isEmpty())
        return;
    if (QFileInfo(file).suffix().isEmpty())
        file += QStringLiteral(".carousel");
    session().createProject(file, QFileInfo(file).completeBaseName(), [this] { session().goTo(QStringLiteral("data")); });
}

} // namespace carousel::ui
