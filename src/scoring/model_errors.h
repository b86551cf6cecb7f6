// SPDX-License-Identifier: GPL-3.0-or-later
// Errors that the embedded models share.
#pragma once
#include "base/result.h"
#include "llm/tensor_info.h" // allFinite
#include <string>

namespace carousel {

inline Error emptyRequest(const std::string& what) {
    return {ErrorKind::usage, "CL-2091", "the language model was asked " + what, "give at least one message, one candidate and one answer"};
}
inline Error notFinite(const std::string& model) {
    return {ErrorKind::internal, "CL-2089", fmt::format("{} gave a value that is not a finite number", model),
            "check the model file with 'models check', or use the fp32 compute type"};
}

} // namespace carousel
