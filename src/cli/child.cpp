// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/child.h"
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace carousel::cli {

namespace {
using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }
int acks(const std::string& text) {
    int count = 0;
    for (std::size_t at = 0; (at = text.find("ACK ", at)) != std::string::npos; at += 4)
        count += at == 0 || text[at - 1] == '\n';
    return count;
}
struct Pipe {
    int ends[2] = {-1, -1};
    bool open() { return ::pipe2(ends, O_CLOEXEC) == 0; }
    void close(int end) {
        if (ends[end] >= 0)
            ::close(ends[end]);
        ends[end] = -1;
    }
    ~Pipe() {
        close(0);
        close(1);
    }
};
} // namespace

std::string ownProgram() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

Result<ChildResult> runChild(const std::vector<std::string>& words, double timeoutSeconds, int acksBeforeSignal, int signal) {
    Pipe out, err;
    if (!out.open() || !err.open())
        return fail(ErrorKind::internal, "CL-9002", fmt::format("No pipe can be made: {}.", std::strerror(errno)));
    std::vector<char*> arguments;
    for (const auto& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], STDERR_FILENO);
    pid_t child = 0;
    const auto begin = Clock::now();
    const int failed = ::posix_spawnp(&child, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        return fail(ErrorKind::internal, "CL-9002", fmt::format("'{}' cannot be started: {}.", words.front(), std::strerror(failed)));
    out.close(1);
    err.close(1);
    ChildResult result;
    bool killed = false, signalled = false;
    pollfd watched[2] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}};
    while (watched[0].fd >= 0 || watched[1].fd >= 0) {
        const double left = timeoutSeconds - since(begin);
        if (acksBeforeSignal > 0 && !signalled && acks(result.err) >= acksBeforeSignal) {
            ::kill(child, signal);
            signalled = true;
        }
        if (left <= 0 && !killed) {
            ::kill(child, SIGKILL);
            killed = true;
            result.timedOut = true;
        }
        ::poll(watched, 2, killed ? 1000 : static_cast<int>(left * 1000) + 1);
        for (int i = 0; i < 2; ++i) {
            if (watched[i].fd < 0 || watched[i].revents == 0)
                continue;
            char buffer[65536];
            const auto got = ::read(watched[i].fd, buffer, sizeof buffer);
            if (got > 0)
                (i == 0 ? result.out : result.err).append(buffer, static_cast<std::size_t>(got));
            else if (got == 0 || errno != EINTR)
                watched[i].fd = -1;
        }
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.seconds = since(begin);
    if (WIFSIGNALED(status))
        result.signal = WTERMSIG(status);
    else
        result.exit = WEXITSTATUS(status);
    return result;
}

} // namespace carousel::cli
