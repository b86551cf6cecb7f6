// SPDX-License-Identifier: GPL-3.0-or-later
// A small shop with written reviews, what a model of the five tasks was taught about it, and a language model that answers by rule.
#pragma once
#include "reviewed_shop.h"
#include "workbench/tasks/task_desk.h"
#include <atomic>
#include <cmath>
#include <thread>

namespace carousel::test {

// Titles that a window must cut, and must not take for markup.
inline DatasetPtr reviewedShopOfLongTitles() {
    Shop shop;
    shop.title = [](int item) {
        return (item % 9 == 4 ? "<b>Bold</b> thing with a name that is rather long, number " : "Thing number ") + std::to_string(item);
    };
    return reviewedShop(shop);
}

inline std::shared_ptr<const TaskDesk> taskDeskOf(const KeptTaskModel& model) {
    const auto data = reviewedShopOfLongTitles();
    TaskSplitSettings split;
    split.reviewTestShare = 0.2;
    auto world = std::make_shared<const TaskExamples>(data, *makeTaskSplit(data, split, {}), randomIdentifiers(data->items.size(), 1),
                                                      *parseTaskTemplates(builtInTaskTemplates()), TaskSettings{});
    return std::make_shared<const TaskDesk>(model, std::move(world));
}

// Prefers the second answer of a list, the first items of a catalogue, and always writes the same sentence. `hold` keeps it waiting.
class RuleModel : public LanguageModel {
public:
    std::atomic<bool> hold{false};
    std::atomic<int> calls{0};

    RuleModel() { m_info.id = "rule"; }
    const ModelInfo& info() const override { return m_info; }
    Result<Matrix> embed(const std::vector<std::string>&, Pooling, const RunControl&) override {
        return fail(ErrorKind::usage, "CL-2094", "no vectors", "");
    }
    Result<BranchScores> scoreBranches(const BranchRequest& request, const RunControl& control) override {
        CAROUSEL_TRY(wait(control));
        BranchScores out;
        out.logits = Matrix(1, request.answers.size());
        for (std::size_t a = 0; a < request.answers.size(); ++a)
            out.logits.row(0)[a] = a == 1 ? 1.5F : 0.5F / static_cast<float>(a + 1);
        out.prefixTokens = 3;
        out.branchTokens = static_cast<std::int64_t>(request.branches.front().size() / 4);
        return out;
    }
    Result<ContinuationScores> scoreContinuations(const ContinuationRequest&, const RunControl&) override { return ContinuationScores{}; }
    Result<Generated> generate(const std::vector<ChatMessage>& messages, const GenerateOptions& options,
                               const RunControl& control) override {
        CAROUSEL_TRY(wait(control));
        Generated out;
        if (options.oneOf.empty())
            out.sequences.push_back({"the seams hold well", -1.25, -1.25, 5, false});
        for (std::size_t i = 0; i < options.oneOf.size() && static_cast<int>(i) < options.sequences; ++i)
            out.sequences.push_back({options.oneOf[i], -1.5 - 0.5 * static_cast<double>(i), 0, 2, false});
        out.text = out.sequences.front().text;
        out.promptTokens = static_cast<std::int64_t>(messages.front().content.size() / 4);
        out.generatedTokens = 5;
        return out;
    }
    std::int64_t countTokens(const std::string& text) const override { return static_cast<std::int64_t>(text.size() / 4); }

private:
    Result<void> wait(const RunControl& control) {
        ++calls;
        while (hold && !control.stopRequested())
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        if (control.stopRequested())
            return fail(RunControl::cancelled("The answer"));
        return {};
    }
    ModelInfo m_info;
};

} // namespace carousel::test
