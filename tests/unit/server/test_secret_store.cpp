// SPDX-License-Identifier: GPL-3.0-or-later
// Keys in the desktop's key store, against a real one: kept for their origin alone, used, replaced and deleted; refused with the reason where
// the store is absent or locked; and never in a file or on a screen.
#include "fault_server_process.h"
#include "secret_service_process.h"
#include "server/endpoints.h"
#include "server/secret_store.h"
#include <QDirIterator>
#include <QElapsedTimer>
#include <fmt/format.h>
#include <stop_token>

using namespace carousel;
using namespace carousel::server;

namespace {
const char* const canary = "canary-94d0c2fb71ea53d8";

std::string code(const auto& result) { return result ? std::string("none") : result.error().code; }
Origin origin(const char* url) { return parseServerUrl(url)->origin; }
} // namespace

class TestSecretStore : public QObject {
    Q_OBJECT
    SecretServiceProcess m_desktop;
    FaultServer m_server;
    QByteArray m_said; // every text that came out

    // The keyring takes its name on the bus some moments after it has started.
    bool comesUp(const std::string& state) {
        for (int i = 0; i < 200; ++i) {
            if (code(secretStoreReady({})) == state)
                return true;
            QTest::qWait(50);
        }
        qWarning("%s %s", code(secretStoreReady({})).c_str(), qPrintable(m_desktop.said()));
        return false;
    }
    std::string keep(const char* url, const std::string& key) { return code(SecretKey::forThisProcess(key, origin(url))->keepInStore({})); }
    std::string kept(const char* url) {
        const auto found = SecretKey::fromStore(origin(url), {});
        return found ? *found->header(origin(url)) : found.error().code;
    }
    int cli(const QStringList& words, const QByteArray& input = {}) {
        QProcess process;
        process.start(QStringLiteral(CAROUSEL_BINARY_DIR "/bin/carousel-lab-cli"), words);
        process.write(input);
        process.closeWriteChannel();
        if (!process.waitForFinished(60000))
            return -1;
        m_last = process.readAllStandardOutput() + process.readAllStandardError();
        m_said += m_last;
        return process.exitCode();
    }
    QByteArray m_last;

private Q_SLOTS:
    void initTestCase() {
#ifdef CAROUSEL_WITHOUT_KEY_STORE
        QCOMPARE(code(secretStoreReady({})), std::string("CL-2130"));
        QSKIP("built without libsecret");
#endif
        if (const auto reason = m_desktop.start(); !reason.isEmpty())
            QSKIP(qPrintable(reason));
    }
    void withoutAServiceItIsSaid() {
        QElapsedTimer time;
        time.start();
        const auto nobody = secretStoreReady({}); // a bus, and nobody on it
        QCOMPARE(code(nobody), std::string("CL-2130"));
        QVERIFY(nobody.error().hint.find("api_key_env") != std::string::npos);
        QCOMPARE(kept("https://models.invalid"), std::string("CL-2130"));
        QCOMPARE(keep("https://models.invalid", "sk-1"), std::string("CL-2130"));
        QCOMPARE(code(removeFromSecretStore(origin("https://models.invalid"), {})), std::string("CL-2130"));
        qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=" + m_desktop.path("nobody").toUtf8());
        const auto noBus = secretStoreReady({});
        qputenv("DBUS_SESSION_BUS_ADDRESS", m_desktop.address());
        QCOMPARE(code(noBus), std::string("CL-2130"));
        QVERIFY(time.elapsed() < 1000 * secretStoreSeconds); // refused, not waited for
    }
    void keysAreBoundToTheirOrigin() {
        QCOMPARE(m_desktop.startKeyring(true), QString());
        QVERIFY(comesUp("none"));
        QCOMPARE(kept("https://models.invalid"), std::string("CL-2132"));
        QCOMPARE(keep("https://models.invalid", "sk-one-1"), std::string("none"));
        QCOMPARE(kept("https://models.invalid/v1"), std::string("Authorization: Bearer sk-one-1"));
        for (const char* other : {"https://models.invalid:8443", "http://models.invalid:443", "https://other.invalid", "http://127.0.0.1:8000"})
            QCOMPARE(kept(other), std::string("CL-2132"));
        QCOMPARE(keep("https://other.invalid", std::string(3000, 'k')), std::string("none"));
        QCOMPARE(kept("https://other.invalid"), "Authorization: Bearer " + std::string(3000, 'k'));
        QCOMPARE(keep("https://models.invalid", "sk-two-2"), std::string("none")); // takes the place of the first
        QCOMPARE(kept("https://models.invalid"), std::string("Authorization: Bearer sk-two-2"));
        QCOMPARE(code(removeFromSecretStore(origin("https://models.invalid"), {})), std::string("none"));
        QCOMPARE(kept("https://models.invalid"), std::string("CL-2132")); // and no older one comes to light
        QCOMPARE(code(removeFromSecretStore(origin("https://models.invalid"), {})), std::string("CL-2132"));
        QCOMPARE(kept("https://other.invalid").size(), std::string("Authorization: Bearer ").size() + 3000);
    }
    void aStopIsHeard() {
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = SecretKey::fromStore(origin("https://other.invalid"), RunControl(stop.get_token()));
        QVERIFY(stopped || stopped.error().kind == ErrorKind::cancelled); // the answer may come before anyone looks
    }
    void sourcesDoNotMix() {
        Parameters given;
        given.set("url", std::string("https://models.invalid"));
        given.set("api_key_store", true);
        QCOMPARE(keySource(*checkedEndpoint("x", given)), std::string("desktop key store"));
        given.set("api_key_env", std::string("CAROUSEL_TEST_KEY"));
        QCOMPARE(code(checkedEndpoint("x", given)), std::string("CL-2102"));
        given.set("api_key_store", false);
        QCOMPARE(keySource(*checkedEndpoint("x", given)), std::string("variable CAROUSEL_TEST_KEY"));
    }
    void anEndpointTakesItsKeyFromThere() {
        QCOMPARE(m_server.start(), std::string());
        m_server.set({{"personality", "openai"}});
        const std::string file = m_desktop.path("own.toml").toStdString();
        Endpoints endpoints(file);
        Parameters given;
        given.set("url", m_server.url());
        given.set("api_key_env", std::string("CAROUSEL_TEST_KEY"));
        QVERIFY(endpoints.add("lab", given));
        QCOMPARE(code(endpoints.keepKey("lab", "two words", {})), std::string("CL-2103"));
        QCOMPARE(code(endpoints.keepKey("lab", "", {})), std::string("CL-2103"));
        QCOMPARE(code(endpoints.keepKey("other", canary, {})), std::string("CL-2115"));
        QCOMPARE(code(endpoints.keepKey("lab", canary, {})), std::string("none"));
        const auto entry = endpoints.find("lab");
        QVERIFY(entry->boolean("api_key_store") && entry->text("api_key_env").empty());
        const auto model = endpoints.model("lab");
        QVERIFY(model);
        const auto sent = [&](const std::string& key) {
            const auto keys = m_server.state()["keys"];
            return std::find(keys.begin(), keys.end(), "Bearer " + key) != keys.end();
        };
        QVERIFY(sent(canary));
        // A key of this session goes before it, for the form as it stands and for models opened from now on.
        m_server.set({{"personality", "openai"}});
        QVERIFY(endpoints.setKey("lab", "sk-session-1"));
        const auto card = endpoints.test(*entry, {}, "lab");
        QVERIFY(card);
        QCOMPARE(card->keyFrom, std::string("typed for this session"));
        QVERIFY(sent("sk-session-1") && !sent(canary));
        const auto another = endpoints.model("lab");
        QVERIFY(another && *another != *model);
        // Elsewhere it is not sent: the form's address has changed, and the key store has none for that.
        auto moved = *entry;
        moved.set("url", std::string("http://localhost:9"));
        QCOMPARE(code(endpoints.test(moved, {}, "lab")), std::string("CL-2132"));
        QCOMPARE(code(endpoints.forgetKey("lab", {})), std::string("none"));
        QVERIFY(!endpoints.find("lab")->boolean("api_key_store"));
        QCOMPARE(endpoints.test(*endpoints.find("lab"), {}, "lab")->keyFrom, std::string("none is sent"));
        QCOMPARE(kept(m_server.url().c_str()), std::string("CL-2132"));
        QCOMPARE(code(endpoints.forgetKey("lab", {})), std::string("CL-2132"));
        // A list that is kept by hand is not written over; the reader is told what to write.
        QFile byHand(QString::fromStdString(file));
        QVERIFY(byHand.open(QIODevice::WriteOnly | QIODevice::Truncate));
        byHand.write(("# mine\n[endpoints.lab]\nurl = \"" + m_server.url() + "\"\n").c_str());
        byHand.close();
        const auto left = endpoints.keepKey("lab", canary, {});
        QCOMPARE(code(left), std::string("CL-2122"));
        QVERIFY(left.error().message.find("is in the desktop's key store now") != std::string::npos);
        QVERIFY(left.error().hint.find("api_key_store = true") != std::string::npos);
        QVERIFY(removeFromSecretStore(origin(m_server.url().c_str()), {}));
    }
    void theKeyIsInNoFile() {
        if (!QFile::exists(QStringLiteral(CAROUSEL_BINARY_DIR "/bin/carousel-lab-cli")))
            QSKIP("the command line program is not built");
        const QString project = m_desktop.path("p.carousel"), url = QString::fromStdString(m_server.url());
        m_server.set({{"personality", "openai"}, {"fault", "echo_key"}, {"times", 0}});
        QCOMPARE(cli({"init", project}), 0);
        QCOMPARE(cli({"endpoint", "add", "lab", "--url", url}), 0);
        QCOMPARE(cli({"endpoint", "key", "set", "lab"}), 3); // nothing on the standard input
        QVERIFY(m_last.contains("CL-2103"));
        QCOMPARE(cli({"endpoint", "key", "set", "lab", "sk-argument-5"}, "x"), 2); // not as an argument
        QCOMPARE(cli({"endpoint", "key", "set", "lab"}, QByteArray(canary) + "\r\nmore"), 0);
        QCOMPARE(cli({"--project", project, "endpoint", "test", "lab"}), 0);
        QVERIFY2(m_last.contains("desktop key store"), m_last.constData());
        QVERIFY(m_server.state()["keys"].dump().find(std::string("Bearer ") + canary) != std::string::npos); // else the search finds nothing
        QCOMPARE(cli({"--json", "endpoint", "list"}), 0);
        QVERIFY(m_last.contains("\"keyFrom\":\"desktop key store\""));
        QCOMPARE(cli({"endpoint", "list"}), 0);
        QVERIFY(m_last.contains("desktop key store"));
        int files = 0;
        for (QDirIterator it(m_desktop.folder(), QDir::Files | QDir::Hidden, QDirIterator::Subdirectories); it.hasNext(); ++files) {
            QFile file(it.next());
            QVERIFY(file.open(QIODevice::ReadOnly));
            const auto bytes = file.readAll();
            QVERIFY2(!bytes.contains(canary) && !bytes.contains("94d0c2fb71"), qPrintable(file.fileName()));
        }
        QVERIFY(files >= 4); // list of servers, its lock, project, keyring
        QCOMPARE(cli({"endpoint", "key", "remove", "lab"}), 0);
        QCOMPARE(kept(m_server.url().c_str()), std::string("CL-2132"));
        QCOMPARE(cli({"endpoint", "key", "remove", "lab"}), 3);
        QVERIFY(m_last.contains("CL-2132"));
        QVERIFY(!m_said.contains("94d0c2fb71"));
    }
    void whatIsLockedStaysSo() {
        QCOMPARE(keep("https://models.invalid", "sk-locked-3"), std::string("none"));
        QCOMPARE(m_desktop.startKeyring(false), QString()); // the same keyring, without its password
        QVERIFY(comesUp("CL-2131"));
        QCOMPARE(kept("https://models.invalid"), std::string("CL-2131"));
        QCOMPARE(keep("https://models.invalid", "sk-4"), std::string("CL-2131"));
        QCOMPARE(code(removeFromSecretStore(origin("https://models.invalid"), {})), std::string("CL-2131"));
        QCOMPARE(m_desktop.startKeyring(true), QString());
        QVERIFY(comesUp("none"));
        QCOMPARE(kept("https://models.invalid"), std::string("Authorization: Bearer sk-locked-3"));
    }
};

QTEST_GUILESS_MAIN(TestSecretStore)
#include "test_secret_store.moc"
