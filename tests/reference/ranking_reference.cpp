// SPDX-License-Identifier: GPL-3.0-or-later
// Our side of compare_ranking.py.
//   ranking_reference make FOLDER               writes a random run of 200 users without ties, as the program exports runs
//   ranking_reference evaluate RUN QRELS OUT    reads TREC files back and writes our figures per user as JSON
#include "base/file.h"
#include "base/random.h"
#include "evaluation/metrics/run_file.h"
#include "evaluation/metrics/tie_expectation.h"
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <span>

using namespace carousel;

namespace {
Result<void> make(const std::string& folder) {
    std::vector<NamedList> run, binary, graded;
    for (std::uint64_t u = 0; u < 200; ++u) {
        RandomStream random(20, "reference", u);
        const std::string user = "user " + std::to_string(u * 7919 % 1000); // with a blank, and not in the order of the ids
        NamedList list{.user = user}, truth{.user = user}, grades{.user = user};
        const std::size_t length = 12 + random.below(89);
        std::vector<double> scores;
        for (std::size_t i = 0; i < length; ++i) {
            list.items.push_back("item" + std::to_string(random.below(1000) + i * 1000));
            scores.push_back(random.uniform());
        }
        const std::size_t relevant = 1 + random.below(u % 4 == 0 ? 25 : 6); // some users have more relevant items than k
        for (std::size_t i = 0; i < relevant; ++i) {
            const bool listed = random.below(4) != 0 && i < length;
            truth.items.push_back(listed ? list.items[i] : "unlisted" + std::to_string(i));
            truth.values.push_back(1);
            grades.values.push_back(static_cast<double>(1 + random.below(5)));
        }
        grades.items = truth.items;
        std::vector<std::size_t> order(length);
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
        NamedList sorted{.user = user};
        for (const auto i : order)
            sorted.items.push_back(list.items[i]);
        run.push_back(std::move(sorted));
        binary.push_back(std::move(truth));
        graded.push_back(std::move(grades));
    }
    CAROUSEL_TRY(atomicWrite(folder + "/random.run", writeTrecRun(run, "carousel-lab")));
    CAROUSEL_TRY(atomicWrite(folder + "/binary.qrels", writeTrecQrels(binary)));
    return atomicWrite(folder + "/graded.qrels", writeTrecQrels(graded));
}

// As asField in run_file.cpp writes ids: outside tools see the escaped form.
std::string escaped(const std::string& id) {
    std::string text;
    for (const char c : id)
        text += c == ' ' ? "%20" : std::string(1, c);
    return text;
}

Result<void> evaluate(const std::string& runFile, const std::string& qrelsFile, const std::string& out) {
    CAROUSEL_ASSIGN(const auto runText, readFile(runFile));
    CAROUSEL_ASSIGN(const auto qrelsText, readFile(qrelsFile));
    CAROUSEL_ASSIGN(const auto run, readTrecRun(runText, runFile));
    CAROUSEL_ASSIGN(const auto qrels, readTrecQrels(qrelsText, qrelsFile));
    CAROUSEL_ASSIGN(const auto joined, joinRun(run, qrels));
    std::string json = "{";
    for (const int k : {10, 1000}) {
        const auto definitions = metricDefinitions(k);
        const auto values = evaluateRanking(joined.users, {}, {.k = k, .bootstrap = 1});
        for (std::size_t m = 0; m < 6; ++m) { // the per-user accuracy metrics
            json += fmt::format("{}\n\"{}\": {{\"mean\": {:.17g}, \"perUser\": {{", json.size() > 1 ? "," : "",
                                definitions[m].id + "@" + std::to_string(k), values[m].value);
            for (std::size_t u = 0; u < joined.userIds.size(); ++u)
                json += fmt::format("{}\"{}\": {:.9g}", u > 0 ? ", " : "", escaped(joined.userIds[u]), values[m].perUser[u]);
            json += "}}";
        }
    }
    return atomicWrite(out, json + "\n}\n");
}
} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    Result<void> done = fail(ErrorKind::usage, "CL-3001", "usage: ranking_reference make FOLDER | evaluate RUN QRELS OUT");
    if (arguments.size() == 2 && arguments[0] == "make")
        done = make(arguments[1]);
    else if (arguments.size() == 4 && arguments[0] == "evaluate")
        done = evaluate(arguments[1], arguments[2], arguments[3]);
    if (!done)
        std::fprintf(stderr, "%s\n", describe(done.error()).c_str());
    return done ? 0 : exitCode(done.error().kind);
}
