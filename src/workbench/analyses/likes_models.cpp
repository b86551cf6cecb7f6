// SPDX-License-Identifier: GPL-3.0-or-later
// The questions of a like prediction put to a language model: as it is, with an adapter trained on a few examples, and through a head on
// its hidden states. An adapter is kept in a folder named after all that made it, and used again.
#include "base/file.h"
#include "base/hash.h"
#include "base/random.h"
#include "evaluation/statistics/auc.h"
#include "evaluation/statistics/logistic_regression.h"
#include "workbench/analyses/likes.h"
#include "workbench/analyses/question_words.h"
#include <algorithm>
#include <chrono>
#include <cmath>

namespace carousel::analyses {

namespace {

constexpr double leastMass = 0.01;             // of Yes and No together
constexpr std::size_t stoppingQuestions = 128; // of the validation part, that decide when training ends
constexpr double penalties[] = {1, 10, 100, 1000, 10000};

class Stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count(); }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

struct Answers {
    std::vector<double> scores; // logit(Yes) - logit(No)
    std::size_t invalid = 0;
};

Result<Answers> ask(LanguageModel& model, const QuestionWords& words, std::span<const LikeInstance> questions, const std::string& stage,
                    const RunControl& control) {
    Answers out;
    const auto take = [&](const BranchScores& answer) -> Result<void> {
        if (answer.missing(0))
            return fail(ErrorKind::input, "CL-3093",
                        fmt::format("{} gave no usable answer to a question: {}.", model.info().id,
                                    answer.reasons.empty() ? "" : answer.reasons[0]),
                        "Use an embedded model, or a server that reports the likelihood of Yes and No.");
        out.scores.push_back(static_cast<double>(answer.logits.row(0)[0]) - answer.logits.row(0)[1]);
        out.invalid += !(answer.answerMass[0] >= leastMass);
        return {};
    };
    CAROUSEL_TRY(askAboutTitles(model, words, questions, [&](const LikeInstance& each) { return words.likeQuestion(each); }, {"Yes", "No"},
                                stage, take, control));
    return out;
}

Result<LikeColumn> answered(LanguageModel& model, const std::string& method, const QuestionWords& words, const LikeQuestions& questions,
                            const RunControl& control) {
    const Stopwatch watch;
    CAROUSEL_ASSIGN(Answers validation, ask(model, words, questions.validation, "Asking " + method, control.slice(0, 0.25)));
    CAROUSEL_ASSIGN(Answers test, ask(model, words, questions.test, "Asking " + method, control.slice(0.25, 1)));
    LikeColumn out;
    out.method = method;
    out.validation = std::move(validation.scores);
    out.test = std::move(test.scores);
    out.invalid = test.invalid;
    out.answerSeconds = watch.seconds();
    out.usesLanguageModel = true;
    return out;
}

std::vector<FineTuneExample> examplesOf(const QuestionWords& words, std::span<const LikeInstance> instances) {
    std::vector<FineTuneExample> out;
    for (const LikeInstance& each : instances)
        out.push_back({{{"user", words.likeQuestion(each) + " " + words.title(each.item)}}, each.liked ? "Yes" : "No", 1});
    return out;
}

// The adapter for these examples, trained or found; the folder and how long training took.
struct Adapter {
    std::string folder;
    double seconds = 0;
};
Result<Adapter> adapterFor(const std::string& model, const ModelInfo& info, const QuestionWords& words, std::span<const LikeInstance> training,
                           std::span<const LikeInstance> stopping, const AnalysisSpec& spec, int seed, const LikesHost& host,
                           const RunControl& control) {
    FineTuneRequest request;
    request.examples = examplesOf(words, training);
    request.validation = examplesOf(words, stopping);
    FineTuneSettings& settings = request.settings;
    settings.schedule.rate = spec.options.number("rate");
    settings.epochs = static_cast<int>(spec.options.integer("epochs"));
    settings.patience = 2;
    settings.metric = ValidationMetric::auc;
    settings.seed = spec.seed + static_cast<std::uint64_t>(seed);
    if (info.device != "cpu")
        settings.pieceTokens = 8192; // a graphics card waits for launches, not for arithmetic
    const std::string key = sha256(info.sha256 + digestOf(request)).substr(0, 12);
    request.name = fmt::format("likes-{}-{}", training.size(), key);
    request.folder = host.adapterFolder + "/" + request.name;
    Adapter out{request.folder, 0};
    if (fileExists(request.folder + "/adapter_config.json"))
        return out;
    request.resume = fileExists(request.folder + "/checkpoint.safetensors");
    CAROUSEL_ASSIGN(const FineTuneReport report, host.fineTune(model, request, control));
    if (report.end == FineTuneEnd::cancelled)
        return fail(RunControl::cancelled("training an adapter"));
    out.seconds = report.seconds;
    return out;
}

Result<Matrix> hiddenOf(LanguageModel& model, const QuestionWords& words, std::span<const LikeInstance> instances, const RunControl& control) {
    Matrix out;
    for (std::size_t i = 0; i < instances.size(); ++i) {
        HiddenRequest request;
        request.shared = {{"user", words.likeQuestion(instances[i])}};
        request.branches = {" " + words.title(instances[i].item)};
        CAROUSEL_ASSIGN(const HiddenVectors hidden, model.hiddenStates(request, control.quiet()));
        if (out.rows == 0)
            out = Matrix(instances.size(), hidden.rows.columns);
        std::copy_n(hidden.rows.row(0).begin(), out.columns, out.row(i).begin());
        control.report("Reading hidden states", static_cast<double>(i + 1), static_cast<double>(instances.size()), "questions");
    }
    return out;
}

std::vector<std::uint8_t> labels(std::span<const LikeInstance> instances) {
    std::vector<std::uint8_t> out;
    for (const LikeInstance& each : instances)
        out.push_back(each.liked);
    return out;
}

std::vector<double> linear(const LinearModel& head, const Matrix& rows) {
    std::vector<double> out;
    for (std::size_t i = 0; i < rows.rows; ++i)
        out.push_back(head.linear(rows.row(i)));
    return out;
}

// The penalty is the one that does best on the validation part; equal ones: the strongest.
Result<LikeColumn> headColumn(const Matrix& training, std::span<const std::uint8_t> liked, const Matrix& validation,
                              std::span<const std::uint8_t> validationLiked, const Matrix& test) {
    LikeColumn out;
    const Stopwatch watch;
    double best = -1;
    for (const double penalty : penalties) {
        CAROUSEL_ASSIGN(const LinearModel head, fitLogistic(training, liked, penalty));
        std::vector<double> scores = linear(head, validation);
        const double area = areaUnderRoc(scores, validationLiked);
        if (area >= best) {
            best = area;
            out.validation = std::move(scores);
            out.test = linear(head, test);
        }
    }
    out.trainSeconds = watch.seconds();
    out.usesLanguageModel = true;
    return out;
}

Matrix firstRows(const Matrix& from, std::size_t count) {
    Matrix out(count, from.columns);
    std::copy_n(from.values.begin(), out.values.size(), out.values.begin());
    return out;
}

} // namespace

