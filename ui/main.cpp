// SPDX-License-Identifier: GPL-3.0-or-later
// carousel-lab [PROJECT] [--page NAME] [--tab NAME] [--screenshot FILE] [--size WxH] [--run STUDY] [--analysis ID] [--theme
// light|dark|system]
#include "base/file.h"
#include "base/parallel.h"
#include "main_window.h"
#include "pages/carousel_page.h"
#include "pages/experiments_page.h"
#include "pages/metrics_page.h"
#include "pages/models_page.h"
#include "report/pdf_writer.h"
#include "session/study_draft.h"
#include "theme/theme.h"
#include "widgets/text.h"
#include <QApplication>
#include <QBuffer>
#include <QCommandLineParser>
#include <QDateTime>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QSettings>
#include <QTimer>
#include <cstdio>
#include <unistd.h>

namespace {
using namespace carousel;
using namespace carousel::ui;

constexpr int heartbeatMs = 20;
constexpr int settledMs = 400; // nothing under way for so long: the page is finished
constexpr int screenshotLimitMs = 600000;

// A time stamp from the event loop, so that a harness can see from outside whether the window ever froze.
void startHeartbeat(QObject* parent) {
    const QString file = qEnvironmentVariable("CAROUSEL_LAB_HEARTBEAT");
    if (file.isEmpty())
        return;
    auto* timer = new QTimer(parent);
    auto* out = new QFile(file, parent);
    if (!out->open(QIODevice::WriteOnly | QIODevice::Unbuffered))
        return;
    QObject::connect(timer, &QTimer::timeout, parent, [out] {
        out->seek(0);
        out->write(QByteArray::number(QDateTime::currentMSecsSinceEpoch()).rightJustified(16) + '\n');
    });
    timer->setTimerType(Qt::PreciseTimer);
    timer->start(heartbeatMs);
}

bool savePicture(MainWindow& window, const QString& file) {
    const QPixmap picture = window.grab();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    picture.save(&buffer, "PNG");
    const auto written = atomicWrite(ss(file), {bytes.constData(), static_cast<std::size_t>(bytes.size())});
    if (!written)
        std::fprintf(stderr, "%s\n", describe(written.error()).c_str());
    return written.has_value();
}

void openAnalysis(MainWindow& window, qint64 id, int& exit) {
    for (auto* page : window.pages())
        if (auto* experiments = qobject_cast<ExperimentsPage*>(page)) {
            QObject::connect(experiments, &ExperimentsPage::opened, &window, [&exit, id](qint64 opened, bool ok) {
                if (opened == id && !ok) {
                    std::fprintf(stderr, "Analysis %lld cannot be opened; the log of the window says why.\n", static_cast<long long>(id));
                    exit = exitCode(ErrorKind::input);
                }
            });
            experiments->openAnalysis(id);
            window.showPage(experiments->id());
        }
}
// Help and version are words, and need no screen; anything else does, and Qt would abort without one.
bool hasScreenOrNeedsNone(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const QByteArray word(argv[i]);
        if (word == "-h" || word == "--help" || word == "--help-all" || word == "-v" || word == "--version") {
            qputenv("QT_QPA_PLATFORM", "offscreen");
            return true;
        }
        if (word == "-platform")
            return true;
    }
    return !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM") || !qEnvironmentVariableIsEmpty("DISPLAY") ||
           !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY");
}
} // namespace

// Qt's libraries bring OpenMP's along, which reads how idle workers are to wait when it is loaded: main is too late to say so. Workers that
// spin take the processor from whatever else runs, models slow down several times on a busy machine, so the program starts once more.
void letIdleThreadsSleep(char** argv) {
    if (qEnvironmentVariableIsSet("OMP_WAIT_POLICY"))
        return; // the user's choice, or the second start
    letIdleWorkersSleep();
    ::execv("/proc/self/exe", argv); // comes back when it fails: then slower, but no worse
}

