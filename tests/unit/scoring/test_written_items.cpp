// SPDX-License-Identifier: GPL-3.0-or-later
// Items that a model writes under constraint: every answer is a candidate's name, no answer comes twice, whatever the catalogue looks like.
// 1,000 requests go to a decoder of random weights, which has no taste and so wanders everywhere; 20 to the real one where it is there.
// All 1,000 with the real one: CAROUSEL_WRITTEN_REQUESTS=1000 build/release/tests/test_written_items theRealModel
#include "base/random.h"
#include "llm/model_host.h"
#include "stages/plugin.h"
#include "unit/llm/model_folders.h"
#include "unit/llm/tiny_decoder.h"
#include <QElapsedTimer>
#include <QTest>
#include <algorithm>
#include <numeric>
#include <set>

using namespace carousel;

namespace {

// Hands on what a model says and keeps the last answer, so that the test need not believe the scorer about it.
class Watched final : public LanguageModel {
public:
    explicit Watched(LanguageModel& model) : m_model(model) {}
    GenerateOptions options;
    Generated answer;

    const ModelInfo& info() const override { return m_model.info(); }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling pooling, const RunControl& control) override {
        return m_model.embed(texts, pooling, control);
    }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override {
        return m_model.scoreBranches(request, control);
    }
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl& control) override {
        return m_model.scoreContinuations(request, control);
    }
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& asked, const RunControl& control) override {
        options = asked;
        auto said = m_model.generate(messages, asked, control);
        if (said)
            answer = *said;
        return said;
    }
    std::int64_t countTokens(const std::string& text) const override { return m_model.countTokens(text); }

private:
    LanguageModel& m_model;
};

// 240 items: names that repeat, that begin each other, that are empty or blank, in many scripts, with a template's or a chat's marks.
DatasetPtr oddCatalogue() {
    auto data = std::make_shared<Dataset>();
    data->name = "odd names";
    const std::vector<std::string> words{"Heat", "Up", "M",        "8½",        "Amélie",    "日本語", "日本",
                                         "كتاب", "🎬",  "🎬🍿", "Žlutý kůň", "e\xCC\x81", "The",    "The Third"};
    const std::vector<std::string> whole{"",      " ",    "Heat", "Heat (2)", "{{title}}", "<|im_end|>",
                                         "1-2-3", "\"\"", "a\tb", "No",       "(no title)"};
    AttributeColumn title("title", FieldType::token);
    RandomStream random(3, "odd names");
    for (std::size_t i = 0; i < 240; ++i) {
        data->items.ids.add(std::to_string(i));
        std::string name = whole[i % whole.size()];
        if (i % 3 > 0) { // chains: "The", "The 2", "The 2 M", ...
            name = words[random.below(words.size())];
            for (auto more = random.below(4); more-- > 0;)
                name += " " + (more % 2 ? std::to_string(random.below(3)) : words[random.below(words.size())]);
        }
        const std::string_view view = name;
        title.appendTokens({&view, 1});
    }
    data->items.attributes.push_back(std::move(title));
    data->interactions.kinds = {"like"};
    for (Code user = 0; user < 50; ++user) {
        data->users.ids.add("u" + std::to_string(user));
        for (int k = 0; k < user % 6; ++k) { // some have no history
            data->interactions.user.push_back(user);
            data->interactions.item.push_back(static_cast<Code>(random.below(240)));
            data->interactions.kind.push_back(0);
            data->interactions.value.push_back(1);
            data->interactions.time.push_back(1000000000 + k);
        }
    }
    return data;
}

struct Counted {
    std::size_t requests = 0, answers = 0, wanted = 0;
    QString wrong; // the first thing that was
};

} // namespace

class TestWrittenItems : public QObject {
    Q_OBJECT
    builder::Folder m_folder;
    std::unique_ptr<ModelHost> m_host, m_tinyHost;
    PluginRegistry m_plugins = PluginRegistry::load();

