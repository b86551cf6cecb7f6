// SPDX-License-Identifier: GPL-3.0-or-later
// Every fault of a server ends in a clear error or in a missing answer that is counted, never in a wrong score; what can be recovered gives
// the same bytes as without the fault; a dead server is left alone; the key goes to its own server and nowhere else.
#include "fault_server_process.h"
#include "llm/caching_model.h"
#include "server/endpoints.h"
#include "server/server_model.h"
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>

using namespace carousel;
using namespace carousel::server;

namespace {

const char* const canary = "canary-7f3a9c51d2e84b06";

struct Way {
    const char *personality, *rung;
};
// The shapes in which scores come.
constexpr Way ways[] = {{"vllm", "label"},  {"vllm", "chosen"}, {"sglang", "label"},     {"sglang", "chosen"},
                        {"sglang", "echo"}, {"openai", "top"},  {"llama-server", "top"}, {"ollama", "top"}};

BranchRequest request(int branches = 5) {
    BranchRequest out;
    out.shared = {{"system", "You know tastes."}, {"user", "Liked: a heat pump, two roads. Next item:"}};
    for (int i = 0; i < branches; ++i)
        out.branches.push_back(" item " + std::to_string(i));
    out.tail = "?";
    out.answers = {"Yes", "No"};
    return out;
}

struct MapCache : CompletionCache {
    std::map<std::string, std::string> answers;
    std::map<std::string, std::string> find(const std::vector<std::string>& keys) override {
        std::map<std::string, std::string> out;
        for (const auto& key : keys)
            if (const auto it = answers.find(key); it != answers.end())
                out.insert(*it);
        return out;
    }
    Result<void> store(const std::map<std::string, std::string>& more) override {
        for (const auto& [key, value] : more)
            answers[key] = value;
        return {};
    }
};

bool sameBytes(const Matrix& a, const Matrix& b) {
    return a.rows == b.rows && a.columns == b.columns &&
           std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)) == 0;
}

} // namespace

class TestServerFaults : public QObject {
    Q_OBJECT
    FaultServer m_server;
    QTemporaryDir m_folder;
    std::string m_said; // every text that came out, searched for the key at the end
    std::map<std::string, BranchScores> m_clean;
    std::map<std::string, std::unique_ptr<ServerModel>> m_models;

    Parameters endpoint(const Way& way, const std::map<std::string, ParameterValue>& more = {}) {
        Parameters given;
        given.set("url", m_server.url());
        given.set("api_key_env", std::string("CAROUSEL_TEST_KEY"));
        given.set("kind", std::string(way.personality));
        given.set("rung", std::string(way.rung));
        given.set("batch", std::int64_t(2));
        given.set("backoff_seconds", 0.001);
        given.set("backoff_limit_seconds", 0.004);
        given.set("breaker_seconds", 0.01);
        given.set("reply_seconds", 20.0);
        given.set("first_byte_seconds", 20.0);
        for (const auto& [id, value] : more)
            given.set(id, value);
        const auto checked = checkedEndpoint("faulty", given);
        if (!checked)
            qFatal("%s", describe(checked.error()).c_str());
        return *checked;
    }
    std::unique_ptr<ServerModel> open(const Parameters& parameters) {
        const auto url = parseServerUrl(parameters.text("url"));
        auto key = SecretKey::fromEnvironment("CAROUSEL_TEST_KEY", url->origin);
        auto model = ServerModel::open("faulty", parameters, std::move(*key), {});
        if (!model) {
            hear(model.error());
            qWarning("%s", describe(model.error()).c_str());
            return nullptr;
        }
        return std::move(*model);
    }
    void hear(const Error& error) { m_said += describe(error) + "\n"; }
    void hear(const ServerModel& model, const Result<BranchScores>& scores) {
        m_said += model.facts() + model.card().text() + "\n";
        if (!scores)
            hear(scores.error());
        else
            for (const auto& reason : scores->reasons)
                m_said += reason + "\n";
    }
    const BranchScores& clean(const Way& way) {
        auto& out = m_clean[std::string(way.personality) + way.rung];
        if (out.logits.empty()) {
            m_server.set({{"personality", way.personality}});
            if (const auto model = open(endpoint(way)))
                if (auto scores = model->scoreBranches(request(), {}))
                    out = *scores;
        }
        return out;
    }
    // The law: what is not the true score is not a number, or is marked as a bound and is one.
    std::string wrongScore(const BranchScores& scores, const BranchScores& truth) {
        for (std::size_t i = 0; i < scores.logits.rows; ++i) {
            const bool equal = std::memcmp(scores.logits.row(i).data(), truth.logits.row(i).data(), 2 * sizeof(float)) == 0;
            if (scores.missing(i)) {
                if (!std::isnan(scores.logits.row(i)[0]) || !std::isnan(scores.answerMass[i]) || scores.reasons[i].empty())
                    return "a missing branch has a number, or no reason";
            } else if (scores.censored[i]) {
                for (std::size_t j = 0; j < 2; ++j)
                    if (scores.logits.row(i)[j] < truth.logits.row(i)[j] - 1e-6f)
                        return "a bound is none";
            } else if (!equal) {
                return fmt::format("branch {} has {} {} instead of {} {}", i, scores.logits.row(i)[0], scores.logits.row(i)[1],
                                   truth.logits.row(i)[0], truth.logits.row(i)[1]);
            }
        }
        return {};
    }