int main(int argc, char** argv) {
    if (argc > 1 && qstrcmp(argv[1], "--write-pdf") == 0) // for carousel-lab-cli, which has no Qt; needs no screen
        return writePdfCommand(argc, argv);
    letIdleThreadsSleep(argv);
    if (!hasScreenOrNeedsNone(argc, argv)) {
        std::fprintf(
            stderr,
            "There is no screen to open a window on (DISPLAY and WAYLAND_DISPLAY are empty).\n"
            "carousel-lab-cli does the same without one; for a picture of a page, set QT_QPA_PLATFORM=offscreen and use --screenshot.\n");
        return 1;
    }
    QApplication::setHighDpiScaleFactorRoundingPolicy(Qt::HighDpiScaleFactorRoundingPolicy::PassThrough);
    QApplication app(argc, argv);
    QApplication::setApplicationName(QStringLiteral("carousel-lab"));
    QApplication::setOrganizationName(QStringLiteral("carousel-lab"));
    QApplication::setApplicationVersion(QStringLiteral(CAROUSEL_VERSION));
    QLocale::setDefault(QLocale::c());

    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Compare recommender strategies, with and without language models."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument(QStringLiteral("PROJECT"), QStringLiteral("Project file to open."), QStringLiteral("[PROJECT]"));
    const QCommandLineOption page(
        QStringLiteral("page"),
        QStringLiteral("Page to show: home, data, strategies, runs, carousel, metrics, experiments, tasks, report, models."),
        QStringLiteral("NAME"));
    const QCommandLineOption shot(QStringLiteral("screenshot"), QStringLiteral("Save the page as PNG when it is finished, then leave."),
                                  QStringLiteral("FILE"));
    const QCommandLineOption size(QStringLiteral("size"), QStringLiteral("Size of the window, for example 1400x900."),
                                  QStringLiteral("WxH"));
    const QCommandLineOption run(QStringLiteral("run"), QStringLiteral("Load this study (TOML file) and run it."), QStringLiteral("STUDY"));
    const QCommandLineOption look(QStringLiteral("theme"), QStringLiteral("light, dark or system."), QStringLiteral("LOOK"));
    const QCommandLineOption analysis(QStringLiteral("analysis"), QStringLiteral("Open this stored analysis on the experiments page."),
                                      QStringLiteral("ID"));
    const QCommandLineOption tab(
        QStringLiteral("tab"),
        QStringLiteral("Part of the carousel page to show (user, lens, rows), of the models page (shelf, servers), or of the metrics page (pairs)."),
        QStringLiteral("NAME"));
    parser.addOptions({page, tab, shot, size, run, analysis, look});
    parser.process(app);

    const QString wish =
        parser.isSet(look) ? parser.value(look) : QSettings().value(QStringLiteral("look"), QStringLiteral("light")).toString();
    auto& theme = Theme::instance();
    theme.install();
    theme.setMode(wish == QLatin1String("dark")     ? Theme::Mode::dark
                  : wish == QLatin1String("system") ? Theme::Mode::system
                                                    : Theme::Mode::light);

    MainWindow window;
    if (parser.isSet(size)) {
        const QStringList parts = parser.value(size).split(QLatin1Char('x'));
        const int width = parts.value(0).toInt(), height = parts.value(1).toInt();
        if (parts.size() != 2 || width < 200 || height < 200 || width > 16384 || height > 16384) {
            std::fprintf(stderr, "--size '%s' is not WIDTHxHEIGHT between 200 and 16384.\n", qPrintable(parser.value(size)));
            return 2;
        }
        window.setMinimumSize(1, 1); // said outright, so that no page that is out of sight asks for more
        window.resize(width, height);
    }
    const QString startPage = parser.value(page);
    if (!startPage.isEmpty() && !window.showPage(startPage)) {
        std::fprintf(stderr, "There is no page '%s'.\n", qPrintable(startPage));
        return 2;
    }
    const bool modelsTab = startPage == QLatin1String("models"), pairsTab = startPage == QLatin1String("metrics") && parser.value(tab) == QLatin1String("pairs");
    if (pairsTab)
        window.findChild<MetricsPage*>()->showPairs();
    else if (parser.isSet(tab) && !(modelsTab ? window.findChild<ModelsPage*>()->showTab(parser.value(tab))
                                         : window.findChild<CarouselPage*>()->showTab(parser.value(tab)))) {
        std::fprintf(stderr, "The %s page has no part '%s'.\n", modelsTab ? "models" : "carousel", qPrintable(parser.value(tab)));
        return 2;
    }
    const qint64 wantedAnalysis = parser.value(analysis).toLongLong();
    if (parser.isSet(analysis) && wantedAnalysis < 1) {
        std::fprintf(stderr, "--analysis '%s' is not the number of an analysis.\n", qPrintable(parser.value(analysis)));
        return 2;
    }
    window.show();
    startHeartbeat(&window);

    auto& session = window.session();
    int exit = 0;
    const QStringList files = parser.positionalArguments();
    QObject::connect(&session, &Session::openFailed, &app, [&](const Error& error) {
        std::fprintf(stderr, "%s\n", describe(error).c_str());
        exit = exitCode(error.kind);
    });
    if (!files.isEmpty()) {
        const auto then = [&session, &window, study = parser.value(run), startPage, wantedAnalysis, &exit] {
            if (wantedAnalysis > 0)
                openAnalysis(window, wantedAnalysis, exit);
            if (study.isEmpty())
                return;
            constexpr std::size_t limit = 4 << 20;
            const auto text = readFile(ss(study), limit);
            const auto loaded =
                text ? session.draft().load(*text, QObject::tr("load study")) : Result<void>(tl::unexpected<Error>(text.error()));
            if (!loaded) {
                std::fprintf(stderr, "%s\n", describe(loaded.error()).c_str());
                session.log().add(loaded.error());
                exit = exitCode(loaded.error().kind);
                return;
            }
            session.runStudy(session.draft().study());
            window.showPage(startPage.isEmpty() ? QStringLiteral("runs") : startPage);
        };
        if (QFileInfo::exists(files.first()) || parser.value(run).isEmpty())
            session.openProject(files.first(), then);
        else
            session.createProject(files.first(), QFileInfo(files.first()).completeBaseName(), then);
    }

    QElapsedTimer settledSince, started;
    started.start();
    QTimer watch;
    if (parser.isSet(shot)) {
        QObject::connect(&watch, &QTimer::timeout, &app, [&] {
            if (!window.isSettled() && started.elapsed() < screenshotLimitMs) {
                settledSince.invalidate();
                return;
            }
            if (!settledSince.isValid())
                settledSince.start();
            if (settledSince.elapsed() < settledMs && started.elapsed() < screenshotLimitMs)
                return;
            watch.stop();
            if (!savePicture(window, parser.value(shot)))
                exit = 5;
            app.exit(exit);
        });
        watch.start(50);
    }
    return QApplication::exec();
}
