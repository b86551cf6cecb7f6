// SPDX-License-Identifier: GPL-3.0-or-later
#include "experiment/pipeline.h"
#include "experiment/training_clicks.h"
#include <algorithm>
#include <cmath>
#include <set>

namespace carousel {

Result<std::unique_ptr<Pipeline>> Pipeline::prepare(DatasetPtr dataset, const Split& split, const StudySpec& study, const StrategySpec& strategy,
                                                    const ExperimentHost& host, const RunControl& control) {
    auto out = std::make_unique<Pipeline>();
    out->dataset = dataset;
    CAROUSEL_ASSIGN(const auto model, presetEventModel(strategy.eventModel));
    CAROUSEL_ASSIGN(const auto clicks, trainingClicks(*dataset, split, strategy.training, study.evaluation, control));
    CAROUSEL_ASSIGN(auto view, TrainingView::make(dataset, split, model, study.evaluation.refitOnValidation, &clicks.log));
    out->training = std::make_unique<TrainingView>(std::move(view));

    StageEnvironment environment;
    environment.languageModel = host.languageModel;
    environment.cache = host.cache;
    environment.cost = host.cost;
    environment.seed = study.seed;
    environment.device = study.device;
    environment.plainScorer = plainScorers(*host.plugins, environment);
    environment.otherScorer = otherScorers(*host.plugins, environment);

    auto entry = [&](StageKind kind) { return host.plugins->find(kind, strategy.stage(kind).plugin); };
    auto parameters = [&](StageKind kind) -> const Parameters& { return strategy.stage(kind).parameters; };

    // features -> embeddings -> fitted scorer
    CAROUSEL_ASSIGN(const auto* feature, entry(StageKind::feature));
    CAROUSEL_ASSIGN(out->featureBuilder, feature->manifest.createFeature(parameters(StageKind::feature), environment));
    CAROUSEL_ASSIGN(out->features, out->featureBuilder->build(*out->training, control.slice(0.0, 0.4)));
    CAROUSEL_ASSIGN(const auto* encoder, entry(StageKind::encoder));
    CAROUSEL_ASSIGN(out->encoder, encoder->manifest.createEncoder(parameters(StageKind::encoder), environment));
    CAROUSEL_ASSIGN(out->embeddings, out->encoder->encode(out->features, *out->training, control.slice(0.4, 0.8)));
    const FitInput input{*out->training, out->features, out->embeddings};
    CAROUSEL_ASSIGN(const auto* scorer, entry(StageKind::scorer));
    CAROUSEL_ASSIGN(out->scorer, scorer->manifest.createScorer(parameters(StageKind::scorer), environment));
    CAROUSEL_TRY(out->scorer->fit(input, control.slice(0.8, 0.95)));
    out->retriever = out->scorer->retriever();

    CAROUSEL_ASSIGN(const auto* controller, entry(StageKind::controller));
    CAROUSEL_ASSIGN(out->controller, controller->manifest.createController(parameters(StageKind::controller), environment));
    std::set<std::string> wanted;
    if (out->retriever)
        wanted.insert(out->retriever->plugin);
    for (const auto& id : out->controller->retrievers())
        wanted.insert(id);
    for (const auto& id : wanted) {
        CAROUSEL_ASSIGN(const auto* plugin, host.plugins->find(StageKind::scorer, id));
        CAROUSEL_ASSIGN(auto defaults, validate(plugin->manifest.parameters, {}, "scorer '" + id + "'"));
        CAROUSEL_ASSIGN(auto made, plugin->manifest.createScorer(defaults, environment));
        if (made->retriever())
            return fail(ErrorKind::input, "CL-3012", fmt::format("'{}' cannot be a retriever: it needs a retriever itself.", id), "Choose a scorer that is cheap over the whole catalogue.");
        CAROUSEL_TRY(made->fit(input, control.slice(0.95, 1.0)));
        out->retrievers.emplace(id, std::move(made));
    }
    out->sequential = (scorer->manifest.usesLanguageModel && !scorer->manifest.modelInFitAlone) || controller->manifest.usesLanguageModel || out->scorer->oneAtATime();
    out->notes = clicks.notes;
    out->notes.insert(out->notes.end(), out->features.notes.begin(), out->features.notes.end());
    out->notes.insert(out->notes.end(), out->embeddings.notes.begin(), out->embeddings.notes.end());
    const auto learned = out->scorer->notes();
    out->notes.insert(out->notes.end(), learned.begin(), learned.end());
    if (out->retriever)
        out->notes.push_back(fmt::format("'{}' scores the best {} of '{}' for each user; what lies behind them keeps that retriever's order.", scorer->manifest.id,
                                         out->retriever->count, out->retriever->plugin));
    return out;
}

RequestTools::RequestTools(const Pipeline& pipeline, Code user, const RunControl& control) : m_pipeline(pipeline), m_user(user), m_control(control) {
    const auto seen = pipeline.training->seenItems(user);
    const auto items = static_cast<Code>(pipeline.training->itemCount());
    m_unseen.reserve(static_cast<std::size_t>(items));
    auto next = seen.begin();
    for (Code item = 0; item < items; ++item) {
        if (next != seen.end() && *next == item)
            ++next;
        else
            m_unseen.push_back(item);
    }
}

Result<std::vector<ScoredItem>> RequestTools::scoreWith(const Scorer& scorer, std::span<const Code> items, std::span<const float> retrieverScores) {
    std::vector<float> scores(items.size(), 0.0f);
    std::vector<ScoreStatus> status(items.size(), ScoreStatus::ok);
    CAROUSEL_TRY(scorer.score({m_user, items, *m_pipeline.training, retrieverScores}, scores, status, m_control));
    std::vector<ScoredItem> out(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        out[i] = {items[i], scores[i], status[i]};
        // A number that is not finite must never win a carousel: it is flagged and goes to the end.
        if (!std::isfinite(scores[i])) {
            out[i].score = 0;
            if (status[i] == ScoreStatus::ok)
                out[i].status = ScoreStatus::invalid;
        }
    }
    return out;
}

namespace {
bool usable(ScoreStatus status) { return status == ScoreStatus::ok || status == ScoreStatus::truncated || status == ScoreStatus::fallback; }
// Scored items first, best first; those without a usable score behind them. Ties by code only to have a fixed order: metrics take the
// mean over the orders of a tie.
void sortBestFirst(std::vector<ScoredItem>& items) {
    std::sort(items.begin(), items.end(), [](const ScoredItem& a, const ScoredItem& b) {
        if (usable(a.status) != usable(b.status))
            return usable(a.status);
        if (a.score != b.score)
            return a.score > b.score;
        return a.item < b.item;
    });
}
} // namespace

Result<std::vector<ScoredItem>> RequestTools::ranking(const Scorer& scorer) {
    CAROUSEL_ASSIGN(auto all, scoreWith(scorer, m_unseen));
    sortBestFirst(all);
    return all;
}

Result<std::vector<ScoredItem>> RequestTools::candidates() {
    if (m_pipeline.retriever)
        return retrieve(m_pipeline.retriever->plugin, m_pipeline.retriever->count);
    std::vector<ScoredItem> all(m_unseen.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i].item = m_unseen[i];
    return all;
}

Result<std::vector<ScoredItem>> RequestTools::retrieve(const std::string& scorerPlugin, int count) {
    const auto it = m_pipeline.retrievers.find(scorerPlugin);
    if (it == m_pipeline.retrievers.end())
        return fail(ErrorKind::internal, "CL-9001", fmt::format("The retriever '{}' was not asked for when the pipeline was prepared.", scorerPlugin),
                    "Name it in the controller's retrievers().");
    CAROUSEL_ASSIGN(auto all, ranking(*it->second));
    if (all.size() > static_cast<std::size_t>(std::max(count, 0)))
        all.resize(static_cast<std::size_t>(std::max(count, 0)));
    return all;
}

Result<std::vector<ScoredItem>> RequestTools::score(std::span<const Code> items) {
    m_scored += static_cast<std::int64_t>(items.size());
    std::vector<float> retrieverScores; // for scorers that blend with their retriever
    if (m_pipeline.retriever) {
        CAROUSEL_ASSIGN(const auto retrieved, scoreWith(*m_pipeline.retrievers.at(m_pipeline.retriever->plugin), items));
        for (const auto& item : retrieved)
            retrieverScores.push_back(item.score);
    }
    auto out = scoreWith(*m_pipeline.scorer, items, retrieverScores);
    if (out)
        m_notOk += std::count_if(out->begin(), out->end(), [](const auto& s) { return s.status != ScoreStatus::ok; });
    return out;
}

Result<std::vector<ScoredItem>> RequestTools::remainder(std::span<const Code> chosen) {
    std::vector<Code> sorted(chosen.begin(), chosen.end());
    std::sort(sorted.begin(), sorted.end());
    std::vector<ScoredItem> all;
    if (m_pipeline.retriever) {
        CAROUSEL_ASSIGN(all, ranking(*m_pipeline.retrievers.at(m_pipeline.retriever->plugin)));
    } else if (sorted.size() < m_unseen.size()) {
        CAROUSEL_ASSIGN(all, ranking(*m_pipeline.scorer));
    }
    std::erase_if(all, [&](const ScoredItem& s) { return std::binary_search(sorted.begin(), sorted.end(), s.item); });
    return all;
}

} // namespace carousel