LikeQuestions drawQuestions(const LikeInstances& all, std::size_t validation, std::size_t test, std::size_t training, int seeds,
                            std::uint64_t seed) {
    const auto drawn = [&](std::size_t from, std::size_t count, const char* stream, std::uint64_t key) { // places, without replacement
        std::vector<std::size_t> places(from);
        for (std::size_t i = 0; i < from; ++i)
            places[i] = i;
        RandomStream random(seed, stream, key);
        count = count == 0 ? from : std::min(count, from);
        for (std::size_t i = 0; i < count; ++i)
            std::swap(places[i], places[i + random.below(from - i)]);
        places.resize(count);
        return places;
    };
    const auto some = [&](const std::vector<LikeInstance>& from, std::size_t count, const char* stream) {
        auto places = drawn(from.size(), count, stream, 0);
        std::sort(places.begin(), places.end());
        std::vector<LikeInstance> out;
        for (const std::size_t place : places)
            out.push_back(from[place]);
        return out;
    };
    LikeQuestions out;
    out.validation = some(all.validation, validation, "likes: validation");
    out.test = some(all.test, test, "likes: test");
    for (int s = 0; s < seeds; ++s) {
        // Likes and dislikes in turn, so that every beginning of the list is balanced as far as there are enough of both.
        std::vector<LikeInstance> kinds[2], list;
        for (const std::size_t place : drawn(all.train.size(), 0, "likes: training", static_cast<std::uint64_t>(s)))
            if (auto& kind = kinds[all.train[place].liked]; kind.size() < training)
                kind.push_back(all.train[place]);
        for (std::size_t i = 0; list.size() < training && (i < kinds[0].size() || i < kinds[1].size()); ++i)
            for (const auto& kind : {kinds[1], kinds[0]})
                if (i < kind.size() && list.size() < training)
                    list.push_back(kind[i]);
        out.training.push_back(std::move(list));
    }
    return out;
}

std::vector<LikeColumn> likeControls(const LikeInstances& all, const LikeQuestions& questions) {
    const auto column = [&](const std::string& method, auto score) {
        LikeColumn out;
        out.method = method;
        for (const LikeInstance& each : questions.validation)
            out.validation.push_back(score(each));
        for (const LikeInstance& each : questions.test)
            out.test.push_back(score(each));
        return out;
    };
    return {column("like rate of the window",
                   [](const LikeInstance& each) {
                       const auto likes = static_cast<double>(each.likedBefore.size()),
                                  dislikes = static_cast<double>(each.dislikedBefore.size());
                       return (likes + 1) / (likes + dislikes + 2);
                   }),
            column("item mean", [&](const LikeInstance& each) { return all.itemMean(each.item); })};
}

