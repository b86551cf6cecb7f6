// SPDX-License-Identifier: GPL-3.0-or-later
// The parts that need no server: addresses, keys, when to try again, strict reading, descriptions of endpoints.
#include "base/file.h"
#include "base/text.h"
#include "server/endpoints.h"
#include "server/server_client.h"
#include "server/vectors.h"
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <arpa/inet.h>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <netinet/in.h>
#include <thread>
#include <type_traits>
#include <unistd.h>

using namespace carousel;
using namespace carousel::server;
using nlohmann::json;

namespace {
std::string codeOf(const std::string& url) {
    const auto parsed = parseServerUrl(url);
    return parsed ? parsed->to("/v1/models") : parsed.error().code;
}
template <class T> std::string problem(const Read<T>& read) {
    return read ? "" : read.error();
}
} // namespace

// No accident turns a key into text.
static_assert(!std::is_convertible_v<SecretKey, std::string> && !std::is_copy_constructible_v<SecretKey> &&
              !fmt::is_formattable<SecretKey>::value);

class TestServerParts : public QObject {
    Q_OBJECT

private slots:
    void addresses() {
        QCOMPARE(codeOf("http://127.0.0.1:8000"), std::string("http://127.0.0.1:8000/v1/models"));
        QCOMPARE(codeOf("http://127.0.0.1:8000/v1/"), std::string("http://127.0.0.1:8000/v1/models"));
        QCOMPARE(codeOf("HTTPS://Host.Example/prefix/v1"), std::string("https://host.example:443/prefix/v1/models"));
        QCOMPARE(codeOf("http://[::1]:11434"), std::string("http://[::1]:11434/v1/models"));
        for (const char* bad : {"ftp://host/", "file:///etc/passwd", "http://", "127.0.0.1 8000", "http://user:secret@host/",
                                "http://host/?key=1", "http://host/#x", "http://169.254.169.254/latest", "http://[fe80::1]:80/",
                                "http://[::ffff:169.254.1.1]/", "gopher://127.0.0.1:70/", ""}) {
            const auto parsed = parseServerUrl(bad);
            QVERIFY2(!parsed, bad);
            QCOMPARE(parsed.error().code, std::string("CL-2101"));
            QVERIFY(parsed.error().message.find("secret") == std::string::npos);
        }
        for (const char* here : {"http://localhost:1", "http://127.8.9.1:1", "http://[::1]:1"})
            QVERIFY(parseServerUrl(here)->origin.isLoopback());
        for (const char* elsewhere : {"http://127.0.0.1.example:1", "http://10.0.0.1:1", "http://localhost.example:1", "http://[::2]:1"})
            QVERIFY(!parseServerUrl(elsewhere)->origin.isLoopback());
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_addr.s_addr = htonl(0xa9fea9fe);
        QVERIFY(isLinkLocal(reinterpret_cast<sockaddr*>(&four)) && !server::isLoopback(reinterpret_cast<sockaddr*>(&four)));
    }
    void keys() {
        const Origin here = parseServerUrl("http://127.0.0.1:8000")->origin, far = parseServerUrl("http://10.0.0.1:8000")->origin,
                     safe = parseServerUrl("https://api.example")->origin;
        ::setenv("CAROUSEL_TEST_KEY", "sk-abcdef123456", 1);
        const auto key = *SecretKey::fromEnvironment("CAROUSEL_TEST_KEY", here);
        QCOMPARE(*key.header(here), std::string("Authorization: Bearer sk-abcdef123456"));
        for (const char* other : {"http://127.0.0.1:8001", "http://localhost:8000", "https://127.0.0.1:8000"})
            QCOMPARE(key.header(parseServerUrl(other)->origin).error().code, std::string("CL-2104"));
        QCOMPARE(SecretKey::forThisProcess("k123456", far)->header(far).error().code, std::string("CL-2104")); // unencrypted
        QVERIFY(SecretKey::forThisProcess("k123456", safe)->header(safe));
        QCOMPARE(key.removedFrom("a sk-abcdef123456 b sk-abcdef123456"), std::string("a [key] b [key]"));
        QVERIFY(SecretKey().header(far) && SecretKey().header(far)->empty());
        ::unsetenv("CAROUSEL_TEST_NO_KEY");
        QCOMPARE(SecretKey::fromEnvironment("CAROUSEL_TEST_NO_KEY", here).error().code, std::string("CL-2103"));
        for (const char* bad : {"two words", "line\r\nX-Evil: 1", "tab\there"})
            QCOMPARE(SecretKey::forThisProcess(bad, here).error().code, std::string("CL-2103"));
        auto moved = key.another();
        const SecretKey taken = std::move(moved);
        QVERIFY(taken.isSet() && *taken.header(here) == *key.header(here));
    }
    void statusesAndPauses() {
        for (const long status : {408, 409, 425, 429, 500, 502, 503, 504})
            QVERIFY(meaningOf(status) == StatusMeaning::tryAgain);
        for (const long status : {400, 413, 422})
            QVERIFY(meaningOf(status) == StatusMeaning::thisItemFails);
        for (const long status : {301, 302, 303, 307, 308, 401, 403, 404, 501, 100, 0})
            QVERIFY(meaningOf(status) == StatusMeaning::everyItemFails);
        RandomStream random(1, "test");
        double most = 0, sum = 0;
        for (int i = 0; i < 2000; ++i) {
            const double wait = backoffSeconds(2, 0.5, 20, random);
            QVERIFY(wait >= 0 && wait < 2);
            most = std::max(most, wait);
            sum += wait;
        }
        QVERIFY(most > 1.9 && std::abs(sum / 2000 - 1) < 0.05); // uniform below 0.5 * 2^2
        QVERIFY(backoffSeconds(60, 0.5, 20, random) <= 20);
        QCOMPARE(*retryAfterSeconds("7", 0), 7.0);
        QCOMPARE(*retryAfterSeconds("Thu, 01 Jan 1970 00:01:40 GMT", 40), 60.0);
        QCOMPARE(*retryAfterSeconds("Thu, 01 Jan 1970 00:01:40 GMT", 400), 0.0);
        for (const char* rubbish : {"", "soon", "-5", "nan"})
            QVERIFY(!retryAfterSeconds(rubbish, 0));
    }
    void breakerRestsThenPauses() {
        using State = CircuitBreaker::State;
        CircuitBreaker breaker(30, 1000);
        for (int i = 0; i < 4; ++i)
            breaker.failed(i);
        QVERIFY(breaker.state(4) == State::closed);
        breaker.failed(4);
        QVERIFY(breaker.state(5) == State::resting && breaker.state(33.9) == State::resting);
        QVERIFY(breaker.state(34.1) == State::trial);
        breaker.sent(34.1);
        QVERIFY(breaker.state(34.2) == State::resting); // one trial alone
        breaker.failed(35);
        QVERIFY(breaker.state(64) == State::resting && breaker.state(65.1) == State::trial);
        breaker.sent(65.1);
        breaker.failed(66);
        QVERIFY(breaker.state(67) == State::paused); // the third rest
        QVERIFY(breaker.state(97) == State::trial);  // much later a run may try once
        breaker.sent(97);
        breaker.succeeded(98);
        QVERIFY(breaker.state(98) == State::closed);
        CircuitBreaker half(30, 1000);
        for (int i = 0; i < 20; ++i)
            i % 2 ? half.failed(i) : half.succeeded(i);
        QVERIFY(half.state(20) == State::resting); // ten of the last twenty
        CircuitBreaker hanging(30, 100);
        hanging.failed(0);
        hanging.failed(60);
        hanging.failed(101);
        QVERIFY(hanging.state(102) == State::paused); // nothing but failures for longer than its patience
        CircuitBreaker twice(30, 100);
        twice.failed(0);
        twice.failed(5000); // what failed long ago does not count
        QVERIFY(twice.state(5001) == State::closed);
    }
    void ratesBudgetsAndConcurrency() {
        TokenBucket bucket(60);
        double now = 0;
        int sent = 0;
        for (; now < 120; now += 0.05)
            if (bucket.waitSeconds(now) <= 0) {
                bucket.take(now);
                ++sent;
            }
        QVERIFY(sent >= 120 && sent <= 127); // one a second and a burst of six
        TokenBucket free(0);
        QCOMPARE(free.waitSeconds(0), 0.0);
        Usage used;
        used.calls = 9;
        QVERIFY(!(Budget{10, 0, 0}).exhausted(used, 0));
        QVERIFY((Budget{10, 0, 0}).exhausted(used, 1)); // what is under way counts
        used.promptTokens = 90;
        used.answerTokens = 10;
        QVERIFY((Budget{0, 100, 0}).exhausted(used, 0) && !(Budget{0, 101, 0}).exhausted(used, 0) && !Budget{}.exhausted(used, 0));
        Concurrency concurrency(8);
        QCOMPARE(concurrency.now(), std::size_t(8));
        concurrency.overloaded();
        concurrency.overloaded();
        QCOMPARE(concurrency.now(), std::size_t(2));
        for (int i = 0; i < 5; ++i)
            concurrency.succeeded();
        QCOMPARE(concurrency.now(), std::size_t(3));
        for (int i = 0; i < 100; ++i)
            concurrency.succeeded();
        QCOMPARE(concurrency.now(), std::size_t(8));
    }
    void strictReading() {
        QVERIFY(strictJson(R"({"a": [1, 2.5, "x"]})"));
        for (const char* bad : {"", "{", "0.", "NaN", "{\"a\": NaN}", "{\"a\": 1e999}", "{\"a\": 1, \"a\": 2}",
                                "{\"a\": {\"b\": 1, \"b\": 2}}", "{} {}", "{\"a\": \"\xff\"}", "[1,]", "{'a': 1}"})
            QVERIFY2(!strictJson(bad), bad);
        QVERIFY(strictJson(R"([{"a": 1}, {"a": 2}])")); // the same key in two objects
        QVERIFY(!strictJson(std::string(100, '[') + std::string(100, ']')));
        QVERIFY(!strictJson(std::string(200000, '[')));
        QCOMPARE(messageOf(R"({"error": {"message": "too long", "code": 400}})"), std::string("too long"));
        QCOMPARE(messageOf(R"({"object": "error", "message": "too long"})"), std::string("too long"));
        QCOMPARE(messageOf(R"({"error": "too long", "error_type": "validation"})"), std::string("too long"));
        QCOMPARE(messageOf(R"({"detail": "too long"})"), std::string("too long"));
        QVERIFY(messageOf("<html>\x01").find('\x01') == std::string::npos);
    }
    void logProbabilities() {
        QCOMPARE(*logProbabilityIn(json(-0.5)), -0.5);
        QCOMPARE(*logProbabilityIn(json(0)), 0.0);
        QCOMPARE(*logProbabilityIn(json(1e-7)), 0.0); // rounding
        for (const json& bad : {json(0.1), json("−0.5"), json("0."), json(nullptr), json(true), json(std::nan(""))})
            QVERIFY(!logProbabilityIn(bad));
        QVERIFY(std::abs(logSumExp({1000, 1000}) - 1000.6931471805599) < 1e-9);
        const json chat = json::parse(R"({"logprobs": {"content": [{"token": "Yes", "logprob": -0.2, "top_logprobs": [
            {"token": "Yes", "logprob": -0.2}, {"token": "No", "logprob": -2.0}, {"token": "Maybe", "logprob": -4}]}]}})");
        const json legacy = json::parse(R"({"logprobs": {"tokens": ["Yes"], "top_logprobs": [{"Yes": -0.2, "No": -2.0, "Maybe": -4}]}})");
        const std::vector<Label> labels{{{"Yes"}, {}}, {{"No"}, {}}};
        for (const json& choice : {chat, legacy}) {
            const auto read = labelsIn(*firstTokenOf(choice), labels);
            QVERIFY(read.problem.empty() && !read.censored);
            QCOMPARE(read.logProbability[0], -0.2);
            QCOMPARE(read.logProbability[1], -2.0);
            QVERIFY(std::abs(read.mass - std::exp(-0.2) - std::exp(-2.0)) < 1e-12);
            QCOMPARE(read.best, std::string("Yes"));
        }
        const auto bound = labelsIn(*firstTokenOf(chat), {{{"Yes"}, {}}, {{"Never"}, {}}});
        QVERIFY(bound.censored && bound.problem.empty());
        QCOMPARE(bound.logProbability[1], -4.0); // no more probable than the least that is told
        const auto none = labelsIn(*firstTokenOf(chat), {{{"A"}, {}}, {{"B"}, {}}});
        QVERIFY(none.problem.find("Yes") != std::string::npos);
        const auto forms = labelsIn(*firstTokenOf(chat), {{{"Yes", "Maybe"}, {}}, {{"No"}, {}}});
        QVERIFY(std::abs(forms.logProbability[0] - logSumExp({-0.2, -4})) < 1e-12);
        const auto ids = firstTokenOf(json::parse(R"({"logprobs": {"top_logprobs": [{"token_id:9454": -0.5, "token_id:2753": -1.5}]}})"));
        QCOMPARE(labelsIn(*ids, {{{"?"}, 2753}, {{"!"}, 9454}}).logProbability[0], -1.5);
        QVERIFY(!problem(firstTokenOf(json::parse(R"({"logprobs": null})"))).empty());
        QVERIFY(!problem(firstTokenOf(json::parse(R"({"logprobs": {"top_logprobs": [{"a": -0.05, "b": -0.05}]}})"))).empty()); // sum 1.9
        QVERIFY(!labelsFromProbabilities({0.6, 1.2}).problem.empty() && !labelsFromProbabilities({0.6, -0.1}).problem.empty());
        QVERIFY(!labelsFromProbabilities({0, 0}).problem.empty());
        const auto tiny = labelsFromProbabilities({0.9, 0});
        QVERIFY(tiny.censored && tiny.problem.empty() && tiny.logProbability[1] < -80 && std::isfinite(tiny.logProbability[1]));
    }
    void choicesAndVectors() {
        auto reply = [](const char* list) { return json::parse(fmt::format(R"({{"choices": {}}})", list)); };
        QVERIFY(choicesOf(reply(R"([{"index": 1, "finish_reason": "stop"}, {"index": 0, "finish_reason": "length"}])"), 2));
        for (const char* bad : {"[]", R"([{"index": 0, "finish_reason": "stop"}])",
                                R"([{"index": 0, "finish_reason": "stop"}, {"index": 0, "finish_reason": "stop"}])",
                                R"([{"index": 0, "finish_reason": "stop"}, {"index": 2, "finish_reason": "stop"}])",
                                R"([{"index": 0, "finish_reason": "stop"}, {"index": 1}])",
                                R"([{"index": 0, "finish_reason": "stop"}, {"index": 1, "finish_reason": "content_filter"}])",
                                R"([{"index": 0, "finish_reason": "stop"}, 7])", "7"})
            QVERIFY2(!choicesOf(reply(bad), 2), bad);
        const auto vectors =
            vectorsIn(json::parse(R"({"data": [{"index": 1, "embedding": "AACAPwAAAEA="}, {"index": 0, "embedding": [3, 4]}]})"), 2);
        QVERIFY(vectors);
        QCOMPARE(vectors->row(1)[0], 1.0f);
        QCOMPARE(vectors->row(1)[1], 2.0f);
        QCOMPARE(vectors->row(0)[1], 4.0f);
        for (const char* bad :
             {R"([{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}])",
              R"([{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}])",
              R"([{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [0]}])",
              R"([{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [null]}])",
              R"([{"index": 0, "embedding": [1]}, {"index": 1, "embedding": "AAA"}])", R"([{"index": 0, "embedding": [1]}])"})
            QVERIFY2(!vectorsIn(json::parse(fmt::format(R"({{"data": {}}})", bad)), 2), bad);
    }
    void descriptionsOfEndpoints() {
        QTemporaryDir folder;
        const std::string file = folder.filePath("deep/endpoints.toml").toStdString();
        Endpoints endpoints(file);
        QVERIFY(endpoints.list() && endpoints.list()->empty());
        Parameters given;
        given.set("url", std::string("http://127.0.0.1:8000"));
        given.set("price_input", 0.15);
        given.set("concurrency", std::int64_t(8));
        QVERIFY(endpoints.add("lab", given));
        QCOMPARE(endpoints.add("lab", given).error().code, std::string("CL-2121"));
        const auto kept = *endpoints.list();
        QCOMPARE(kept.at("lab").number("price_input"), 0.15);
        QCOMPARE(kept.at("lab").integer("concurrency"), std::int64_t(8));
        QCOMPARE(kept.at("lab").integer("tries"), std::int64_t(4));
        QVERIFY(parseEndpoints(endpointsToml(kept)) == kept);
        QVERIFY(endpoints.remove("lab") && endpoints.list()->empty());
        QCOMPARE(endpoints.remove("lab").error().code, std::string("CL-2115"));
        QCOMPARE(endpoints.model("lab").error().code, std::string("CL-2115"));
        QFile hand(QString::fromStdString(file));
        QVERIFY(hand.open(QIODevice::WriteOnly));
        hand.write("# mine\n[endpoints.own]\nurl = \"http://127.0.0.1:1\"\n");
        hand.close();
        QCOMPARE(endpoints.add("lab", given).error().code, std::string("CL-2122"));
        QCOMPARE(endpoints.list()->size(), std::size_t(1));
    }
    void changingADescriptionNeverLosesIt() {
        QTemporaryDir folder;
        const std::string file = folder.filePath("endpoints.toml").toStdString();
        Endpoints endpoints(file);
        Parameters given;
        given.set("url", std::string("http://127.0.0.1:8000"));
        QVERIFY(endpoints.put("lab", given)); // where there is none it is added
        given.set("concurrency", std::int64_t(8));
        QVERIFY(endpoints.put("lab", given));
        QCOMPARE(endpoints.list()->at("lab").integer("concurrency"), std::int64_t(8));
        QCOMPARE(endpoints.list()->size(), std::size_t(1));
        // A description that is refused, and a folder that takes nothing more, leave the old one.
        const auto before = *readFile(file);
        Parameters bad = given;
        bad.set("url", std::string("ftp://127.0.0.1"));
        QVERIFY(!endpoints.put("lab", bad));
        QCOMPARE(*readFile(file), before);
        if (::geteuid() != 0) { // whom no permission stops
            QVERIFY(QFile::setPermissions(folder.path(), QFile::ReadOwner | QFile::ExeOwner));
            given.set("concurrency", std::int64_t(9));
            const auto refused = endpoints.put("lab", given);
            QVERIFY(QFile::setPermissions(folder.path(), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
            QVERIFY(!refused && !refused.error().hint.empty());
            QCOMPARE(*readFile(file), before);
        }
    }
    // As several windows and commands do: each has an object of its own. Whoever reads meanwhile finds a whole file that has the entry.
    void writersAtOnceLoseNothing() {
        QTemporaryDir folder;
        const std::string file = folder.filePath("endpoints.toml").toStdString();
        Parameters given;
        given.set("url", std::string("http://127.0.0.1:8000"));
        QVERIFY(Endpoints(file).add("steady", given));
        constexpr int writers = 4, entries = 10;
        std::atomic<int> failures = 0, odd = 0;
        std::atomic<bool> done = false;
        std::thread reader([&] {
            while (!done) {
                const auto list = Endpoints(file).list();
                if (!list || !list->count("steady"))
                    ++odd;
            }
        });
        std::vector<std::thread> threads;
        for (int writer = 0; writer < writers; ++writer)
            threads.emplace_back([&, writer] {
                Endpoints mine(file);
                Parameters changed = given;
                for (int i = 0; i < entries; ++i) {
                    changed.set("concurrency", std::int64_t(1 + i));
                    failures += mine.add(fmt::format("s{}-{}", writer, i), given) && mine.put("steady", changed) ? 0 : 1;
                }
            });
        for (auto& thread : threads)
            thread.join();
        done = true;
        reader.join();
        QCOMPARE(failures.load(), 0);
        QCOMPARE(odd.load(), 0);
        QCOMPARE(Endpoints(file).list()->size(), std::size_t(writers * entries + 1));
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files), (QStringList{"endpoints.toml", "endpoints.toml.lock"}));
    }
    void keysInFilesAreRefusedUnseen() {
        for (const char* line :
             {"api_key = \"sk-secret-1\"", "key = \"sk-secret-1\"", "token = \"sk-secret-1\"", "authorization = \"Bearer sk-secret-1\"",
              "api_key_env = \"sk-secret-1\"", "api_key = 5", "model = \"x\"\n[endpoints.b]\nurl = \"http://me:sk-secret-1@host\""}) {
            const auto parsed = parseEndpoints(fmt::format("[endpoints.lab]\nurl = \"http://127.0.0.1:1\"\n{}\n", line));
            QVERIFY2(!parsed, line);
            const auto said = describe(parsed.error());
            QVERIFY2(said.find("secret-1") == std::string::npos, said.c_str());
        }
        const auto literal = parseEndpoints("[endpoints.lab]\nurl = \"http://127.0.0.1:1\"\napi_key = \"sk-secret-1\"\n");
        QCOMPARE(literal.error().code, std::string("CL-2102"));
        QVERIFY(literal.error().hint.find("api_key_env") != std::string::npos);
        for (const char* bad :
             {"[endpoints.lab]\nurl = \"http://127.0.0.1:1\"\nconcurency = 4\n", "[endpoints.lab]\n", "[endpoint.lab]\nurl = \"x\"\n",
              "[endpoints.\"La b\"]\nurl = \"http://h\"\n", "[endpoints.lab]\nurl = \"http://h\"\nconcurrency = 0\n",
              "[endpoints.lab]\nurl = \"http://h\"\nrung = \"guess\"\n", "endpoints = 5", "[endpoints.lab]\nurl = [1]\n", "[["})
            QVERIFY2(!parseEndpoints(bad), bad);
    }
    void dataLeaveOnlyWithConsent() {
        QTemporaryDir folder;
        Endpoints endpoints(folder.filePath("endpoints.toml").toStdString());
        Parameters given;
        given.set("url", std::string("https://models.invalid"));
        given.set("api_key_env", std::string("CAROUSEL_TEST_KEY"));
        given.set("tries", std::int64_t(1));
        given.set("connect_seconds", 0.2);
        given.set("first_byte_seconds", 0.3);
        QVERIFY(endpoints.add("far", given));
        const auto refused = endpoints.model("far");
        QCOMPARE(refused.error().code, std::string("CL-2114"));
        for (const char* word : {"https://models.invalid:443", "histories", "CAROUSEL_TEST_KEY"})
            QVERIFY(refused.error().message.find(word) != std::string::npos);
        QVERIFY(refused.error().hint.find("--allow-server far") != std::string::npos);
        endpoints.allow("far");
        const auto away = endpoints.model("far"); // asks it now, and does not find it: a run that needs it is paused, not failed
        QVERIFY(!away && away.error().code == "CL-2107" && away.error().kind == ErrorKind::partial);
        // A study from elsewhere cannot consent for its reader, nor send them elsewhere under a name they know.
        auto study = *parseEndpoints("[endpoints.new]\nurl = \"https://models.invalid\"\nconsent = true\n");
        QCOMPARE(endpoints.useStudy(study, {}).error().code, std::string("CL-2114"));
        study = *parseEndpoints("[endpoints.far]\nurl = \"https://elsewhere.invalid\"\n");
        QCOMPARE(endpoints.useStudy(study, {}).error().code, std::string("CL-2115"));
        study = *parseEndpoints("[endpoints.new]\nurl = \"https://models.invalid\"\n");
        QVERIFY(endpoints.useStudy(study, {}));
        QCOMPARE(endpoints.model("new").error().code, std::string("CL-2114"));
        Parameters open;
        open.set("url", std::string("http://10.1.2.3:8000"));
        open.set("api_key_env", std::string("CAROUSEL_TEST_KEY"));
        ::setenv("CAROUSEL_TEST_KEY", "sk-abcdef123456", 1);
        QCOMPARE(endpoints.test(open, {}).error().code, std::string("CL-2104")); // a key never goes unencrypted
    }
};

QTEST_GUILESS_MAIN(TestServerParts)
#include "test_server_parts.moc"
