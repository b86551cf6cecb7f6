// SPDX-License-Identifier: GPL-3.0-or-later
// A language model as a user: what it is told, what its answers mean, what a blank page takes off, what is counted.
#include "experiment/llm_visitors.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {

// Wants products whose title has a word of the persona; likes the answer "1" whatever it reads, which the blank page must take off.
class Reader final : public LanguageModel {
public:
    double habit = 3, wish = 6;
    int calls = 0;
    std::vector<std::string> prompts;
    const ModelInfo& info() const override { return m_info; }
    Result<Matrix> embed(const std::vector<std::string>&, Pooling, const RunControl&) override { return Matrix(); }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl&) override {
        ++calls;
        const std::string persona = request.shared.back().content, page = request.branches.at(0);
        prompts.push_back(persona + page);
        BranchScores out;
        out.logits = Matrix(1, request.answers.size());
        for (std::size_t a = 0; a < request.answers.size(); ++a) {
            const std::string& answer = request.answers[a];
            double logit = answer == "1" ? habit : 0;
            if (const auto line = page.find("\n" + answer + ". "); line != std::string::npos) {
                const std::string title = page.substr(line + 4, page.find('\n', line + 4) - line - 4), kind = title.substr(0, title.find(' '));
                logit += kind.size() > 2 && persona.find(kind) != std::string::npos ? wish : 0;
            }
            out.logits.row(0)[a] = static_cast<float>(logit);
        }
        out.answerMass = {0.5f};
        out.truncated = {0};
        return out;
    }
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest&, const RunControl&) override { return ContinuationScores(); }
    Result<Generated> generate(const std::vector<ChatMessage>&, const GenerateOptions&, const RunControl&) override { return Generated(); }
    std::int64_t countTokens(const std::string& text) const override { return static_cast<std::int64_t>(text.size()); }

private:
    ModelInfo m_info;
};

std::shared_ptr<Dataset> shop() {
    auto data = std::make_shared<Dataset>();
    data->name = "shop";
    for (const char* user : {"ann", "bob"})
        data->users.ids.add(user);
    AttributeColumn title("title", FieldType::token);
    int number = 0;
    for (const char* text : {"Kettle red", "Kettle blue", "Tent small", "Tent large", "Lamp tall", "Lamp low", "Book thin", "Book thick", "Rope long", "Cup white", "Mat grey", "Pan black", "Fork plain"}) {
        data->items.ids.add("p" + std::to_string(number++));
        const std::string_view view = text;
        title.appendTokens(std::span(&view, 1));
    }
    data->items.attributes.push_back(std::move(title));
    return data;
}

} // namespace

class TestLlmVisitors : public QObject {
    Q_OBJECT
private slots:
    void picksWhatThePersonaWantsAndNotAHabit() {
        const auto data = shop();
        Behaviour behaviour;
        Reader model;
        LlmVisitors users(*data, {{0}, {}}, {}, behaviour, model, {});
        QVERIFY(users.personaOf(0).find("Kettle red") != std::string::npos);
        const std::int32_t page[] = {2, 4, 1, 6, 8, 9};
        const auto chance = users.actions(users.personaOf(0), page, {});
        QVERIFY(chance);
        QCOMPARE(chance->size(), std::size_t(8));
        double sum = 0;
        for (const double p : *chance)
            sum += p;
        QVERIFY(std::fabs(sum - 1) < 1e-9);
        const double wanted = std::exp(6.0) / (std::exp(6.0) + 7); // the habit is gone
        QVERIFY2(std::fabs((*chance)[2] - wanted) < 1e-5, qPrintable(QString::number((*chance)[2])));
        QVERIFY(std::fabs((*chance)[0] - (*chance)[1]) < 1e-6);
        // A customer of whom nothing is known is the blank page itself: nothing is preferred.
        const auto nobody = users.actions(users.personaOf(1), page, {});
        for (const double p : *nobody)
            QVERIFY(std::fabs(p - 1.0 / 8) < 1e-6);
    }
    void visitsTurnPagesLeaveAndMissWhatLiesBehind() {
        const auto data = shop();
        Behaviour behaviour;
        behaviour.buy = 1;
        Reader model;
        model.habit = 0, model.wish = 20;
        LlmVisitors users(*data, {{0}, {}}, {}, behaviour, model, {});
        VisitMemory memory;
        // The kettle stands on the second page: who turns to it buys it, who leaves has missed it.
        const std::int32_t slate[] = {2, 3, 4, 5, 6, 7, 8, 1, 9, 10, 11, 12};
        int clicks = 0, missed = 0, turned = 0;
        for (int i = 0; i < 2000; ++i) {
            RandomStream random(1, "visit", static_cast<std::uint64_t>(i));
            const auto visit = users.visit(0, slate, memory, random, {});
            QVERIFY(visit);
            if (visit->clickSlot == 7) {
                ++clicks;
                QVERIFY(visit->bought && visit->pages == 2);
            }
            turned += visit->pages == 2;
            missed += visit->missed;
        }
        QVERIFY(std::abs(turned - 250) < 60); // one of eight actions of the first page
        QCOMPARE(clicks, turned);
        QVERIFY(missed > 1.0 / 8 * 2000 - 60 && missed < 1.0 / 8 * 2000 + 60); // those who left
        const LlmVisitorCounts counts = users.counts();
        QCOMPARE(counts.pages, std::int64_t(2000 + turned));
        QCOMPARE(counts.clicks + counts.leaves + counts.swipes, counts.pages);
        QCOMPARE(counts.leakedPages, std::int64_t(0));
        // A page with the very title of the history leaks, and is counted.
        RandomStream random(2, "visit");
        const std::int32_t leaky[] = {0, 2, 3, -1, -1, -1};
        QVERIFY(users.visit(0, leaky, memory, random, {}));
        QCOMPARE(users.counts().leakedPages, std::int64_t(1));
        QCOMPARE(users.counts().leakedClicks, std::int64_t(1));
    }
    void clicksOfEarlierVisitsAreTold() {
        const auto data = shop();
        Behaviour behaviour;
        Reader model;
        LlmVisitors users(*data, {{0}, {}}, {}, behaviour, model, {});
        const std::vector<std::int32_t> clicked{4};
        QVERIFY(users.personaOf(1, clicked).find("Lamp tall") != std::string::npos);
        QVERIFY(users.personaOf(1) != users.personaOf(1, clicked));
    }
    void offsetsBringTheModelToWhatPeopleDo() {
        std::vector<std::vector<double>> pages;
        RandomStream random(3, "pages");
        for (int i = 0; i < 60; ++i) {
            std::vector<double> page;
            double sum = 0;
            for (int a = 0; a < 8; ++a)
                page.push_back(std::exp(2 * random.normal())), sum += page.back();
            for (double& p : page)
                p /= sum;
            pages.push_back(page);
        }
        const ActionOffsets offsets = fitActionOffsets(pages, 0.25, 0.4);
        double opened = 0, turned = 0;
        for (const auto& page : pages) {
            double products = 0, sum = 0;
            for (std::size_t a = 0; a < 6; ++a)
                products += page[a] * std::exp(offsets.product);
            const double next = page[6] * std::exp(offsets.next);
            sum = products + next + page[7];
            opened += products / sum / 60, turned += next / sum / 60;
        }
        QVERIFY(std::fabs(opened - 0.25) < 1e-6);
        QVERIFY(std::fabs(turned / (1 - opened) - 0.4) < 1e-6);
    }
};

QTEST_GUILESS_MAIN(TestLlmVisitors)
#include "test_llm_visitors.moc"
