// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/child_program.h"
#include "base/text.h"
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char** environ;

namespace carousel::plugin {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t complaintsKept = 4096; // bytes of standard error
constexpr int glance = 40;                   // milliseconds between two looks at whether to stop

double since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Pipe {
    int ends[2] = {-1, -1};
    ~Pipe() {
        for (const int end : ends)
            if (end >= 0)
                ::close(end);
    }
    bool open() { return ::pipe2(ends, O_CLOEXEC) == 0; }
    int release(int end) {
        const int out = ends[end];
        ends[end] = -1;
        return out;
    }
};

void closeOnce(int& descriptor) {
    if (descriptor >= 0)
        ::close(descriptor);
    descriptor = -1;
}

// write() to a pipe that nobody reads raises SIGPIPE, which would end this program: held back for this thread, and taken away when it came.
ssize_t writeQuietly(int descriptor, std::string_view text) {
    sigset_t pipeSignal, before, pending;
    sigemptyset(&pipeSignal);
    sigaddset(&pipeSignal, SIGPIPE);
    sigpending(&pending);
    const bool wasPending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipeSignal, &before);
    const auto written = ::write(descriptor, text.data(), text.size());
    const int reason = errno;
    if (written < 0 && reason == EPIPE && !wasPending) {
        const timespec now{0, 0};
        while (sigtimedwait(&pipeSignal, nullptr, &now) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = reason;
    return written;
}

} // namespace

Result<std::vector<std::string>> commandWords(std::string_view command) {
    std::vector<std::string> words;
    std::string word;
    bool inWord = false;
    char quote = 0;
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char c = command[i];
        if (c == '\\' && quote != '\'' && i + 1 < command.size()) {
            word += command[++i];
            inWord = true;
        } else if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            inWord = true;
        } else if (c == ' ' || c == '\t' || c == '\n') {
            if (inWord)
                words.push_back(std::move(word));
            word.clear();
            inWord = false;
        } else {
            word += c;
            inWord = true;
        }
    }
    if (inWord)
        words.push_back(std::move(word));
    if (quote != 0)
        return fail(ErrorKind::input, "CL-6061",
                    fmt::format("The command '{}' opens a quote that is never closed.", quotedForMessage(std::string(command))),
                    "Close the quote, or write a backslash before it.");
    if (words.empty() || words.front().empty() || command.find('\0') != std::string_view::npos)
        return fail(ErrorKind::input, "CL-6061", "No program is named.", "Set parameter command, for example to: python3 scorer.py");
    return words;
}

