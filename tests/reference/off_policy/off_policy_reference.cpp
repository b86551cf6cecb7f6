// SPDX-License-Identifier: GPL-3.0-or-later
// Our side of compare_off_policy.py: reads the columns that it wrote and prints one line per estimate, "id lambda value".
//   off_policy_reference rounds FOLDER ACTIONS LAMBDA...
//   off_policy_reference slates FOLDER
#include "base/file.h"
#include "evaluation/off_policy/slate.h"
#include "evaluation/off_policy/tuning.h"
#include <cstdio>
#include <cstring>
#include <filesystem>

using namespace carousel;

namespace {
// A column that was not written is empty.
template <class T> Result<void> load(const std::string& path, std::vector<T>& values) {
    if (!std::filesystem::exists(path))
        return {};
    CAROUSEL_ASSIGN(const std::string bytes, readFile(path));
    values.resize(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return {};
}

Result<void> rounds(const std::string& folder, std::size_t actions, const std::vector<double>& lambdas) {
    BanditLog log;
    std::vector<double> policy, predictions;
    std::vector<std::int32_t> action;
    CAROUSEL_TRY(load(folder + "/reward", log.reward));
    CAROUSEL_TRY(load(folder + "/propensity", log.propensity));
    CAROUSEL_TRY(load(folder + "/mixture", log.mixturePropensity));
    CAROUSEL_TRY(load(folder + "/logger", log.logger));
    CAROUSEL_TRY(load(folder + "/action", action));
    CAROUSEL_TRY(load(folder + "/policy", policy));
    CAROUSEL_TRY(load(folder + "/predictions", predictions));
    for (auto* column : {&log.target, &log.predicted, &log.predictedUnderTarget})
        column->resize(log.rounds());
    CAROUSEL_TRY(ofLoggedAction(policy, action, actions, log.target));
    CAROUSEL_TRY(ofLoggedAction(predictions, action, actions, log.predicted));
    CAROUSEL_TRY(expectedReward(policy, predictions, actions, log.predictedUnderTarget));
    CAROUSEL_TRY(checkBanditLog(log));
    for (const auto& info : offPolicyEstimators()) {
        for (const double lambda : info.hasLambda ? lambdas : std::vector<double>{0})
            if (const auto value = offPolicyValue(info.estimator, log, lambda))
                std::printf("%s %.17g %.17g\n", info.id.c_str(), lambda, *value);
        if (info.hasLambda)
            for (const char* method : {"mse bound", "slope"}) {
                std::vector<double> candidates;
                for (const double lambda : lambdas)
                    if (offPolicyValue(info.estimator, log, lambda))
                        candidates.push_back(lambda);
                CAROUSEL_ASSIGN(const LambdaChoice choice, off_policy::tuneLambda(info.estimator, log, method, candidates, RunControl()));
                std::printf("%s %s %.17g\n", info.id.c_str(), method[0] == 's' ? "slope" : "mse", choice.lambda);
            }
    }
    return {};
}

Result<void> slates(const std::string& folder) {
    SlateLog log;
    std::vector<std::int64_t> offsets;
    CAROUSEL_TRY(load(folder + "/offsets", offsets));
    log.offsets.assign(offsets.begin(), offsets.end());
    CAROUSEL_TRY(load(folder + "/reward", log.reward));
    CAROUSEL_TRY(load(folder + "/conditional", log.conditional));
    CAROUSEL_TRY(load(folder + "/targetConditional", log.targetConditional));
    CAROUSEL_TRY(load(folder + "/marginal", log.marginal));
    CAROUSEL_TRY(load(folder + "/targetMarginal", log.targetMarginal));
    CAROUSEL_TRY(load(folder + "/predicted", log.predicted));
    CAROUSEL_TRY(load(folder + "/predictedUnderTarget", log.predictedUnderTarget));
    log.rewardHigh = 3;
    for (const auto& info : slatePolicyEstimators()) {
        CAROUSEL_ASSIGN(const double value, slatePolicyValue(info.estimator, log));
        std::printf("%s 0 %.17g\n", info.id.c_str(), value);
    }
    return {};
}
} // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    Result<void> done = fail(ErrorKind::usage, "CL-3001", "usage: off_policy_reference rounds FOLDER ACTIONS LAMBDA... | slates FOLDER");
    if (what == "rounds" && argc > 3) {
        std::vector<double> lambdas;
        for (int i = 4; i < argc; ++i)
            lambdas.push_back(std::strtod(argv[i], nullptr));
        done = rounds(argv[2], std::strtoul(argv[3], nullptr, 10), lambdas);
    } else if (what == "slates" && argc == 3) {
        done = slates(argv[2]);
    }
    if (!done)
        std::fprintf(stderr, "%s\n", describe(done.error()).c_str());
    return done ? 0 : 1;
}
