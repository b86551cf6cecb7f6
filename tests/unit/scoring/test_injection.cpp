// SPDX-License-Identifier: GPL-3.0-or-later
// Vectors inside a prompt: a token's own embedding given as a vector is that token; what is shared depends on the vectors; what is wrong is
// refused.
#include "llm/model_host.h"
#include "unit/scoring/tiny_decoder.h"
#include <QTest>
#include <cmath>

using namespace carousel;

namespace {
const std::string mark = injectedMark;

BranchRequest asked(const std::string& inPrompt, const std::string& inBranch) {
    BranchRequest request;
    request.shared = {{"system", "judge"}, {"user", "they like " + inPrompt + " and t:"}};
    request.branches = {" one " + inBranch + "!", " two"};
    request.answers = {"Yes", "No"};
    return request;
}
double largestDifference(const BranchScores& a, const BranchScores& b) {
    double largest = a.logits.values.size() == b.logits.values.size() && !a.logits.values.empty() ? 0 : 1e30;
    for (std::size_t i = 0; i < std::min(a.logits.values.size(), b.logits.values.size()); ++i)
        largest = std::max(largest, std::fabs(double(a.logits.values[i]) - b.logits.values[i]));
    return largest;
}
} // namespace

class TestInjection : public QObject {
    Q_OBJECT
    builder::Folder m_folder;
    std::vector<std::unique_ptr<ModelHost>> m_hosts; // each with models of its own, so that nothing is kept from another

