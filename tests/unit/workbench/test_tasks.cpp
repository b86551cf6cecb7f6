// SPDX-License-Identifier: GPL-3.0-or-later
// The analysis of the five families with models that know everything or nothing: what an answer is worth, what controls reach, what the
// document says.
#include "workbench/analyses/tasks.h"
#include "base/file.h"
#include "reviewed_shop.h"
#include "workbench/tasks/task_desk.h"
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace carousel;

namespace {

DatasetPtr shop() {
    test::Shop shop;
    shop.users = 80, shop.reviewEvery = 1;
    shop.item = [](int user, int step) { return (user * 7 + step * 11 + (step * step) % 5) % 150; };
    shop.headline = [](int user) { return "Fine seams " + std::to_string(user % 7); };
    shop.text = [](int user) { return "Came on Monday. The seams hold well for " + std::to_string(user % 9) + " years! Would buy again."; };
    return test::reviewedShop(shop);
}

// Answers from a table: prompt -> answer. Everything else is the worst answer it can give.
class Oracle final : public LanguageModel {
public:
    std::map<std::string, std::string> truth;
    bool knows = true;

    const ModelInfo& info() const override { return m_info; }
    Result<Matrix> embed(const std::vector<std::string>& texts, Pooling, const RunControl&) override { return Matrix(texts.size(), 2); }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl&) override {
        BranchScores out;
        out.logits = Matrix(request.branches.size(), request.answers.size());
        for (std::size_t b = 0; b < request.branches.size(); ++b) {
            const std::string answer = wanted(request.shared[0].content + request.branches[b]);
            for (std::size_t a = 0; a < request.answers.size(); ++a)
                out.logits.row(b)[a] = knows && request.answers[a] == answer ? 30.0f : 0.0f;
            out.answerMass.push_back(1);
        }
        out.truncated.assign(request.branches.size(), 0);
        return out;
    }
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest& request, const RunControl&) override {
        ContinuationScores out;
        for (const auto& each : request.continuations) {
            out.logProbability.push_back(knows && each == wanted(request.messages[0].content) ? -1 : -5);
            out.tokens.push_back(2);
        }
        return out;
    }
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options, const RunControl&) override {
        Generated out;
        const std::string answer = wanted(messages[0].content);
        if (!options.oneOf.empty()) {
            std::vector<std::string> order(options.oneOf.rbegin(), options.oneOf.rend());
            std::stable_partition(order.begin(), order.end(), [&](const std::string& each) { return (each == answer) == knows; }); // first, or last
            for (int i = 0; i < options.sequences && i < static_cast<int>(order.size()); ++i)
                out.sequences.push_back({order[static_cast<std::size_t>(i)], -1.0 - i, -1.0 - i, 2, false});
        } else {
            out.sequences.push_back({knows ? answer : "", -1, -1, 2, false});
        }
        out.text = out.sequences.front().text;
        return out;
    }
    std::int64_t countTokens(const std::string& text) const override { return static_cast<std::int64_t>(text.size()); }

private:
    std::string wanted(const std::string& prompt) const {
        const auto it = truth.find(prompt);
        return it == truth.end() ? "?" : it->second;
    }
    ModelInfo m_info;
};

AnalysisSpec specOf() {
    AnalysisSpec spec = defaultAnalysis(AnalysisKind::tasks);
    spec.options.set("indexing", std::string("random"));
    spec.options.set("test", std::int64_t(60));
    spec.options.set("draws", std::int64_t(200));
    return spec;
}

double meanOf(const TaskAnswers& answers, const char* metric) {
    double sum = 0;
    for (const double value : answers.values.at(metric))
        sum += value;
    return sum / static_cast<double>(answers.values.at(metric).size());
}

} // namespace

