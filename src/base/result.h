// SPDX-License-Identifier: GPL-3.0-or-later
// Result<T>: the return type of everything that can fail for a reason outside the program (files, data, models, devices, plugins).
#pragma once
#include <fmt/format.h>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace carousel {

// What failed decides the exit code of the command line program (see exitCode) and the icon in the window.
enum class ErrorKind { internal, usage, input, project, io, locked, partial, guard, plugin, replay, cancelled };

// `code` is a stable "CL-nnnn"; the first digit names the room: 1 data, 2 model files, 3 specification and parameters, 4 project file,
// 5 files and folders, 6 plugins, 7 runs, 8 evaluation, 9 inside. `message` quotes the values that disagree; `hint` says what to do.
struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string code;
    std::string message;
    std::string hint;
};

template <class T> using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string code, std::string message, std::string hint = {}) {
    return tl::unexpected<Error>(Error{kind, std::move(code), std::move(message), std::move(hint)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// 0 ok, 1 inside, 2 usage, 3 input refused, 4 project refused, 5 I/O, 6 locked, 7 partial, 8 guard, 9 plugin refused, 10 replay differs.
int exitCode(ErrorKind kind);
const char* name(ErrorKind kind);
// "CL-1003 message\n  What to do: hint"
std::string describe(const Error& error);

} // namespace carousel

// CAROUSEL_TRY(statement returning Result<void or T>): leaves the function with the error.
#define CAROUSEL_TRY(expression)                                                                                                           \
    do {                                                                                                                                   \
        auto carouselTried_ = (expression);                                                                                                \
        if (!carouselTried_)                                                                                                               \
            return ::carousel::fail(std::move(carouselTried_.error()));                                                                    \
    } while (false)
#define CAROUSEL_CONCAT_(a, b) a##b
#define CAROUSEL_CONCAT(a, b) CAROUSEL_CONCAT_(a, b)
// CAROUSEL_ASSIGN(auto x, expression): unwraps, or leaves the function with the error.
#define CAROUSEL_ASSIGN(declaration, expression)                                                                                           \
    auto CAROUSEL_CONCAT(carouselResult_, __LINE__) = (expression);                                                                        \
    if (!CAROUSEL_CONCAT(carouselResult_, __LINE__))                                                                                       \
        return ::carousel::fail(std::move(CAROUSEL_CONCAT(carouselResult_, __LINE__).error()));                                            \
    declaration = std::move(*CAROUSEL_CONCAT(carouselResult_, __LINE__))
