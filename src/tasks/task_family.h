// SPDX-License-Identifier: GPL-3.0-or-later
// The five families of tasks that one text-to-text model learns together (Geng et al., "Recommendation as Language Processing", RecSys
// 2022): everything that is asked of it is a sentence, and every answer is one.
#pragma once
#include <array>
#include <cstddef>

namespace carousel {

enum class TaskFamily { sequential, rating, explanation, summary, direct };
inline constexpr std::array<TaskFamily, 5> taskFamilies{TaskFamily::sequential, TaskFamily::rating, TaskFamily::explanation,
                                                        TaskFamily::summary, TaskFamily::direct};
constexpr std::size_t indexOf(TaskFamily family) { return static_cast<std::size_t>(family); }
const char* name(TaskFamily family);  // "sequential", "rating", "explanation", "summary", "direct"
const char* title(TaskFamily family); // "Sequential recommendation", ...

} // namespace carousel