class TestTasks : public QObject {
    Q_OBJECT
private slots:
    void init() {
        m_data = shop();
        m_spec = specOf();
        m_world = *makeTaskWorld(m_data, analyses::taskWorldSettings(m_spec), {}, {});
    }
    void aModelThatKnowsIsWorthOneAndOneThatDoesNotIsWorthNothing() {
        for (const TaskFamily family : taskFamilies) {
            const auto questions = m_world->questions(family, Part::test, 40);
            QVERIFY2(questions.size() >= 20, name(family));
            const auto asksFor = family == TaskFamily::rating ? TaskAnswer::stars : family == TaskFamily::explanation ? TaskAnswer::sentence : family == TaskFamily::summary ? TaskAnswer::headline : TaskAnswer::item;
            const std::size_t form = m_world->templateFor(family, asksFor, true);
            Oracle model;
            for (const auto& question : questions) {
                const TaskText text = m_world->words(question, form);
                model.truth[text.source] = text.target;
            }
            const auto good = askTasks(model, *m_world, questions, form, {}, {});
            model.knows = false;
            const auto bad = askTasks(model, *m_world, questions, form, {}, {});
            QVERIFY2(good && bad, good ? "" : good.error().message.c_str());
            QCOMPARE(good->invalid, std::size_t(0));
            QVERIFY(good->heldOutWording);
            if (family == TaskFamily::rating) {
                QVERIFY(meanOf(*good, "squared") < 1e-9);
                QCOMPARE(meanOf(*good, "right"), 1.0);
                QVERIFY(std::fabs(bad->values.at("squared")[0] - std::pow(3 - static_cast<double>(m_data->reviews.stars[static_cast<std::size_t>(questions[0].review)]), 2)) < 1e-9); // the mean of five equal stars
            } else if (family == TaskFamily::explanation || family == TaskFamily::summary) {
                QCOMPARE(meanOf(*good, "rouge-l"), 1.0);
                QCOMPARE(meanOf(*bad, "rouge-l"), 0.0);
                QCOMPARE(bad->invalid, questions.size());
            } else {
                QCOMPARE(meanOf(*good, "ndcg@10"), 1.0);
                if (family == TaskFamily::direct) // a hundred equal scores: the place in the middle
                    QCOMPARE(meanOf(*bad, "hr@10"), 0.0);
            }
        }
    }
    void controlsOfAWorkedExample() {
        const auto direct = m_world->questions(TaskFamily::direct, Part::test, 40);
        const auto controls = *taskControls(*m_world, direct);
        QCOMPARE(controls[0].model, std::string("random of 100"));
        QVERIFY(std::fabs(meanOf(controls[0], "hr@10") - 0.1) < 1e-12);
        QVERIFY(std::fabs(meanOf(controls[0], "ndcg@10") - 0.0454) < 5e-5);
        QVERIFY(std::fabs(meanOf(controls[0], "ndcg@5") - 0.0295) < 5e-5);

        const auto rating = m_world->questions(TaskFamily::rating, Part::test, 40);
        const auto means = *taskControls(*m_world, rating);
        const auto row = static_cast<std::size_t>(rating[0].review);
        double sum = 0, n = 0; // by hand: the customer's other reviews that are known
        for (std::size_t r = 0; r < m_data->reviews.size(); ++r)
            if (m_data->reviews.user[r] == rating[0].user && m_world->split().reviewPart[r] == Part::train)
                sum += m_data->reviews.stars[r], n += 1;
        QVERIFY(n > 0);
        QVERIFY(std::fabs(means[0].values.at("squared")[0] - std::pow(sum / n - static_cast<double>(m_data->reviews.stars[row]), 2)) < 1e-9);

        const auto summary = m_world->questions(TaskFamily::summary, Part::test, 40);
        QCOMPARE((*taskControls(*m_world, summary))[0].texts[0], std::string("Came on Monday."));
    }
    void intervalsArePairedAndCoverTheDifference() {
        TaskAnswers a, b;
        a.family = b.family = TaskFamily::summary;
        std::vector<TaskQuestion> questions;
        for (int i = 0; i < 60; ++i) {
            a.values["rouge-l"].push_back(0.1 * (i % 7));
            b.values["rouge-l"].push_back(0.1 * (i % 7) + 0.05); // always a little better
            questions.push_back({.family = TaskFamily::summary, .user = static_cast<Code>(i / 2), .item = 0, .history = {}, .candidates = {}});
        }
        const TaskAnswers* columns[] = {&a, &b};
        const auto estimates = *analyses::taskEstimates(columns, 0, "rouge-l", questions, 500, 0.95, 1, {});
        QVERIFY(std::fabs(estimates[1].difference - 0.05) < 1e-12);
        QVERIFY(std::fabs(estimates[1].differenceInterval.low - 0.05) < 1e-9); // the same draws for both
        QVERIFY(estimates[1].interval.high - estimates[1].interval.low > 0.02);
    }
    void theDocumentSaysWhatIsAboveAndWhatIsNot() {
        for (const bool knows : {true, false}) {
            Oracle model;
            model.knows = knows;
            for (const TaskFamily family : taskFamilies)
                for (const auto& question : m_world->questions(family, Part::test, 60))
                    for (std::size_t form = 0; form < m_world->templates().size(); ++form)
                        if (m_world->templates()[form].family() == family) {
                            const TaskText text = m_world->words(question, form);
                            model.truth[text.source] = text.target;
                        }
            QTemporaryDir folder;
            int trained = 0;
            std::size_t pairs = 0;
            analyses::TasksHost host;
            host.languageModel = [&](const std::string&) -> Result<LanguageModel*> { return &model; };
            host.trainer.folder = folder.path().toStdString();
            host.trainer.train = [&](const TextToTextRequest& request, const RunControl&) -> Result<TextToTextReport> {
                ++trained;
                if (const auto wrong = checkRequest(request); !wrong)
                    return fail(wrong.error());
                CAROUSEL_ASSIGN(const auto first, request.pairs(0));
                pairs += first.size();
                CAROUSEL_TRY(makeFolders(request.folder));
                CAROUSEL_TRY(atomicWrite(request.folder + "/model.safetensors", "x"));
                TextToTextReport report;
                report.modelFolder = request.folder;
                report.tokens = 1000, report.seconds = 2, report.parameters = 5;
                report.validation = {{0, 3, {{3, 1}}}, {5, 2, {{2, 1}}}};
                return report;
            };
            m_spec.options.set("models", std::vector<std::string>{"one", "five"});
            const auto made = analyses::tasksDocument(m_data, m_spec, host, {});
            QVERIFY2(made.has_value(), made ? "" : made.error().message.c_str());
            QCOMPARE(trained, 6); // one, and one for each
            QVERIFY(pairs > 500);
            const auto figures = nlohmann::json::parse(made->figuresJson);
            QCOMPARE(figures["families"].size(), std::size_t(5));
            for (const auto& family : figures["families"])
                if (knows || family["family"] != "rating") // stars drawn evenly: to say 3 always is better than a customer's own mean
                    QVERIFY2(family["above"] == knows, family.dump().c_str());
            QVERIFY2((made->report.lead[0].find("all 5 families above") != std::string::npos) == knows, made->report.lead[0].c_str());
            QCOMPARE(keptTaskModels(host.trainer.folder).size(), std::size_t(6));
            const auto again = analyses::tasksDocument(m_data, m_spec, host, {});
            QVERIFY(again.has_value());
            QCOMPARE(trained, 6); // found again
            QVERIFY(nlohmann::json::parse(again->figuresJson)["families"] .size() == 5);
            m_spec.seed = 2;
            QVERIFY(analyses::tasksDocument(m_data, m_spec, host, {}).has_value());
            QCOMPARE(trained, 12); // another split: other models
            m_spec.seed = 1;
        }
    }
    void dataWithoutReviewsLeavesFamiliesOutAndSaysSo() {
        auto bare = std::make_shared<Dataset>(*m_data);
        bare->reviews = {};
        analyses::TasksHost host;
        Oracle model;
        QTemporaryDir folder;
        host.languageModel = [&](const std::string&) -> Result<LanguageModel*> { return &model; };
        host.trainer = {[&](const TextToTextRequest& request, const RunControl&) -> Result<TextToTextReport> {
                            CAROUSEL_TRY(makeFolders(request.folder));
                            TextToTextReport report;
                            report.modelFolder = request.folder;
                            return report;
                        },
                        folder.path().toStdString()};
        const auto made = analyses::tasksDocument(bare, m_spec, host, {});
        QVERIFY2(made.has_value(), made ? "" : made.error().message.c_str());
        QCOMPARE(made->report.warnings.size(), std::size_t(3));
        m_spec.options.set("families", std::vector<std::string>{"summary"});
        QCOMPARE(analyses::tasksDocument(bare, m_spec, host, {}).error().code, std::string("CL-3116"));
    }
    void theDeskAsksFiveThingsOfOneCustomerAndOneItem() {
        KeptTaskModel kept;
        kept.families.assign(taskFamilies.begin(), taskFamilies.end());
        const TaskDesk desk(kept, m_world);
        const auto question = m_world->questions(TaskFamily::rating, Part::test, 1).front();
        Oracle model;
        for (const TaskFamily family : taskFamilies) {
            auto card = desk.card(family, question.user, question.item);
            QVERIFY2(card.has_value() && card->refusal.empty(), name(family));
            QVERIFY(!card->prompt.empty());
            const auto answered = desk.ask(model, *card, {});
            QVERIFY2(answered.has_value(), answered ? "" : answered.error().message.c_str());
            QVERIFY(answered->answered);
            QVERIFY(nlohmann::json::parse(answered->trace).contains("prompt"));
            if (family == TaskFamily::rating) {
                QVERIFY(answered->note.find("Held out") != std::string::npos);
                QCOMPARE(answered->truth, std::to_string(static_cast<int>(m_data->reviews.stars[static_cast<std::size_t>(question.review)])));
            }
        }
        const auto edited = desk.card(TaskFamily::rating, question.user, question.item, {}, "Stars for {{title}}?");
        QVERIFY(edited && edited->prompt == "Stars for Thing number " + std::to_string(question.item) + "?" && edited->heldOutWording);
        QCOMPARE(desk.card(TaskFamily::rating, question.user, question.item, {}, "{{nothing}}").error().code, std::string("CL-3110"));
        QCOMPARE(desk.card(TaskFamily::rating, question.user, question.item, "rating-99").error().code, std::string("CL-3110"));
        KeptTaskModel one = kept;
        one.families = {TaskFamily::rating};
        QVERIFY(!TaskDesk(one, m_world).card(TaskFamily::direct, question.user, question.item)->refusal.empty());
    }
    void theWorldIsWrittenAndReadAgain() {
        TaskWorldSettings settings = analyses::taskWorldSettings(m_spec);
        settings.examples.rounds = {3, 1, 2, 0, 1};
        const auto read = taskWorldFromJson(toJson(settings, "digest"));
        QVERIFY(read.has_value());
        QCOMPARE(read->datasetDigest, std::string("digest"));
        QCOMPARE(toJson(read->settings, "digest"), toJson(settings, "digest"));
        QCOMPARE(taskWorldFromJson("[]").error().code, std::string("CL-3115"));
        QCOMPARE(taskWorldFromJson("{\"indexing\": \"random\"}").error().code, std::string("CL-3115"));
    }

private:
    DatasetPtr m_data;
    AnalysisSpec m_spec;
    std::shared_ptr<const TaskExamples> m_world;
};

QTEST_GUILESS_MAIN(TestTasks)
#include "test_tasks.moc"
