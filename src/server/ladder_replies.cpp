// SPDX-License-Identifier: GPL-3.0-or-later
// How each rung's reply is read.
#include "base/text.h"
#include "server/ladder.h"
#include <algorithm>
#include <cmath>

namespace carousel::server {

using nlohmann::json;

namespace {

tl::unexpected<std::string> unusable(std::string why) {
    return tl::unexpected<std::string>(std::move(why));
}

LabelRead failedRead(std::string problem) {
    LabelRead out;
    out.problem = std::move(problem);
    return out;
}

Read<std::vector<double>> numbersIn(const json& list, std::size_t wanted) {
    if (!list.is_array() || list.size() != wanted)
        return unusable(fmt::format("the reply has {} numbers for {} answers", list.is_array() ? list.size() : 0, wanted));
    std::vector<double> out;
    for (const auto& value : list) {
        if (!value.is_number())
            return unusable(fmt::format("a probability is {}", value.is_null() ? "null" : "not a number"));
        out.push_back(value.get<double>());
    }
    return out;
}

} // namespace

std::optional<std::size_t> Ladder::whichOf(const std::string& reply, const std::vector<std::string>& texts) {
    std::string said(trimmed(reply));
    if (const auto parsed = strictJson(said); parsed && parsed->is_string())
        said = parsed->get<std::string>();
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (said == texts[i]) // the whole of it: "Yes, but" is not Yes
            return i;
    return std::nullopt;
}

namespace {

// SGLang's own route: a list, each entry with the name it was sent under.
Read<std::vector<LabelRead>> generateReads(const json& reply, const std::vector<std::size_t>& prompts, const std::vector<Label>& labels) {
    if (!reply.is_array() || reply.size() != prompts.size())
        return unusable(fmt::format("the reply has {} entries for {} prompts", reply.is_array() ? reply.size() : 0, prompts.size()));
    std::vector<LabelRead> out(prompts.size());
    std::vector<bool> seen(prompts.size(), false);
    for (const auto& entry : reply) {
        if (!entry.is_object() || !entry.contains("meta_info") || !entry["meta_info"].is_object())
            return unusable("an entry has no meta_info");
        const json& meta = entry["meta_info"];
        const std::string id = meta.contains("id") && meta["id"].is_string() ? meta["id"].get<std::string>() : "";
        const auto at = std::find_if(prompts.begin(), prompts.end(), [&](std::size_t index) { return id == fmt::format("p{}", index); });
        if (at == prompts.end())
            return unusable(fmt::format("an entry is called {}, which was not asked", quotedForMessage(id, 40)));
        const auto place = static_cast<std::size_t>(at - prompts.begin());
        if (seen[place])
            return unusable(fmt::format("two entries are called {}", id));
        seen[place] = true;
        const json* list = meta.contains("output_token_ids_logprobs") ? &meta["output_token_ids_logprobs"] : nullptr;
        if (!list || !list->is_array() || list->empty() || !(*list)[0].is_array())
            return unusable("an entry tells no log-probabilities of the chosen tokens");
        std::vector<TokenProbability> tokens;
        for (const auto& triple : (*list)[0]) {
            if (!triple.is_array() || triple.size() < 2 || !triple[1].is_number_integer())
                return unusable("a chosen token's log-probability has a shape that is not known");
            const auto value = logProbabilityIn(triple[0]);
            if (!value) {
                out[place].problem = value.error();
                break;
            }
            tokens.push_back({"", triple[1].get<std::int64_t>(), *value});
        }
        if (out[place].problem.empty() && tokens.size() < labels.size())
            out[place].problem = fmt::format("{} of {} chosen tokens have a log-probability", tokens.size(), labels.size());
        if (out[place].problem.empty())
            out[place] = labelsIn(tokens, labels);
    }
    return out;
}

} // namespace

Read<std::vector<LabelRead>> Ladder::reads(const Batch& batch, const json& reply, const std::vector<Prompt>& prompts,
                                           const std::vector<Label>& labels) const {
    const std::size_t n = batch.prompts.size();
    std::vector<LabelRead> out;
    if (m_card.rung == Rung::label && m_card.kind == ServerKind::sglang) {
        const auto scores = reply.is_object() ? reply.find("scores") : reply.end();
        if (!reply.is_object() || scores == reply.end() || !scores->is_array() || scores->size() != n)
            return unusable(fmt::format("the reply has not {} scores", n));
        for (const auto& row : *scores) {
            const auto numbers = numbersIn(row, labels.size());
            if (!numbers && (!row.is_array() || row.size() != labels.size()))
                return unusable(numbers.error());
            out.push_back(numbers ? labelsFromProbabilities(*numbers) : failedRead(numbers.error()));
        }
        return out;
    }
    if (m_card.rung == Rung::label) {
        const auto data = reply.is_object() ? reply.find("data") : reply.end();
        if (!reply.is_object() || data == reply.end() || !data->is_array() || data->size() != n)
            return unusable(fmt::format("the reply has not {} entries in data", n));
        out.resize(n);
        std::vector<bool> seen(n, false);
        for (const auto& entry : *data) {
            const auto index = entry.is_object() && entry.contains("index") && entry["index"].is_number_integer()
                                   ? entry["index"].get<std::int64_t>()
                                   : -1;
            if (index < 0 || index >= static_cast<std::int64_t>(n) || seen[static_cast<std::size_t>(index)])
                return unusable(fmt::format("the entries' indices are not 0 to {}", n - 1));
            const auto at = static_cast<std::size_t>(index);
            seen[at] = true;
            const auto number = entry.contains("score") ? numbersIn(json::array({entry["score"]}), 1)
                                                        : Read<std::vector<double>>(unusable("an entry has no score"));
            // One label of several: that it is 0 alone is no problem yet.
            out[at] = number ? labelsFromProbabilities(*number) : failedRead(number.error());
            if (number && (*number)[0] == 0)
                out[at].problem.clear();
        }
        return out;
    }
    if (m_card.rung == Rung::chosen && m_card.kind == ServerKind::sglang)
        return generateReads(reply, batch.prompts, labels);
    const auto choices = choicesOf(reply, n);
    if (!choices)
        return unusable(choices.error());
    for (std::size_t i = 0; i < n; ++i) {
        const json& choice = *(*choices)[i];
        if (m_card.rung == Rung::text) {
            const bool said = choice.contains("message") && choice["message"].is_object() && choice["message"].contains("content") &&
                              choice["message"]["content"].is_string();
            const std::string content = said ? choice["message"]["content"].get<std::string>() : "";
            std::vector<std::string> answers;
            for (const auto& label : labels)
                answers.push_back(label.forms.back());
            const auto which = choice["finish_reason"] == "stop" ? whichOf(content, answers) : std::nullopt; // cut text is no answer
            if (!which) {
                out.push_back(failedRead(fmt::format("the reply is {}, which is none of the answers", quotedForMessage(content, 60))));
                continue;
            }
            LabelRead read;
            read.logProbability.assign(labels.size(), -1); // 1 for the answer given, 0 for the others, once the difference is taken
            read.logProbability[*which] = 0;
            read.mass = 1;
            read.best = answers[*which];
            out.push_back(std::move(read));
        } else if (m_card.rung == Rung::echo) {
            const auto logprobs = choice.find("logprobs");
            const std::size_t place = prompts[batch.prompts[i]].ids.size(); // of the answer's token
            const auto list = logprobs != choice.end() && logprobs->is_object() ? logprobs->find("token_logprobs") : choice.end();
            if (logprobs == choice.end() || !logprobs->is_object() || list == logprobs->end() || !list->is_array() || list->size() <= place)
                return unusable("the prompt is not echoed with a log-probability for each token");
            const auto value = logProbabilityIn((*list)[place]);
            if (!value) {
                out.push_back(failedRead(value.error()));
                continue;
            }
            LabelRead read;
            read.logProbability = {*value};
            read.mass = std::exp(*value);
            out.push_back(std::move(read));
        } else {
            const auto top = firstTokenOf(choice);
            out.push_back(top ? labelsIn(*top, labels) : failedRead(top.error()));
            if (m_card.rung == Rung::chosen && out.back().censored && out.back().problem.empty())
                out.back().problem = "a chosen token has no log-probability";
        }
    }
    return out;
}

} // namespace carousel::server
