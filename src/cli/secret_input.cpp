// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/secret_input.h"
#include "server/secret_key.h"
#include <array>
#include <cerrno>
#include <cstdio>
#include <termios.h>
#include <unistd.h>

namespace carousel::cli {

namespace {

// The terminal shows nothing while this lives, and gives each key as it is pressed: Ctrl-C ends the question as a byte instead of the program
// as a signal, so that the echo always comes back.
class Unseen {
public:
    Unseen() {
        m_on = ::isatty(STDIN_FILENO) && ::tcgetattr(STDIN_FILENO, &m_before) == 0;
        if (!m_on)
            return;
        termios quiet = m_before;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG | ICANON);
        quiet.c_cc[VMIN] = 1;
        quiet.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    ~Unseen() {
        if (m_on) {
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &m_before);
            std::fputc('\n', stderr);
        }
    }
    bool typed() const { return m_on; }

private:
    termios m_before{};
    bool m_on = false;
};

constexpr std::size_t longest = 4096;
constexpr char interrupt = 3, endOfInput = 4, eraseLine = 21; // Ctrl-C, Ctrl-D, Ctrl-U

} // namespace

Result<std::string> readSecret(const std::string& question) {
    std::string secret;
    secret.reserve(longest + 1); // never moved while it grows, so that no copy stays behind
    bool stopped = false;
    {
        const Unseen unseen;
        if (unseen.typed())
            std::fputs(question.c_str(), stderr);
        for (char byte = 0; secret.size() <= longest;) { // unbuffered: what stdio reads ahead is never overwritten
            const auto got = ::read(STDIN_FILENO, &byte, 1);
            if (got < 0 && errno == EINTR)
                continue;
            stopped = got == 1 && unseen.typed() && byte == interrupt;
            if (got != 1 || byte == '\n' || stopped || (unseen.typed() && byte == endOfInput))
                break;
            if (unseen.typed() && byte == eraseLine)
                secret.clear();
            else if (unseen.typed() && (byte == 127 || byte == '\b'))
                secret.resize(secret.size() - (secret.empty() ? 0 : 1));
            else
                secret.push_back(byte);
        }
    }
    if (!secret.empty() && secret.back() == '\r')
        secret.pop_back();
    if (stopped) {
        server::wipe(secret);
        return fail(ErrorKind::cancelled, "CL-7001", "Stopped while the key was asked for.", "Nothing was kept.");
    }
    if (secret.empty() || secret.size() > longest) {
        const bool none = secret.empty();
        server::wipe(secret);
        return fail(ErrorKind::input, "CL-2103", none ? "No key came on the standard input." : "The key is longer than 4096 bytes.",
                    "Type it when asked, or pipe it in: `printf %s \"$KEY\" | carousel-lab-cli endpoint key set NAME`.");
    }
    return secret;
}

} // namespace carousel::cli