    enum Kind { recovers, harmless, spoilsItems, refused, refusesItem, pauses };
    struct FaultCase {
        const char* name;
        Kind kind;
        bool timing = false;
    };
    static std::vector<FaultCase> transportFaults() {
        std::vector<FaultCase> out{{"retry_after_short", recovers},
                                   {"retry_after_date", recovers},
                                   {"retry_after_rubbish", recovers},
                                   {"retry_after_long", pauses},
                                   {"hang", recovers, true},
                                   {"slow_first_byte", recovers, true},
                                   {"drip", recovers, true},
                                   {"early_close", recovers},
                                   {"close_in_header", recovers},
                                   {"short_body", recovers},
                                   {"reset", recovers},
                                   {"not_http", recovers},
                                   {"plain_type", recovers},
                                   {"no_type", recovers},
                                   {"empty_body", recovers},
                                   {"no_content", recovers},
                                   {"invalid_utf8", recovers},
                                   {"echo_key", recovers},
                                   {"html_page", refused},
                                   {"echo_key_html", refused},
                                   {"huge_body", refusesItem}};
        for (const char* name : {"http_408", "http_409", "http_425", "http_429", "http_500", "http_502", "http_503", "http_504"})
            out.push_back({name, recovers});
        for (const char* name : {"http_401", "http_403", "http_404", "http_501", "redirect_301", "redirect_302", "redirect_303",
                                 "redirect_307", "redirect_308"})
            out.push_back({name, refused});
        for (const char* name : {"http_400", "http_413", "http_422"})
            out.push_back({name, refusesItem});
        return out;
    }
    static std::vector<FaultCase> contentFaults() {
        std::vector<FaultCase> out;
        for (const char* name :
             {"cut_json", "nan_literal", "infinity_literal", "overflow_number", "duplicate_keys", "deep_nesting", "scalar", "text_line",
              "missing_choices", "too_few", "too_many", "duplicate_index", "index_out_of_range", "error_in_200", "negative_usage"})
            out.push_back({name, recovers});
        for (const char* name : {"other_order", "no_usage", "model_renamed", "extra_fields"})
            out.push_back({name, harmless});
        for (const char* name :
             {"no_index", "finish_missing", "finish_filter", "logprob_positive", "logprob_null", "logprob_text", "logprob_nan_text",
              "logprob_huge", "mass_above_one", "no_logprobs", "empty_logprobs", "label_missing", "labels_missing"})
            out.push_back({name, spoilsItems});
        return out;
    }
    void addRows(const std::vector<FaultCase>& faults, bool everyWay) {
        QTest::addColumn<int>("way");
        QTest::addColumn<QString>("fault");
        QTest::addColumn<int>("kind");
        QTest::addColumn<bool>("timing");
        std::size_t turn = 0;
        for (const auto& fault : faults)
            for (std::size_t i = 0; i < std::size(ways); ++i) {
                if (!everyWay && i != turn % std::size(ways))
                    continue;
                QTest::addRow("%s %s %s", ways[i].personality, ways[i].rung, fault.name)
                    << static_cast<int>(i) << QString(fault.name) << static_cast<int>(fault.kind) << fault.timing;
                if (!everyWay) {
                    ++turn;
                    break;
                }
            }
    }
    void onceAndForEver() {
        QFETCH(int, way);
        QFETCH(QString, fault);
        QFETCH(int, kind);
        QFETCH(bool, timing);
        const Way& by = ways[way];
        if (fault == "duplicate_index" && by.rung == std::string("label") && by.personality == std::string("sglang"))
            kind = spoilsItems; // its rows have no index; only their number can be wrong
        const auto& truth = clean(by);
        QCOMPARE(truth.logits.rows, std::size_t(5));
        std::map<std::string, ParameterValue> limits;
        if (timing)
            limits = {{"first_byte_seconds", 0.2}, {"reply_seconds", 0.4}};
        m_server.set({{"personality", by.personality}});
        // Opened again only after a fault that paused it: opening asks ten times.
        auto& model = m_models[fmt::format("{} {} {}", by.personality, by.rung, timing)];
        if (!model)
            model = open(endpoint(by, limits));
        QVERIFY(model);
        // Once: the second scoring request goes wrong.
        m_server.set({{"personality", by.personality}, {"fault", fault.toStdString()}, {"times", 1}, {"skip", 1}});
        const auto once = model->scoreBranches(request(), {});
        hear(*model, once);
        const auto seen = m_server.state();
        QCOMPARE(seen["faults"].get<int>(), 1);
        QCOMPARE(seen["other_port"].get<int>(), 0);
        if (kind == refused) {
            QVERIFY(!once);
            QCOMPARE(once.error().code, std::string("CL-2106"));
        } else if (kind == pauses) {
            QVERIFY(!once);
            QCOMPARE(once.error().code, std::string("CL-2111"));
            QCOMPARE(exitCode(once.error().kind), 7);
        } else {
            if (!once)
                QFAIL(describe(once.error()).c_str());
            QCOMPARE(wrongScore(*once, truth), std::string());
            const bool allThere = std::none_of(once->status.begin(), once->status.end(), [](auto s) { return s == ScoreStatus::missing; });
            const bool anyBound = std::any_of(once->censored.begin(), once->censored.end(), [](auto c) { return c != 0; });
            if (kind == recovers || kind == harmless) {
                QVERIFY(allThere && !anyBound);
                QVERIFY(sameBytes(once->logits, truth.logits));
            }
        }
        // For ever.
        m_server.set({{"personality", by.personality}, {"fault", fault.toStdString()}, {"times", -1}});
        const auto always = model->scoreBranches(request(), {});
        hear(*model, always);
        const auto state = m_server.state();
        QVERIFY(state["scoring"] <= 60);
        QCOMPARE(state["other_port"].get<int>(), 0);
        if (!always || !once)
            model.reset();
        if (always) {
            QCOMPARE(wrongScore(*always, truth), std::string());
            const auto missing = std::count(always->status.begin(), always->status.end(), ScoreStatus::missing);
            const auto bounds = std::count(always->censored.begin(), always->censored.end(), 1);
            if (kind == harmless)
                QVERIFY(sameBytes(always->logits, truth.logits));
            else if (kind == recovers || kind == refusesItem)
                QCOMPARE(missing, std::ptrdiff_t(5));
            else
                QVERIFY(missing + bounds > 0);
        } else {
            QVERIFY(kind != harmless);
            QVERIFY(!always.error().message.empty() && !always.error().hint.empty());
            QCOMPARE(always.error().code.substr(0, 4), std::string("CL-2"));
        }
    }

private slots:
    void initTestCase() {
        ::setenv("CAROUSEL_TEST_KEY", canary, 1);
        if (const auto why = m_server.start(); !why.empty())
            QSKIP(why.c_str());
    }
    void everyWayOfScoringAgrees_data() {
        QTest::addColumn<QString>("personality");
        QTest::addColumn<QString>("rung");
        for (const auto& [personality, rung] : std::vector<Way>{{"vllm", "label"},
                                                                {"vllm", "chosen"},
                                                                {"vllm", "top"},
                                                                {"vllm", "echo"},
                                                                {"sglang", "label"},
                                                                {"sglang", "chosen"},
                                                                {"sglang", "top"},
                                                                {"sglang", "bias"},
                                                                {"sglang", "echo"},
                                                                {"llama-server", "top"},
                                                                {"llama-server", "bias"},
                                                                {"ollama", "top"},
                                                                {"tgi", "top"},
                                                                {"openai", "top"}})
            QTest::addRow("%s %s", personality, rung) << personality << rung;
    }
    void everyWayOfScoringAgrees() {
        QFETCH(QString, personality);
        QFETCH(QString, rung);
        const auto& truth = clean({"openai", "top"});
        m_server.set({{"personality", personality.toStdString()}});
        const std::string p = personality.toStdString(), r = rung.toStdString();
        const auto model = open(endpoint({p.c_str(), r.c_str()}, {{"kind", std::string("auto")}}));
        QVERIFY(model);
        QCOMPARE(std::string(name(model->card().kind)), p);
        QCOMPARE(std::string(name(model->card().rung)), r);
        QVERIFY(model->card().easyPassed());
        QVERIFY(std::abs(model->card().labelMass - 0.9) < 1e-6);
        const auto scores = model->scoreBranches(request(), {});
        if (!scores)
            QFAIL(describe(scores.error()).c_str());
        for (std::size_t i = 0; i < 5; ++i) {
            QVERIFY(!scores->missing(i) && !scores->censored[i]);
            QVERIFY(std::abs(scores->logits.row(i)[0] - scores->logits.row(i)[1] - truth.logits.row(i)[0] + truth.logits.row(i)[1]) <
                    1e-4f);
            QVERIFY(std::abs(scores->answerMass[i] - 0.9f) < 1e-4f);
        }
    }
    void theFirstWorkingRungIsTaken() {
        const std::map<std::string, std::string> expected{{"vllm", "label"}, {"sglang", "label"}, {"llama-server", "top"},
                                                          {"ollama", "top"}, {"tgi", "top"},      {"openai", "top"}};
        for (const auto& [personality, rung] : expected) {
            m_server.set({{"personality", personality}});
            const auto model = open(endpoint({"auto", "auto"}));
            QVERIFY(model);
            QCOMPARE(std::string(name(model->card().kind)), personality);
            QCOMPARE(std::string(name(model->card().rung)), rung);
            QVERIFY(model->card().structuredOutput);
            QCOMPARE(model->card().embeddingWidth, 8);
            QCOMPARE(model->card().prefixCache, std::string("seen"));
        }
        m_server.set({{"personality", "vllm"}, {"label", false}}); // an older build without the label endpoint
        const auto older = open(endpoint({"auto", "auto"}));
        QVERIFY(older);
        QCOMPARE(std::string(name(older->card().rung)), std::string("chosen"));
        QVERIFY(!older->card().notes.empty());
        m_server.set({{"personality", "openai"}, {"easy", false}, {"label", true}});
        const auto dull = open(endpoint({"auto", "auto"}));
        QVERIFY(dull);
        if (!dull->card().easyPassed())
            QVERIFY(dull->card().text().find("NOT passed") != std::string::npos);
    }
    void textAloneHasNoProbabilities() {
        m_server.set({{"personality", "openai"}});
        const auto model = open(endpoint({"openai", "text"}));
        QVERIFY(model);
        const auto scores = model->scoreBranches(request(), {});
        QVERIFY(scores);
        for (std::size_t i = 0; i < 5; ++i)
            QVERIFY(std::abs(scores->logits.row(i)[0] - scores->logits.row(i)[1]) == 1.0f);
    }
    void transport_data() { addRows(transportFaults(), false); }
    void transport() { onceAndForEver(); }
    void content_data() { addRows(contentFaults(), true); }
    void content() { onceAndForEver(); }

