// SPDX-License-Identifier: GPL-3.0-or-later
// The scorer that is a program of somebody's own: the example's numbers, and every way in which such a program can go wrong.
#include "checks.h"
#include "support/child_program.h"
#include <cerrno>
#include <chrono>
#include <cmath>
#include <numeric>
#include <sys/wait.h>

namespace carousel::conformance {

namespace {

struct Answer {
    std::string error; // of fit or score; empty: none
    std::vector<float> scores;
    std::vector<ScoreStatus> status;
    double seconds = 0;
};

// A program that follows the protocol up to the question, and then does `then`.
std::string program(const std::string& then, const std::string& first = "pass") {
    return fmt::format("'{}' -c '\n"
                       "import sys, json, time\n"
                       "{}\n"
                       "for text in sys.stdin:\n"
                       "    line = json.loads(text)\n"
                       "    if line[\"type\"] == \"fit\":\n"
                       "        print(json.dumps({{\"ready\": True}}), flush=True)\n"
                       "    if line[\"type\"] == \"score\":\n"
                       "        {}\n'",
                       CAROUSEL_TEST_PYTHON, first, then);
}

Answer ask(const PluginRegistry& registry, const SmallData& data, const std::string& command, double timeout = 20,
           const std::string& options = "") {
    const auto begin = std::chrono::steady_clock::now();
    Answer out;
    Bench bench;
    const auto& entry = *must(registry.find(StageKind::scorer, "external"));
    const auto parameters =
        parametersOf(entry, {{"command", command}, {"timeout", timeout}, {"trainTimeout", timeout}, {"options", options}});
    {
        const auto scorer = must(entry.manifest.createScorer(parameters, bench.environment()));
        const FeatureTable features;
        const EmbeddingTable embeddings;
        std::vector<Code> items(data.training.itemCount());
        std::iota(items.begin(), items.end(), 0);
        out.scores.resize(items.size());
        out.status.resize(items.size());
        auto made = scorer->fit({data.training, features, embeddings}, {});
        if (made)
            made = scorer->score({0, items, data.training, {}}, out.scores, out.status, {});
        if (!made)
            out.error = describe(made.error());
    }
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return out;
}

std::string expect(const Answer& answer, const std::vector<std::string>& words) {
    for (const auto& word : words)
        if (answer.error.find(word) == std::string::npos)
            return fmt::format("'{}' is not in: {}", word, answer.error.empty() ? "no error" : answer.error);
    return answer.seconds < 2 ? "" : fmt::format("it took {:.1f} s", answer.seconds);
}

std::string equal(const Answer& answer, const std::vector<float>& wanted, const std::vector<ScoreStatus>& status) {
    if (!answer.error.empty())
        return answer.error;
    return answer.scores == wanted && answer.status == status ? "" : fmt::format("scores {}", fmt::join(answer.scores, " "));
}

} // namespace

void checkExternalAnswers(const PluginRegistry& registry, Report& report) {
    using enum ScoreStatus;
    const auto data = sequencesData(4, {{0, 1}, {0, 2}, {0}}); // liked by 3, 1, 1, 0 users; user 0 has met 0 and 1
    const auto check = [&](const char* what, const std::function<std::string()>& body) { report.check("scorer/external", what, body); };
    const std::string example = exampleScorerCommand();

    check("the example gives the numbers that it computes", [&]() -> std::string {
        if (auto wrong = equal(ask(registry, data, example), {1.5f, 0.5f, 1, 0}, {ok, ok, ok, ok}); !wrong.empty())
            return wrong;
        return equal(ask(registry, data, example, 20, R"({"again": 0.25})"), {0.75f, 0.25f, 1, 0}, {ok, ok, ok, ok});
    });
    check("numbers in the candidates' order; what is left out, no number or not finite is flagged and gets the mean", [&]() -> std::string {
        if (auto wrong = equal(ask(registry, data, program("print(json.dumps({\"scores\": [1, float(\"nan\"), None, 4]}), flush=True)")),
                               {1, 2.5f, 2.5f, 4}, {ok, invalid, missing, ok});
            !wrong.empty())
            return wrong;
        return equal(ask(registry, data,
                         program("print(json.dumps({\"scores\": {\"i0\": float(\"-inf\"), \"i1\": 3, \"i3\": \"x\"}}), flush=True)")),
                     {3, 3, 3, 3}, {invalid, ok, missing, invalid});
    });
    check("a program that fills both its outputs before it reads does not hang", [&]() -> std::string {
        const auto chatty = program("print(json.dumps({\"scores\": [4, 3, 2, 1]}), flush=True)",
                                    "sys.stderr.write(\"x\" * 80 * 40000)\nsys.stderr.flush()\ntime.sleep(0.05)");
        return equal(ask(registry, data, chatty), {4, 3, 2, 1}, {ok, ok, ok, ok});
    });
    check("no command, no such program", [&]() -> std::string {
        if (auto wrong = expect(ask(registry, data, " "), {"CL-6061", "command"}); !wrong.empty())
            return wrong;
        if (auto wrong = expect(ask(registry, data, "python3 'open"), {"CL-6061", "quote"}); !wrong.empty())
            return wrong;
        return expect(ask(registry, data, "no-such-program-here"), {"CL-6062", "no-such-program-here"});
    });
    check("a program that dies while it learns, or at a question", [&]() -> std::string {
        if (auto wrong = expect(ask(registry, data, program("pass", "print(\"no memory for that\", file=sys.stderr)\nsys.exit(3)")),
                                {"CL-6063", "exit code 3", "no memory for that"});
            !wrong.empty())
            return wrong;
        return expect(ask(registry, data, program("x = 1 / 0")), {"CL-6063", "exit code 1", "ZeroDivisionError"});
    });
    check("a program that hangs at a question, while it learns, and without reading", [&]() -> std::string {
        if (auto wrong = expect(ask(registry, data, program("time.sleep(60)"), 0.5), {"CL-6064", "no answer in 0.5 seconds"});
            !wrong.empty())
            return wrong;
        if (auto wrong = expect(ask(registry, data, "sleep 60", 0.2), {"CL-6064", "no answer"}); !wrong.empty())
            return wrong;
        return expect(ask(registry, largerData(), "sleep 60", 0.2), {"CL-6064", "took nothing"});
    });
    check("a program that prints something else, too long a line, or says why not", [&]() -> std::string {
        if (auto wrong = expect(ask(registry, data, program("print(\"hello\", flush=True)")), {"CL-6066", "hello"}); !wrong.empty())
            return wrong;
        if (auto wrong = expect(ask(registry, data, program("print(\"{\\\"scores\\\": [1]}\", flush=True)")), {"CL-6066", "4 numbers"});
            !wrong.empty())
            return wrong;
        if (auto wrong = expect(ask(registry, data, program("print(json.dumps({\"error\": \"cold start\"}), flush=True)")),
                                {"CL-6067", "cold start"});
            !wrong.empty())
            return wrong;
        auto child = must(plugin::ChildProgram::start({CAROUSEL_TEST_PYTHON, "-c", "print('x' * 5000000)"}, 1 << 20));
        const auto line = child->readLine(20, {});
        return !line && line.error().code == "CL-6065" ? "" : "a line of 5 MB is read where 1 MiB are allowed";
    });
    check("stops at once when asked while the program thinks", [&]() -> std::string {
        auto child = must(plugin::ChildProgram::start({"sleep", "60"}));
        return checkStops([&](const RunControl& control) -> Result<void> {
            CAROUSEL_TRY(child->readLine(60, control));
            return {};
        });
    });
    check("what a program started is ended with it, and none is left behind", [&]() -> std::string {
        // The grandchild holds the pipes open: with the child alone gone, reading them to their end would wait for it.
        if (auto wrong = expect(ask(registry, data, "sh -c 'sleep 60 & exit 4'", 10), {"CL-6063", "exit code 4"}); !wrong.empty())
            return wrong;
        return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD ? "" : "a program is still there";
    });
    check("words of a command", [&]() -> std::string {
        const auto words = must(plugin::commandWords(R"( a 'b c' "d \"e" f\ g '' h'i'j )"));
        return words == std::vector<std::string>{"a", "b c", "d \"e", "f g", "", "hij"} ? "" : fmt::format("{}", fmt::join(words, "|"));
    });
}

} // namespace carousel::conformance