    Counted write(LanguageModel& model, LanguageModel& encoder, std::size_t requests, std::size_t candidates, int beams,
                  const std::string& prompt = {}) {
        Counted out;
        Watched watched(model);
        CostMeter cost;
        StageEnvironment environment;
        environment.cost = &cost;
        environment.languageModel = [&](const std::string& id) -> Result<LanguageModel*> {
            return id == "all-minilm-l6-v2" ? &encoder : static_cast<LanguageModel*>(&watched);
        };
        Split split;
        const auto data = oddCatalogue();
        split.part.assign(data->interactions.size(), Part::train);
        const auto training = TrainingView::make(data, split, *presetEventModel("combined"), false);
        const auto manifest = (*m_plugins.find(StageKind::scorer, "llm_generate"))->manifest;
        std::vector<std::unique_ptr<Scorer>> scorers;
        const FeatureTable features;
        const EmbeddingTable none;
        for (const std::string identifiers : {"titles", "semantic ids"}) {
            auto parameters = *validate(manifest.parameters, {}, "scorer 'llm_generate'");
            parameters.set("identifiers", identifiers);
            parameters.set("beams", std::int64_t(beams));
            if (!prompt.empty())
                parameters.set("prompt", prompt);
            parameters.set("codes", std::int64_t(8));
            scorers.push_back(std::move(*manifest.createScorer(parameters, environment)));
            if (const auto fitted = scorers.back()->fit({*training, features, none}, {}); !fitted) {
                out.wrong = QString::fromStdString(describe(fitted.error()));
                return out;
            }
        }
        for (; out.requests < requests && out.wrong.isEmpty(); ++out.requests) {
            RandomStream random(11, "requests", out.requests);
            std::vector<Code> items(training->itemCount());
            std::iota(items.begin(), items.end(), 0);
            for (std::size_t i = 0; i < candidates; ++i)
                std::swap(items[i], items[i + random.below(items.size() - i)]);
            items.resize(candidates);
            std::vector<float> scores(candidates);
            std::vector<ScoreStatus> status(candidates);
            const auto user = static_cast<Code>(random.below(training->userCount()));
            const auto scored =
                scorers[out.requests % 4 == 3]->score({user, items, *training, std::vector<float>(candidates, 0.0f)}, scores, status, {});
            const auto say = [&](const std::string& what) {
                out.wrong = QString::fromStdString(fmt::format("request {}: {}", out.requests, what));
            };
            if (!scored) {
                say(describe(scored.error()));
                break;
            }
            const std::set<std::string> names(watched.options.oneOf.begin(), watched.options.oneOf.end());
            if (names.size() != candidates)
                say(fmt::format("{} candidates have {} different names", candidates, names.size()));
            std::set<std::string> different;
            for (const auto& one : watched.answer.sequences) {
                if (!names.count(one.text))
                    say("'" + one.text + "' is no candidate");
                if (!different.insert(one.text).second)
                    say("'" + one.text + "' was written twice");
                if (one.reachedLimit)
                    say("'" + one.text + "' was cut");
            }
            out.answers += different.size();
            out.wanted += static_cast<std::size_t>(beams);
            const auto own = static_cast<std::size_t>(std::count(status.begin(), status.end(), ScoreStatus::ok));
            const auto behind = static_cast<std::size_t>(std::count(status.begin(), status.end(), ScoreStatus::fallback));
            if (different.empty() || own != different.size() || own + behind != candidates)
                say(fmt::format("{} answers, {} items with a score of their own, {} behind them", different.size(), own, behind));
            float least = 0, most = -1e30f;
            for (std::size_t i = 0; i < candidates; ++i) {
                if (!std::isfinite(scores[i]))
                    say("a score is not finite");
                if (status[i] == ScoreStatus::ok)
                    least = std::min(least, scores[i]);
                else
                    most = std::max(most, scores[i]);
            }
            if (!(most < least))
                say("an item that was not reached stands before one that was");
        }
        return out;
    }

private slots:
    void initTestCase() {
        const std::string modules = std::string(CAROUSEL_BINARY_DIR) + "/lib";
        OpenOptions options;
        m_host = std::make_unique<ModelHost>(options, ModelShelf(), modules);
        options.threads = 1; // for products of a few thousand numbers
        m_tinyHost = std::make_unique<ModelHost>(options, ModelShelf(), modules);
        QVERIFY(m_plugins.find(StageKind::scorer, "llm_generate").has_value());
    }
    void aRandomModel() {
        auto model = m_tinyHost->languageModel(m_folder.write("tiny.gguf", builder::TinyDecoder().bytes()));
        QVERIFY2(model, model ? "" : describe(model.error()).c_str());
        QElapsedTimer timer;
        timer.start();
        const auto got = write(**model, **model, 1000, 24, 6, "{{#liked}}{{item}}, {{/liked}}next:");
        QVERIFY2(got.wrong.isEmpty(), qPrintable(got.wrong));
        QCOMPARE(got.requests, std::size_t(1000));
        qInfo("%zu requests, %zu of %zu answers, all valid and different; %.1f ms each", got.requests, got.answers, got.wanted,
              static_cast<double>(timer.elapsed()) / 1000);
        QVERIFY(got.answers * 10 > got.wanted * 9); // nearly every beam ends in an item
    }
    void theRealModel() {
        for (const char* id : {"smollm2-135m-instruct", "all-minilm-l6-v2"})
            if (m_host->shelf().status(id, false)->state != ModelState::ready)
                QSKIP("the models smollm2-135m-instruct and all-minilm-l6-v2 are not in the model folder (packaging/fetch brings them)");
        const int asked = qEnvironmentVariableIntValue("CAROUSEL_WRITTEN_REQUESTS");
        const std::size_t requests = asked > 0 ? static_cast<std::size_t>(asked) : 20;
        const auto model = m_host->languageModel("smollm2-135m-instruct"), encoder = m_host->languageModel("all-minilm-l6-v2");
        QVERIFY(model.has_value() && encoder.has_value());
        QElapsedTimer timer;
        timer.start();
        const auto got = write(**model, **encoder, requests, 100, 20);
        QVERIFY2(got.wrong.isEmpty(), qPrintable(got.wrong));
        QCOMPARE(got.requests, requests);
        qInfo("%zu requests, %zu of %zu answers, all valid and different; %.2f s each", got.requests, got.answers, got.wanted,
              static_cast<double>(timer.elapsed()) / 1000 / static_cast<double>(requests));
        QVERIFY(got.answers * 10 > got.wanted * 9);
    }
};

QTEST_GUILESS_MAIN(TestWrittenItems)
#include "test_written_items.moc"
