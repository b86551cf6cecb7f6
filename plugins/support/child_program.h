// SPDX-License-Identifier: GPL-3.0-or-later
// A program that runs beside this one and answers in lines: started once, without a shell, written to and read from through pipes.
// POSIX. One thread at a time. After the first error the program is ended, and every further call gives that error again.
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carousel::plugin {

// Words of a command: parted by spaces; '...' and "..." keep spaces, a backslash outside '...' keeps the next character. Nothing is
// expanded. CL-6061 when there is no word, or a quote is not closed.
Result<std::vector<std::string>> commandWords(std::string_view command);

class ChildProgram {
public:
    // CL-6062 when it cannot be started.
    static Result<std::unique_ptr<ChildProgram>> start(const std::vector<std::string>& words, std::size_t longestLine = 64u << 20);
    ChildProgram(const ChildProgram&) = delete;
    ChildProgram& operator=(const ChildProgram&) = delete;
    ~ChildProgram(); // closes its input, waits half a second at most, then ends it with all that it started in its process group

    // Hands `text` over; what the program says meanwhile is read, so that neither side waits for the other on a full pipe.
    // CL-6063 it ended, CL-6064 it took nothing for `seconds`, CL-6065 a line of its is too long, or stopped.
    Result<void> send(std::string_view text, double seconds, const RunControl& control);
    // The next line that it prints, without its end. CL-6063, CL-6064 no line in `seconds`, CL-6065, or stopped.
    Result<std::string> readLine(double seconds, const RunControl& control);
    // Ends the program because of what it said; the error gets the last lines of its standard error.
    tl::unexpected<Error> refuse(ErrorKind kind, std::string code, const std::string& what, std::string hint);

private:
    ChildProgram() = default;
    enum class Wait { input, output }; // room for what we send, or something to read
    Result<bool> poll(Wait wait, int milliseconds);
    void take(int& descriptor, std::string& into);
    Result<void> endedEarly();
    bool ended() const;
    void end(double patience);
    std::string lastWords() const;

    std::string m_name;
    int m_process = -1, m_input = -1, m_output = -1, m_errors = -1; // our ends; -1: closed
    std::size_t m_longestLine = 0;
    std::string m_said, m_complaints; // read and not used yet; the end of standard error
    std::size_t m_searched = 0;       // so much of m_said holds no line end
    std::optional<Error> m_failed;
    std::string m_fate; // "with exit code 3", once it is known
};

} // namespace carousel::plugin