    LanguageModel* open(const std::string& architecture) {
        const auto file = m_folder.write(architecture + ".gguf", tiny::gguf(architecture));
        OpenOptions options;
        options.computeType = "fp32";
        options.device = "cpu";
        m_hosts.push_back(std::make_unique<ModelHost>(options, ModelShelf(), std::string(CAROUSEL_BINARY_DIR) + "/lib"));
        auto model = m_hosts.back()->languageModel(file);
        if (!model)
            qFatal("%s", describe(model.error()).c_str());
        return *model;
    }
    BranchScores scored(LanguageModel& model, const BranchRequest& request) {
        auto scores = model.scoreBranches(request, {});
        if (!scores)
            qFatal("%s", describe(scores.error()).c_str());
        return std::move(*scores);
    }

private slots:
    void aTokensOwnEmbeddingIsThatToken_data() {
        QTest::addColumn<QString>("architecture");
        QTest::newRow("llama, tied head") << "llama";
        QTest::newRow("qwen2, a head of its own") << "qwen2";
    }
    void aTokensOwnEmbeddingIsThatToken() {
        QFETCH(QString, architecture);
        LanguageModel* const model = open(architecture.toStdString());
        const auto own = model->tokenEmbeddings({"Yes", "No", "", "YesNo"}, {});
        QVERIFY(own.has_value());
        QCOMPARE(own->columns, std::size_t(model->info().width));
        for (std::size_t k = 0; k < own->columns; ++k) { // a text's embedding is the mean of its tokens'
            QCOMPARE(own->row(2)[k], 0.0f);
            QVERIFY(std::fabs(own->row(3)[k] - (own->row(0)[k] + own->row(1)[k]) / 2) < 1e-6f);
        }
        auto given = asked(mark, mark);
        given.injected = Matrix(1, own->columns);
        std::copy_n(own->row(0).begin(), own->columns, given.injected.row(0).begin());
        given.injectedOfBranch = {Matrix(1, own->columns), Matrix(0, own->columns)};
        std::copy_n(own->row(1).begin(), own->columns, given.injectedOfBranch[0].row(0).begin());
        const auto words = scored(*model, asked("Yes", "No")), vectors = scored(*model, given);
        QVERIFY2(largestDifference(words, vectors) < 1e-4, qPrintable(QString::number(largestDifference(words, vectors))));
        QCOMPARE(vectors.prefixTokens + vectors.branchTokens + vectors.cachedTokens,
                 words.prefixTokens + words.branchTokens + words.cachedTokens);
        std::swap(given.injected.values, given.injectedOfBranch[0].values); // the other words
        const auto turned = scored(*model, given);
        QVERIFY(largestDifference(words, turned) > 1e-3);
        QVERIFY(largestDifference(scored(*model, asked("No", "Yes")), turned) < 1e-4);
    }
    void whatIsSharedDependsOnTheVectors() {
        LanguageModel* const model = open("llama");
        const auto width = static_cast<std::size_t>(model->info().width);
        std::vector<BranchRequest> users;
        for (int u = 0; u < 3; ++u) { // the last as the first
            auto request = asked("Yes " + mark, "No");
            request.injected = Matrix(1, width);
            for (std::size_t k = 0; k < width; ++k)
                request.injected.values[k] = std::sin(static_cast<float>(k) * (u == 1 ? 0.3f : 0.7f));
            request.injectedOfBranch = {};
            users.push_back(request);
        }
        const auto together = model->scoreBranchesOf(users, {});
        QVERIFY(together.has_value());
        for (std::size_t u = 0; u < users.size(); ++u) {
            LanguageModel* const fresh = open("llama"); // nothing kept from before
            QVERIFY(largestDifference((*together)[u], scored(*fresh, users[u])) < 1e-5);
            QVERIFY(largestDifference((*together)[u], scored(*model, users[u])) < 1e-5); // one after the other, with what is kept
        }
        QVERIFY(largestDifference((*together)[0], (*together)[1]) > 1e-3);
        QCOMPARE((*together)[2].prefixTokens + (*together)[2].branchTokens, 0); // an equal prompt is computed once
        QVERIFY((*together)[1].prefixTokens > 0);
        const auto again = scored(*model, users[2]); // the kept prompt holds the vector and is taken up
        QVERIFY(again.cachedTokens > 0 && largestDifference(again, (*together)[0]) < 1e-5);
    }
    void manyVectorsAreForgottenAndPromptsStayRight() {
        LanguageModel* const model = open("llama");
        const auto width = static_cast<std::size_t>(model->info().width);
        auto request = asked(mark, "No");
        request.injected = Matrix(1, width);
        request.injected.values[0] = 1;
        const auto before = scored(*model, request);
        auto many = asked("Yes", "No"); // vectors beyond what is kept; the context is cut to what fits, the list of vectors is not
        constexpr std::size_t rows = 16400;
        std::string marks;
        for (std::size_t i = 0; i < rows; ++i)
            marks += mark;
        many.branches = {marks};
        many.injectedOfBranch = {Matrix(rows, width)};
        for (std::size_t r = 0; r < rows; ++r)
            many.injectedOfBranch[0].row(r)[0] = static_cast<float>(r) + 2;
        QCOMPARE(scored(*model, many).truncated[0], std::uint8_t(1));
        QVERIFY(largestDifference(before, scored(*model, request)) < 1e-5);
    }
    void theMarkIsACharacterWhereNothingIsGivenAndElseCounted() {
        LanguageModel* const model = open("llama");
        const auto width = static_cast<std::size_t>(model->info().width);
        QVERIFY(model->scoreBranches(asked(mark, ""), {}).has_value());
        const auto code = [&](const std::function<void(BranchRequest&)>& change) {
            auto request = asked(mark, mark);
            request.injected = Matrix(1, width);
            request.injectedOfBranch = {Matrix(1, width), Matrix(0, width)};
            change(request);
            const auto scores = model->scoreBranches(request, {});
            return scores ? std::string("none") : scores.error().code;
        };
        QCOMPARE(code([](auto&) {}), std::string("none"));
        QCOMPARE(code([](auto& r) { r.injected.rows = 2, r.injected.values.resize(2 * r.injected.columns); }), std::string("CL-2096"));
        QCOMPARE(code([](auto& r) { r.injectedOfBranch.clear(); }), std::string("CL-2096"));    // a mark in the branch, no row
        QCOMPARE(code([](auto& r) { r.injectedOfBranch.pop_back(); }), std::string("CL-2096")); // one branch of two
        QCOMPARE(code([](auto& r) { r.injected = Matrix(1, 3); }), std::string("CL-2096"));     // another width
        QCOMPARE(code([](auto& r) { r.injected.values[5] = NAN; }), std::string("CL-2096"));
    }
};

QTEST_APPLESS_MAIN(TestInjection)
#include "test_injection.moc"