Result<std::unique_ptr<ChildProgram>> ChildProgram::start(const std::vector<std::string>& words, std::size_t longestLine) {
    Pipe input, output, errors;
    if (!input.open() || !output.open() || !errors.open())
        return fail(ErrorKind::io, "CL-6062",
                    fmt::format("'{}' cannot be started: no pipe can be made: {}.", words.front(), std::strerror(errno)),
                    "Close other programs or raise the limit of open files.");
    std::vector<char*> arguments;
    for (const auto& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors.ends[1], STDERR_FILENO);
    // A group of its own, so that what it starts can be ended with it; signals as any program expects them.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP})
        sigaddset(&defaults, signal);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t process = 0;
    const int failed = ::posix_spawnp(&process, words.front().c_str(), &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return fail(ErrorKind::input, "CL-6062",
                    fmt::format("'{}' cannot be started: {}.", quotedForMessage(words.front()), std::strerror(failed)),
                    "Check the first word of the command: it is a program in PATH, or a path to one that may be run.");
    std::unique_ptr<ChildProgram> out(new ChildProgram);
    out->m_name = words.front();
    out->m_process = process;
    out->m_input = input.release(1), out->m_output = output.release(0), out->m_errors = errors.release(0);
    out->m_longestLine = longestLine;
    for (const int end : {out->m_input, out->m_output, out->m_errors})
        ::fcntl(end, F_SETFL, ::fcntl(end, F_GETFL) | O_NONBLOCK);
    return out;
}

ChildProgram::~ChildProgram() {
    end(0.5);
}

// Seen without being reaped: until then the number of the group belongs to nobody else.
bool ChildProgram::ended() const {
    siginfo_t info{};
    const int got = ::waitid(P_PID, static_cast<id_t>(m_process), &info, WEXITED | WNOHANG | WNOWAIT);
    return (got == 0 && info.si_pid == m_process) || (got < 0 && errno != EINTR);
}

void ChildProgram::end(double patience) {
    closeOnce(m_input);
    m_searched = 0;
    if (m_process > 0) {
        const auto begin = Clock::now();
        while (!ended() && since(begin) < patience) {
            take(m_output, m_said); // a program that still prints would not end on a full pipe
            take(m_errors, m_complaints);
            m_said.clear();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        const bool byItself = ended();
        ::kill(-m_process, SIGKILL);
        int status = 0;
        pid_t got = 0;
        while ((got = ::waitpid(m_process, &status, 0)) < 0 && errno == EINTR) {
        }
        if (got == m_process && byItself)
            m_fate =
                WIFSIGNALED(status) ? fmt::format("by signal {}", WTERMSIG(status)) : fmt::format("with exit code {}", WEXITSTATUS(status));
        m_process = -1;
    }
    take(m_errors, m_complaints);
    closeOnce(m_output);
    closeOnce(m_errors);
}

// Reads what is there; closes the descriptor at its end.
void ChildProgram::take(int& descriptor, std::string& into) {
    char buffer[65536];
    while (descriptor >= 0) {
        const auto got = ::read(descriptor, buffer, sizeof buffer);
        if (got > 0)
            into.append(buffer, static_cast<std::size_t>(got));
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            closeOnce(descriptor);
        else if (errno == EAGAIN)
            break;
        if (&into == &m_complaints && into.size() > 2 * complaintsKept)
            into.erase(0, into.size() - complaintsKept);
        if (&into == &m_said && into.size() - m_searched > m_longestLine)
            break; // the caller refuses it; no need to hold all that follows
    }
}

std::string ChildProgram::lastWords() const {
    auto text = m_complaints.size() > complaintsKept ? m_complaints.substr(m_complaints.size() - complaintsKept) : m_complaints;
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    std::size_t start = text.size();
    for (int lines = 0; lines < 5 && start > 0; ++lines) {
        const auto at = text.rfind('\n', start - 1);
        start = at == std::string::npos ? 0 : at;
    }
    std::string out;
    for (const char c : text.substr(start))
        out += c == '\n' ? std::string(out.empty() ? "" : " | ") : std::string(1, c);
    return out.empty() ? "It printed nothing on standard error."
                       : fmt::format("Its last lines on standard error: {}", quotedForMessage(out, 600));
}

tl::unexpected<Error> ChildProgram::refuse(ErrorKind kind, std::string code, const std::string& what, std::string hint) {
    if (!m_failed) {
        end(0);
        m_failed = Error{kind, std::move(code), fmt::format("The program '{}' {}. {}", quotedForMessage(m_name), what, lastWords()),
                         std::move(hint)};
    }
    return fail(*m_failed);
}

Result<void> ChildProgram::endedEarly() {
    end(0.3); // it may have closed its output a moment before it ends, and its last words may still be on their way
    return refuse(ErrorKind::plugin, "CL-6063", m_fate.empty() ? "closed its standard input or output" : "ended " + m_fate,
                  "Run the command by hand and give it the lines of the documentation.");
}

// Waits for room or for something to read, at most so long, and reads both outputs. False: nothing happened.
Result<bool> ChildProgram::poll(Wait wait, int milliseconds) {
    pollfd watched[3] = {{wait == Wait::input ? m_input : -1, POLLOUT, 0}, {m_output, POLLIN, 0}, {m_errors, POLLIN, 0}};
    const int got = ::poll(watched, 3, milliseconds);
    if (got <= 0)
        return false;
    take(m_errors, m_complaints);
    take(m_output, m_said);
    const auto end = m_said.find('\n', m_searched);
    if (end == std::string::npos)
        m_searched = m_said.size() > m_longestLine ? m_searched : m_said.size();
    if (std::min(end, m_said.size()) > m_longestLine)
        return refuse(ErrorKind::plugin, "CL-6065", fmt::format("printed a line of more than {} bytes", m_longestLine),
                      "Let it print one line of JSON per question and nothing else on standard output.");
    return watched[0].revents != 0 || watched[1].revents != 0;
}

Result<void> ChildProgram::send(std::string_view text, double seconds, const RunControl& control) {
    if (m_failed)
        return fail(*m_failed);
    auto moved = Clock::now();
    while (!text.empty()) {
        if (control.stopRequested()) {
            m_failed = RunControl::cancelled(m_name);
            end(0);
            return fail(*m_failed);
        }
        CAROUSEL_ASSIGN(const bool happened, poll(Wait::input, glance));
        if (m_output < 0 || (!happened && ended()))
            return endedEarly();
        const auto written = writeQuietly(m_input, text.substr(0, 65536));
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
            moved = Clock::now();
        } else if (written < 0 && errno == EPIPE)
            return endedEarly();
        else if (since(moved) > seconds)
            return refuse(ErrorKind::plugin, "CL-6064", fmt::format("took nothing of what it was sent for {:.3g} seconds", seconds),
                          "Let it read standard input line by line, or raise the time it may take.");
    }
    return {};
}

Result<std::string> ChildProgram::readLine(double seconds, const RunControl& control) {
    if (m_failed)
        return fail(*m_failed);
    const auto begin = Clock::now();
    bool gone = false;
    while (true) {
        if (const auto end = m_said.find('\n'); end != std::string::npos && end <= m_longestLine) {
            auto line = m_said.substr(0, end);
            m_said.erase(0, end + 1);
            m_searched = 0;
            return line;
        }
        if (control.stopRequested()) {
            m_failed = RunControl::cancelled(m_name);
            end(0);
            return fail(*m_failed);
        }
        // Something that it started may hold its pipes open when it is gone itself.
        if (m_output < 0 || gone)
            return fail(endedEarly().error());
        if (since(begin) > seconds)
            return refuse(ErrorKind::plugin, "CL-6064", fmt::format("gave no answer in {:.3g} seconds", seconds),
                          "Let it flush standard output after every line, or raise the time it may take.");
        const double left = std::max(0.0, seconds - since(begin));
        const bool over = ended(); // before the last look at what it said
        CAROUSEL_ASSIGN(const bool happened, poll(Wait::output, std::min(glance, static_cast<int>(left * 1000) + 1)));
        gone = over && !happened;
    }
}

} // namespace carousel::plugin