    void deadServerIsLeftAlone_data() {
        QTest::addColumn<QString>("fault");
        for (const char* fault : {"http_500", "hang", "drip", "early_close", "http_429", "retry_after_long"})
            QTest::addRow("%s", fault) << QString(fault);
    }
    void deadServerIsLeftAlone() {
        QFETCH(QString, fault);
        m_server.set({{"personality", "openai"}});
        const auto parameters = endpoint({"openai", "top"}, {{"first_byte_seconds", 0.2}, {"reply_seconds", 0.35}});
        const auto model = open(parameters);
        QVERIFY(model);
        m_server.set({{"personality", "openai"}, {"fault", fault.toStdString()}, {"times", -1}});
        QElapsedTimer clock;
        clock.start();
        const auto scores = model->scoreBranches(request(200), {});
        hear(*model, scores);
        QVERIFY(!scores);
        QCOMPARE(exitCode(scores.error().kind), 7);
        QVERIFY2(clock.elapsed() < 2500,
                 qPrintable(QString::number(clock.elapsed()))); // twice the reply's deadline, and the machine's own slowness
        QVERIFY(m_server.count("requests") <= 60);
        const int before = m_server.count("requests");
        QVERIFY(!model->scoreBranches(request(200), {})); // still resting, or one trial
        QVERIFY(m_server.count("requests") - before <= 6);
        // From the very start: the probe gives up.
        const auto opened = ServerModel::open("dead", parameters,
                                              *SecretKey::fromEnvironment("CAROUSEL_TEST_KEY", parseServerUrl(m_server.url())->origin), {});
        QVERIFY(!opened);
        hear(opened.error());
        QVERIFY(m_server.count("requests") <= 60);
    }
    void nobodyListens() {
        auto parameters = endpoint({"auto", "auto"}, {{"url", std::string("http://127.0.0.1:9")}});
        const auto opened = ServerModel::open("nobody", parameters, SecretKey(), {});
        QVERIFY(!opened);
        QCOMPARE(opened.error().code, std::string("CL-2107"));
    }
    void resumePaysForNothingTwice() {
        m_server.set({{"personality", "openai"}});
        const auto model = open(endpoint({"openai", "top"}, {{"concurrency", std::int64_t(2)}}));
        QVERIFY(model);
        MapCache cache;
        CostMeter cost;
        CachingModel cached(*model, &cache, &cost);
        m_server.set({{"personality", "openai"}, {"fault", "http_500"}, {"times", -1}, {"skip", 12}});
        const auto stopped = cached.scoreBranches(request(30), {});
        QVERIFY(!stopped);
        QCOMPARE(exitCode(stopped.error().kind), 7);
        QCOMPARE(cache.answers.size(), std::size_t(12)); // every reply that came is kept
        QTest::qWait(60);
        m_server.set({{"personality", "openai"}});
        const auto resumed = cached.scoreBranches(request(30), {});
        if (!resumed)
            QFAIL(describe(resumed.error()).c_str());
        QCOMPARE(m_server.count("scoring"), 18);
        QCOMPARE(cache.answers.size(), std::size_t(30));
        QVERIFY(sameBytes(resumed->logits, model->scoreBranches(request(30), {})->logits));
    }
    void budgetsPause_data() {
        QTest::addColumn<QString>("budget");
        QTest::addColumn<double>("most");
        QTest::addRow("calls") << "budget_calls" << 20.0;
        QTest::addRow("tokens") << "budget_tokens" << 2000.0;
        QTest::addRow("money") << "budget_money" << 0.002;
    }
    void budgetsPause() {
        QFETCH(QString, budget);
        QFETCH(double, most);
        m_server.set({{"personality", "openai"}});
        const ParameterValue value = budget == "budget_money" ? ParameterValue(most) : ParameterValue(static_cast<std::int64_t>(most));
        const auto model = open(endpoint({"openai", "top"}, {{budget.toStdString(), value}, {"price_input", 1.0}, {"price_output", 2.0}}));
        QVERIFY(model);
        m_server.set({{"personality", "openai"}}); // what the probe asked is not counted here
        MapCache cache;
        CachingModel cached(*model, &cache, nullptr);
        const auto scores = cached.scoreBranches(request(200), {});
        QVERIFY(!scores);
        QCOMPARE(scores.error().code, std::string("CL-2112"));
        QCOMPARE(exitCode(scores.error().kind), 7);
        const auto asked = static_cast<std::size_t>(m_server.count("scoring"));
        QVERIFY(asked > 0 && asked < 60);
        QCOMPARE(cache.answers.size(), asked); // what was under way is waited for and kept
    }
    void cancelIsQuick() {
        m_server.set({{"personality", "openai"}});
        const auto model = open(endpoint({"openai", "top"}));
        QVERIFY(model);
        m_server.set({{"personality", "openai"}, {"fault", "hang"}, {"times", -1}});
        std::stop_source source;
        source.request_stop();
        QElapsedTimer clock;
        clock.start();
        const auto scores = model->scoreBranches(request(), RunControl(source.get_token()));
        QVERIFY(!scores && scores.error().kind == ErrorKind::cancelled);
        QVERIFY(clock.elapsed() < 2000);
    }
    void embeddingsTextsAndContinuations() {
        m_server.set({{"personality", "vllm"}});
        const auto model = open(endpoint({"vllm", "label"}));
        QVERIFY(model);
        std::vector<std::string> texts;
        for (int i = 0; i < 40; ++i)
            texts.push_back("text " + std::to_string(i));
        const auto vectors = model->embed(texts, Pooling::mean, {}); // 413 above 16: halved until it fits
        if (!vectors)
            QFAIL(describe(vectors.error()).c_str());
        QCOMPARE(vectors->rows, std::size_t(40));
        double norm = 0;
        for (const float x : vectors->row(39))
            norm += x * x;
        QVERIFY(std::abs(norm - 1) < 1e-5);
        QVERIFY(!sameBytes(*model->embed({"text 1"}, Pooling::mean, {}), *model->embed({"text 2"}, Pooling::mean, {})));
        m_server.set({{"personality", "vllm"}, {"fault", "duplicate_index"}, {"times", -1}});
        QCOMPARE(model->embed({"a", "b"}, Pooling::mean, {}).error().code, std::string("CL-2119"));
        m_server.set({{"personality", "vllm"}});
        const auto said = model->generate({{"user", "hello"}}, {}, {});
        QVERIFY(said && said->text.substr(0, 5) == "said ");
        GenerateOptions options;
        options.oneOf = {"Yes", "No"};
        QVERIFY(model->generate({{"user", "hello"}}, options, {}));
        options = {};
        options.beams = 3;
        QCOMPARE(model->generate({{"user", "hello"}}, options, {}).error().code, std::string("CL-2118"));
        const auto continued = model->scoreContinuations({{{"user", "next?"}}, {"Yes", "ab"}}, {});
        if (!continued)
            QFAIL(describe(continued.error()).c_str());
        QVERIFY(continued->tokens[0] == 1 && continued->tokens[1] == 2);
        QVERIFY(std::abs(continued->logProbability[1] + 0.001 * (97 + 98 + 20)) < 1e-9);
        m_server.set({{"personality", "ollama"}});
        const auto other = open(endpoint({"ollama", "top"}));
        QVERIFY(other);
        QCOMPARE(other->scoreContinuations({{{"user", "next?"}}, {"Yes"}}, {}).error().code, std::string("CL-2118"));
    }
    void longPromptsAreMissingNotCut() {
        m_server.set({{"personality", "vllm"}});
        const auto model = open(endpoint({"vllm", "label"}));
        QVERIFY(model);
        auto asked = request(3);
        asked.branches[1] = std::string(5000, 'x');
        const auto scores = model->scoreBranches(asked, {});
        QVERIFY(scores && !scores->missing(0) && scores->missing(1) && !scores->missing(2));
        QVERIFY(scores->reasons[1].find("4096") != std::string::npos);
    }
    void wrongModelIsNamed() {
        m_server.set({{"personality", "openai"}});
        const auto opened = ServerModel::open("x", endpoint({"openai", "top"}, {{"model", std::string("gpt-9")}}), SecretKey(), {});
        QVERIFY(!opened && opened.error().code == "CL-2107" && opened.error().hint.find("test-model") != std::string::npos);
    }
    void theKeyIsNowhereElse() {
        m_server.set({{"personality", "openai"}});
        Endpoints endpoints(m_folder.filePath("endpoints.toml").toStdString());
        Parameters given;
        given.set("url", m_server.url());
        given.set("api_key_env", std::string("CAROUSEL_TEST_KEY"));
        QVERIFY(endpoints.add("lab", given));
        const auto model = endpoints.model("lab");
        QVERIFY(model);
        m_said += (*model)->facts();
        bool sent = false;
        const auto state = m_server.state();
        for (const auto& key : state["keys"])
            sent = sent || key == std::string("Bearer ") + canary;
        QVERIFY(sent); // the search below would find nothing if it had never been used
        QFile file(m_folder.filePath("endpoints.toml"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        m_said += file.readAll().toStdString();
        QVERIFY(m_said.find("CAROUSEL_TEST_KEY") != std::string::npos);
        QVERIFY(m_said.find("[key]") != std::string::npos); // a server had repeated it
        QVERIFY(m_said.find(canary) == std::string::npos);
        QVERIFY(m_said.find("7f3a9c51") == std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestServerFaults)
#include "test_server_faults.moc"
