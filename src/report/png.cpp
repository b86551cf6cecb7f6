// SPDX-License-Identifier: GPL-3.0-or-later
#include "report/png.h"
#include "base/file.h"
#include "base/text.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace carousel {

Result<void> writePng(const std::string& svg, const std::string& path, double scale) {
    // Both files lie beside the target under names of this process, and the picture is moved into place only when it is whole.
    const std::string drawing = fmt::format("{}.{}.svg", path, getpid()), picture = fmt::format("{}.{}.png", path, getpid());
    struct Remover {
        const std::string &a, &b;
        ~Remover() {
            std::remove(a.c_str());
            std::remove(b.c_str());
        }
    } remover{drawing, picture};
    CAROUSEL_TRY(atomicWrite(drawing, svg));

    int channel[2];
    if (pipe2(channel, O_CLOEXEC) != 0)
        return fail(ErrorKind::io, "CL-5011", fmt::format("cannot open a pipe to rsvg-convert for {}: {}", path, std::strerror(errno)),
                    "Close other programs and try again.");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, channel[1], STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    const std::string zoom = fmt::format("{}", scale);
    const char* arguments[] = {"rsvg-convert", "--format=png",  "--zoom",        zoom.c_str(),
                               "--output",     picture.c_str(), drawing.c_str(), nullptr};
    pid_t child = 0;
    const int spawned = posix_spawnp(&child, "rsvg-convert", &actions, nullptr, const_cast<char* const*>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(channel[1]);
    if (spawned != 0) {
        close(channel[0]);
        return fail(ErrorKind::io, "CL-5010",
                    fmt::format("cannot write {}: the program rsvg-convert did not start ({})", path, std::strerror(spawned)),
                    "Install librsvg2-bin, or export the plot as SVG.");
    }
    std::string said;
    char buffer[512];
    for (ssize_t got; (got = read(channel[0], buffer, sizeof buffer)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        if (said.size() < 4096)
            said.append(buffer, static_cast<std::size_t>(got));
    }
    close(channel[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail(ErrorKind::io, "CL-5011", fmt::format("rsvg-convert could not draw {}: {}", path, quotedForMessage(trimmed(said), 300)),
                    "Check that the folder can be written and the disk has room, or export the plot as SVG.");
    if (std::rename(picture.c_str(), path.c_str()) != 0)
        return fail(ErrorKind::io, "CL-5011", fmt::format("cannot move the finished picture to {}: {}", path, std::strerror(errno)),
                    "Check that the folder can be written.");
    return {};
}

} // namespace carousel
