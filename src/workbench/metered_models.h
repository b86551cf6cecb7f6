// SPDX-License-Identifier: GPL-3.0-or-later
// The models that one run or analysis asks for, each behind the answer cache and its own meter.
#pragma once
#include "llm/caching_model.h"
#include "llm/model_host.h"
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

namespace carousel {

class MeteredModels {
public:
    MeteredModels(ModelHost& host, CompletionCache* cache, CostMeter& cost) : m_host(host), m_cache(cache), m_cost(cost) {}
    Result<LanguageModel*> get(const std::string& id) {
        std::scoped_lock lock(m_mutex);
        if (const auto it = m_models.find(id); it != m_models.end())
            return it->second.get();
        CAROUSEL_ASSIGN(LanguageModel* const model, m_host.languageModel(id));
        return (m_models[id] = std::make_unique<CachingModel>(*model, m_cache, &m_cost)).get();
    }
    nlohmann::json described() const {
        auto out = nlohmann::json::array();
        for (const auto& [id, model] : m_models) {
            const auto& info = model->info();
            nlohmann::json entry{{"id", id}, {"file", info.file}, {"sha256", info.sha256}, {"format", info.format}, {"compute", info.computeType}, {"device", info.device}};
            if (const auto facts = nlohmann::json::parse(model->facts(), nullptr, false); facts.is_object())
                entry["server"] = facts;
            out.push_back(std::move(entry));
        }
        return out;
    }

private:
    ModelHost& m_host;
    CompletionCache* m_cache;
    CostMeter& m_cost;
    std::mutex m_mutex; // guards m_models
    std::map<std::string, std::unique_ptr<CachingModel>> m_models;
};

} // namespace carousel
