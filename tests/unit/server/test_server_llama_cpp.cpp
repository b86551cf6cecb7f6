// SPDX-License-Identifier: GPL-3.0-or-later
// A real server: llama-cpp-python serves the model file that this program embeds, and both score the same prompts. Skips, with the reason,
// where the package, the model or the torch module is missing. The interpreter: CAROUSEL_LLAMA_CPP_PYTHON (environment, or CMake cache).
#include "base/file.h"
#include "llm/model_host.h"
#include "server/endpoints.h"
#include "server/server_model.h"
#include <QProcess>
#include <QTest>
#include <algorithm>
#include <arpa/inet.h>
#include <cmath>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace carousel;

namespace {
constexpr const char* chatModel = "smollm2-135m-instruct";

int freePort() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

BranchRequest films() {
    BranchRequest out;
    out.shared = {
        {"system", "You judge films for one viewer."},
        {"user",
         "A viewer gave these films five stars:\n- Quiet River (1950)\n- Golden Signal (1962)\n- Frozen Harbor (1971)\nThe next film:\n"}};
    for (const char* title :
         {"Silver Orchard (1984), a drama", "Broken Engine (1999), a comedy about a ship", "Distant Letter (2003), a war film",
          "Hidden Song (1977), a musical", "Winter Station (1968), a drama", "Garden of Stone (1991), a horror film",
          "The Last Ferry (2010), a documentary", "Red Forest (1956), a western"})
        out.branches.push_back(title);
    out.tail = "\nWould the viewer like it? Answer Yes or No.";
    out.answers = {"Yes", "No"};
    return out;
}
} // namespace

class TestServerLlamaCpp : public QObject {
    Q_OBJECT
    QProcess m_server;
    std::string m_url;
    std::string m_weights;

private slots:
    void initTestCase() {
        QString python = qEnvironmentVariable("CAROUSEL_LLAMA_CPP_PYTHON");
        if (python.isEmpty())
            python = CAROUSEL_LLAMA_CPP_PYTHON;
        if (python.isEmpty())
            QSKIP("no Python with llama-cpp-python[server] is named (CAROUSEL_LLAMA_CPP_PYTHON)");
        const auto found = ModelShelf().resolve(chatModel);
        if (!found)
            QSKIP("the model smollm2-135m-instruct is not in the model folder (packaging/fetch.sh brings it)");
        m_weights = found->weights;
        QProcess look;
        look.start(python, {"-c", "import llama_cpp.server.app, uvicorn; print(llama_cpp.__version__)"});
        if (!look.waitForFinished(60000) || look.exitCode() != 0)
            QSKIP("the Python named by CAROUSEL_LLAMA_CPP_PYTHON has no llama-cpp-python[server]");
        qInfo("llama-cpp-python %s", look.readAllStandardOutput().trimmed().constData());
        const int port = freePort();
        m_url = "http://127.0.0.1:" + std::to_string(port);
        m_server.setProcessChannelMode(QProcess::MergedChannels);
        m_server.setStandardOutputFile(QProcess::nullDevice());
        m_server.start(python, {"-m", "llama_cpp.server", "--model", QString::fromStdString(m_weights), "--host", "127.0.0.1", "--port",
                                QString::number(port), "--n_ctx", "512", "--logits_all", "true", "--n_threads", "2", "--verbose", "false"});
        QVERIFY(m_server.waitForStarted(10000));
    }
    void cleanupTestCase() {
        m_server.terminate();
        if (!m_server.waitForFinished(5000))
            m_server.kill();
        m_server.waitForFinished(5000);
    }
    void scoresAgreeWithTheEmbeddedModel() {
        Parameters given;
        given.set("url", m_url);
        given.set("concurrency", std::int64_t(1));
        const auto endpoint = checkedEndpoint("local", given);
        QVERIFY(endpoint);
        Result<std::unique_ptr<server::ServerModel>> model = fail(ErrorKind::io, "CL-2107", "not asked yet", "");
        for (int i = 0; i < 240 && !model; ++i) { // it loads its model first
            QVERIFY2(m_server.state() == QProcess::Running, "the server has ended");
            model = server::ServerModel::open("local", *endpoint, server::SecretKey(), {});
            if (!model)
                QTest::qWait(250);
        }
        if (!model)
            QFAIL(describe(model.error()).c_str());
        qInfo("%s", (*model)->card().text().c_str());
        QCOMPARE(std::string(server::name((*model)->card().rung)), std::string("top"));
        QVERIFY((*model)->card().labelMass > 0.05);
        const auto remote = (*model)->scoreBranches(films(), {});
        if (!remote)
            QFAIL(describe(remote.error()).c_str());

        OpenOptions options;
        options.computeType = "fp32";
        ModelHost host(options, ModelShelf(), std::string(CAROUSEL_BINARY_DIR) + "/lib");
        const auto embedded = host.languageModel(chatModel);
        if (!embedded)
            QSKIP(describe(embedded.error()).c_str());
        const auto local = (*embedded)->scoreBranches(films(), {});
        QVERIFY(local);
        double largest = 0, largestMass = 0, tau = 0, pairs = 0;
        auto gap = [](const BranchScores& scores, std::size_t i) {
            return static_cast<double>(scores.logits.row(i)[0]) - scores.logits.row(i)[1];
        };
        const std::size_t n = films().branches.size();
        for (std::size_t i = 0; i < n; ++i) {
            QVERIFY2(!remote->missing(i), remote->reasons[i].c_str());
            QVERIFY(!remote->censored[i]);
            qInfo("%zu: server %.4f (mass %.4f), embedded %.4f (mass %.4f)", i, gap(*remote, i), static_cast<double>(remote->answerMass[i]),
                  gap(*local, i), static_cast<double>(local->answerMass[i]));
            largest = std::max(largest, std::abs(gap(*remote, i) - gap(*local, i)));
            largestMass =
                std::max(largestMass, std::abs(static_cast<double>(remote->answerMass[i]) - static_cast<double>(local->answerMass[i])));
            for (std::size_t j = 0; j < i; ++j, ++pairs)
                tau += (gap(*remote, i) - gap(*remote, j)) * (gap(*local, i) - gap(*local, j)) > 0 ? 1 : -1;
        }
        qInfo("largest difference of logit(Yes) - logit(No): %.4f; of the mass: %.4f; Kendall tau %.3f", largest, largestMass, tau / pairs);
        // llama.cpp rounds activations to 8 bits before each product with 4-bit weights; the embedded model does not.
        QVERIFY(largest < 0.25);
        QVERIFY(largestMass < 0.05);

        const auto said = (*model)->generate({{"user", "What is the capital of France?"}}, {}, {});
        if (!said)
            QFAIL(describe(said.error()).c_str());
        // What it says is its own affair: the same tokens under llama.cpp's rounding begin with another word. That it says something is
        // ours.
        QVERIFY(!said->text.empty() && said->promptTokens > 0 && said->generatedTokens > 0);
    }
};

QTEST_GUILESS_MAIN(TestServerLlamaCpp)
#include "test_server_llama_cpp.moc"
