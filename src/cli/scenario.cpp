// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/scenario.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/child.h"
#include "cli/json_path.h"
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sys/file.h>
#include <unistd.h>

namespace carousel::cli {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

struct Step {
    int line = 0;
    std::string word, rest, body; // "stdout", "contains Made", text of a <<EOF
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

// First word of `text`, which it loses.
std::string taken(std::string& text) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string::npos) {
        text.clear();
        return {};
    }
    const auto end = std::min(text.find(' ', begin), text.size());
    std::string word = text.substr(begin, end - begin);
    const auto next = text.find_first_not_of(' ', end);
    text = next == std::string::npos ? "" : text.substr(next);
    return word;
}

// Words as a shell would part them, with '...' and "..." and nothing else.
std::vector<std::string> words(const std::string& line) {
    std::vector<std::string> out;
    std::string word;
    bool any = false;
    char quote = 0;
    for (const char c : line) {
        if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            any = true;
        } else if (c == ' ') {
            if (any)
                out.push_back(word);
            word.clear();
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    if (any)
        out.push_back(word);
    return out;
}

bool isCommand(const Step& step) { return step.word == "$" || step.word == "$kill" || step.word == "$stop"; }

std::string tail(const std::string& text, std::size_t limit = 3000) { return text.size() <= limit ? text : "...\n" + text.substr(text.size() - limit); }

class Runner {
public:
    explicit Runner(std::string file) : m_file(std::move(file)) {}
    ~Runner() {
        for (const auto& name : m_environment)
            ::unsetenv(name.c_str());
        for (const auto& [path, descriptor] : m_held)
            ::close(descriptor);
        std::error_code ignored;
        if (!m_folder.empty())
            fs::remove_all(m_folder, ignored);
    }
    Result<ScenarioResult> run();

private:
    Result<std::vector<Step>> parse(const std::string& text) const;
    bool expectation(const Step& step);
    Result<bool> action(const Step& step); // false: not an action word
    bool checkText(const Step& step, const std::string& text, std::string rest);
    bool checkJson(const Step& step, std::string rest);
    bool checkFile(const Step& step, std::string rest);
    bool checkFolder(const Step& step, std::string rest);
    bool failed(const Step& step, const std::string& why);
    bool closeCommand();
    Error misread(int line, const std::string& why) const {
        return {ErrorKind::input, "CL-3030", fmt::format("{}:{}: {}", m_file, line, why), "See tests/scenarios/README.md for the words a scenario knows."};
    }

    std::string m_file, m_folder;
    std::string m_command; // the last one, as written
    int m_commandLine = 0;
    bool m_ran = false, m_exitSeen = false;
    ChildResult m_last;
    std::map<std::string, std::string> m_noted; // path -> sha256
    std::map<std::string, int> m_held;
    std::set<std::string> m_environment;
    ScenarioResult m_result;
};

Result<std::vector<Step>> Runner::parse(const std::string& text) const {
    std::vector<Step> steps;
    const auto lines = split(text, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string line(trimmed(lines[i]));
        if (line.empty() || line[0] == '#')
            continue;
        line = replaced(replaced(line, "{tmp}", m_folder), "{samples}", sampleDataFolder());
        line = replaced(replaced(line, "{models}", modelFolder()), "{data}", dataFolder());
        Step step;
        step.line = static_cast<int>(i) + 1;
        if (const auto here = line.find(" <<"); here != std::string::npos && line[0] != '$') {
            const std::string end(trimmed(std::string_view(line).substr(here + 3)));
            line.resize(here);
            for (++i; i < lines.size() && trimmed(lines[i]) != end; ++i)
                step.body += replaced(std::string(lines[i]), "{tmp}", m_folder) + "\n";
            if (i == lines.size())
                return fail(misread(step.line, "the text has no end '" + end + "'"));
        }
        step.rest = line;
        step.word = taken(step.rest);
        steps.push_back(std::move(step));
    }
    return steps;
}

bool Runner::failed(const Step& step, const std::string& why) {
    m_result.failure = fmt::format("{}:{}: {} {}\n  {}\n", m_file, step.line, step.word, step.rest, why);
    if (m_ran)
        m_result.failure += fmt::format("  command (line {}): {}\n  exit: {}{}\n  stdout:\n{}\n  stderr:\n{}\n", m_commandLine, m_command, m_last.exit,
                                        m_last.signal != 0 ? fmt::format(" (signal {})", m_last.signal) : "", tail(m_last.out), tail(m_last.err));
    return false;
}

// A command whose exit code no line speaks of must succeed.
bool Runner::closeCommand() {
    if (!m_ran || m_exitSeen || (m_last.exit == 0 && m_last.signal == 0))
        return true;
    return failed({m_commandLine, "$", m_command, {}}, "expected exit 0, since no `exit` line follows");
}

bool Runner::checkText(const Step& step, const std::string& text, std::string rest) {
    const std::string how = taken(rest);
    if (how == "contains")
        return text.find(rest) != std::string::npos || failed(step, "not found in " + step.word);
    if (how == "lacks")
        return text.find(rest) == std::string::npos || failed(step, "found in " + step.word);
    if (how == "empty")
        return text.empty() || failed(step, step.word + " is not empty");
    if (how == "matches") {
        try {
            return std::regex_search(text, std::regex(rest)) || failed(step, "no match in " + step.word);
        } catch (const std::regex_error& error) {
            return failed(step, std::string("bad expression: ") + error.what());
        }
    }
    return failed(step, "expected contains, lacks, matches or empty");
}

bool Runner::checkJson(const Step& step, std::string rest) {
    const json document = json::parse(m_last.out, nullptr, false);
    if (document.is_discarded())
        return failed(step, "stdout is not exactly one JSON value");
    const std::string path = taken(rest), how = taken(rest);
    const auto value = valueAt(document, path);
    if (how == "exists")
        return value || failed(step, "not there");
    if (how == "absent")
        return !value || failed(step, "it is there: " + value->dump());
    if (!value)
        return failed(step, "no such value");
    if (how == "save")
        return atomicWrite(rest, value->dump(1) + "\n") ? true : failed(step, "cannot be written");
    return holds(*value, how, rest) || failed(step, "the value is " + value->dump());
}

bool Runner::checkFile(const Step& step, std::string rest) {
    const std::string how = taken(rest), path = taken(rest);
    std::error_code error;
    if (how == "exists")
        return fs::exists(path, error) || failed(step, "it does not exist");
    if (how == "missing")
        return !fs::exists(path, error) || failed(step, "it exists");
    const auto bytes = readFile(path);
    if (!bytes)
        return failed(step, describe(bytes.error()));
    if (how == "unchanged") {
        const auto noted = m_noted.find(path);
        if (noted == m_noted.end())
            return failed(step, "there was no `note` of this file");
        return noted->second == sha256(*bytes) || failed(step, "its bytes changed");
    }
    if (how == "same") {
        const auto other = readFile(rest);
        return (other && *other == *bytes) || failed(step, "the two files differ");
    }
    Step text = step;
    text.word = "file";
    return checkText(text, *bytes, how + " " + rest);
}

// folder PATH holds a b c: exactly these names, so that nothing half-written stays unseen.
bool Runner::checkFolder(const Step& step, std::string rest) {
    const std::string path = taken(rest), how = taken(rest);
    if (how != "holds")
        return failed(step, "expected holds");
    std::set<std::string> expected, found;
    for (const auto& word : words(rest))
        expected.insert(word);
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
        found.insert(it->path().filename().string());
    return expected == found || failed(step, fmt::format("it holds: {}", fmt::join(found, " ")));
}

bool Runner::expectation(const Step& step) {
    ++m_result.expectations;
    if (step.word == "exit") {
        m_exitSeen = true;
        return (m_last.signal == 0 && std::to_string(m_last.exit) == step.rest) || failed(step, fmt::format("the exit code is {}", m_last.exit));
    }
    if (step.word == "stdout")
        return checkText(step, m_last.out, step.rest);
    if (step.word == "stderr")
        return checkText(step, m_last.err, step.rest);
    if (step.word == "json")
        return checkJson(step, step.rest);
    if (step.word == "file")
        return checkFile(step, step.rest);
    if (step.word == "folder")
        return checkFolder(step, step.rest);
    if (step.word == "seconds")
        return holds(json(m_last.seconds), "<", step.rest.substr(std::min<std::size_t>(step.rest.size(), 2))) || failed(step, fmt::format("it took {:.3f} s", m_last.seconds));
    return failed(step, "unknown word");
}

Result<bool> Runner::action(const Step& step) {
    std::string rest = step.rest;
    if (step.word == "write") {
        CAROUSEL_TRY(makeFolders(fs::path(rest).parent_path().string()));
        CAROUSEL_TRY(atomicWrite(rest, step.body));
    } else if (step.word == "copy") {
        const auto list = words(rest);
        if (list.size() != 2)
            return fail(misread(step.line, "copy FROM TO"));
        CAROUSEL_ASSIGN(const auto bytes, readFile(list[0]));
        CAROUSEL_TRY(makeFolders(fs::path(list[1]).parent_path().string()));
        CAROUSEL_TRY(atomicWrite(list[1], bytes));
    } else if (step.word == "cut") { // cut FILE BYTES: keep the first bytes
        const std::string path = taken(rest);
        CAROUSEL_ASSIGN(auto bytes, readFile(path));
        bytes.resize(std::min(bytes.size(), static_cast<std::size_t>(parseInteger(rest).value_or(0))));
        CAROUSEL_TRY(atomicWrite(path, bytes));
    } else if (step.word == "patch") { // patch FILE OFFSET HEX
        const auto list = words(rest);
        if (list.size() != 3)
            return fail(misread(step.line, "patch FILE OFFSET HEX"));
        CAROUSEL_ASSIGN(auto bytes, readFile(list[0]));
        const auto offset = static_cast<std::size_t>(parseInteger(list[1]).value_or(0));
        for (std::size_t i = 0; i + 1 < list[2].size(); i += 2)
            if (offset + i / 2 < bytes.size())
                bytes[offset + i / 2] = static_cast<char>(std::strtol(list[2].substr(i, 2).c_str(), nullptr, 16));
        CAROUSEL_TRY(atomicWrite(list[0], bytes));
    } else if (step.word == "note") {
        CAROUSEL_ASSIGN(m_noted[rest], sha256File(rest));
    } else if (step.word == "hold") { // what another instance does to a project
        const int descriptor = ::open((rest + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (descriptor < 0 || ::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
            return fail(misread(step.line, "the lock cannot be held"));
        const std::string text = fmt::format("process {} on this machine\n", static_cast<long>(::getpid()));
        (void)!::pwrite(descriptor, text.data(), text.size(), 0);
        m_held[rest] = descriptor;
    } else if (step.word == "release") {
        if (const auto held = m_held.extract(rest))
            ::close(held.mapped());
    } else if (step.word == "set") {
        const auto equals = rest.find('=');
        if (equals == std::string::npos)
            return fail(misread(step.line, "set NAME=VALUE"));
        ::setenv(rest.substr(0, equals).c_str(), rest.substr(equals + 1).c_str(), 1);
        m_environment.insert(rest.substr(0, equals));
    } else if (step.word == "needs") {
        if (!fileExists(rest))
            m_result.skipped = fmt::format("'{}' is not on this machine", rest);
    } else if (isCommand(step)) {
        int acks = 0;
        if (step.word != "$") // after so many commits; how a killed one ends is not checked
            acks = static_cast<int>(parseInteger(taken(rest)).value_or(1));
        auto list = words(rest);
        if (list.empty())
            return fail(misread(step.line, "no command"));
        if (list.front() == "carousel-lab-cli")
            list.front() = ownProgram();
        m_command = rest;
        m_commandLine = step.line;
        CAROUSEL_ASSIGN(m_last, runChild(list, 300, acks, step.word == "$stop" ? SIGINT : SIGKILL));
        m_ran = true;
        m_exitSeen = step.word == "$kill";
        ++m_result.commands;
        if (m_last.timedOut)
            failed(step, "the command did not end within 300 s");
    } else {
        return false;
    }
    return true;
}

Result<ScenarioResult> Runner::run() {
    const auto begin = std::chrono::steady_clock::now();
    CAROUSEL_ASSIGN(const auto text, readFile(m_file, std::size_t(4) << 20));
    std::error_code error;
    m_folder = (fs::temp_directory_path(error) / "carousel-scenario-XXXXXX").string();
    if (error || ::mkdtemp(m_folder.data()) == nullptr)
        return fail(ErrorKind::io, "CL-5004", "No temporary folder can be made.", "Set TMPDIR to a folder that may be written to.");
    CAROUSEL_ASSIGN(const auto steps, parse(text));
    for (const auto& step : steps) {
        if (isCommand(step) && !closeCommand())
            break;
        CAROUSEL_ASSIGN(const bool acted, action(step));
        if (!acted && !m_ran && step.word != "file" && step.word != "folder")
            return fail(misread(step.line, fmt::format("'{}' is not known here", step.word)));
        if (!m_result.skipped.empty() || !m_result.failure.empty() || (!acted && !expectation(step)))
            break;
    }
    if (m_result.failure.empty() && m_result.skipped.empty())
        closeCommand();
    m_result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return m_result;
}

} // namespace

Result<ScenarioResult> runScenario(const std::string& file) { return Runner(file).run(); }

} // namespace carousel::cli