Result<LikeColumn> stackedColumn(const std::string& method, int seed, std::span<const LikeColumn* const> columns,
                                 const LikeQuestions& questions) {
    const auto rows = [&](auto part, std::size_t count) {
        Matrix out(count, columns.size());
        for (std::size_t c = 0; c < columns.size(); ++c)
            for (std::size_t i = 0; i < count; ++i)
                out.row(i)[c] = static_cast<float>(part(*columns[c])[i]);
        return out;
    };
    const Matrix validation =
        rows([](const LikeColumn& c) -> const std::vector<double>& { return c.validation; }, questions.validation.size());
    const Matrix test = rows([](const LikeColumn& c) -> const std::vector<double>& { return c.test; }, questions.test.size());
    CAROUSEL_ASSIGN(const LinearModel model, fitLogistic(validation, labels(questions.validation), 1));
    LikeColumn out;
    out.method = method;
    out.seed = seed;
    out.validation = linear(model, validation);
    out.test = linear(model, test);
    for (const LikeColumn* column : columns)
        out.usesLanguageModel = out.usesLanguageModel || column->usesLanguageModel;
    return out;
}

Result<std::vector<LikeColumn>> likeModels(const Dataset& dataset, const LikeQuestions& questions, const AnalysisSpec& spec,
                                           const LikesHost& host, const RunControl& control) {
    const QuestionWords words(dataset, static_cast<std::size_t>(spec.options.integer("textLength")));
    const std::string id = spec.options.text("model");
    const auto& wanted = spec.options.list("methods");
    const auto asked = [&](const char* method) { return std::find(wanted.begin(), wanted.end(), method) != wanted.end(); };
    std::vector<int> sizes;
    for (const auto& text : spec.options.list("examples"))
        sizes.push_back(std::stoi(text));
    std::sort(sizes.begin(), sizes.end());
    std::vector<LikeColumn> out;
    CAROUSEL_ASSIGN(LanguageModel* const model, host.languageModel(id));
    const double parts = (asked("zero-shot") ? 1 : 0) + (asked("head") ? 2 : 0) +
                         (asked("lora") ? static_cast<double>(sizes.size() * questions.training.size()) * 3 : 0);
    double done = 0;
    const auto part = [&](double share) {
        const RunControl slice = control.slice(done / parts, (done + share) / parts);
        done += share;
        return slice;
    };
    if (asked("zero-shot")) {
        CAROUSEL_ASSIGN(LikeColumn column, answered(*model, "zero-shot", words, questions, part(1)));
        out.push_back(std::move(column));
    }
    if (asked("head")) {
        const RunControl slice = part(2);
        const Stopwatch watch;
        CAROUSEL_ASSIGN(const Matrix validation, hiddenOf(*model, words, questions.validation, slice.slice(0, 0.2)));
        CAROUSEL_ASSIGN(const Matrix test, hiddenOf(*model, words, questions.test, slice.slice(0.2, 0.6)));
        const double answerSeconds = watch.seconds();
        const auto validationLiked = labels(questions.validation);
        for (std::size_t s = 0; s < questions.training.size(); ++s) {
            const Stopwatch reading;
            CAROUSEL_ASSIGN(const Matrix training, hiddenOf(*model, words, questions.training[s], slice.slice(0.6, 1)));
            const double seconds = reading.seconds();
            for (const int size : sizes) {
                const auto count = std::min(static_cast<std::size_t>(size), training.rows);
                const auto liked = labels(std::span(questions.training[s]).first(count));
                CAROUSEL_ASSIGN(LikeColumn column, headColumn(firstRows(training, count), liked, validation, validationLiked, test));
                column.method = "head";
                column.examples = size;
                column.seed = static_cast<int>(s);
                column.trainSeconds += seconds * static_cast<double>(count) / static_cast<double>(training.rows);
                column.answerSeconds = answerSeconds;
                out.push_back(std::move(column));
            }
        }
    }
    if (asked("lora"))
        for (std::size_t s = 0; s < questions.training.size(); ++s)
            for (const int size : sizes) {
                const RunControl training = part(2), asking = part(1);
                const auto count = std::min(static_cast<std::size_t>(size), questions.training[s].size());
                const auto stopping = std::span(questions.validation).first(std::min(stoppingQuestions, questions.validation.size()));
                CAROUSEL_ASSIGN(const Adapter adapter, adapterFor(id, model->info(), words, std::span(questions.training[s]).first(count),
                                                                  stopping, spec, static_cast<int>(s), host, training));
                CAROUSEL_ASSIGN(LanguageModel* const tuned, host.languageModel(id + "@" + adapter.folder));
                CAROUSEL_ASSIGN(LikeColumn column,
                                answered(*tuned, fmt::format("an adapter of {} examples", size), words, questions, asking));
                column.method = "lora";
                column.examples = size;
                column.seed = static_cast<int>(s);
                column.trainSeconds = adapter.seconds;
                out.push_back(std::move(column));
            }
    return out;
}

} // namespace carousel::analyses
