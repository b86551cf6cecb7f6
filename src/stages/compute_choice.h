// SPDX-License-Identifier: GPL-3.0-or-later
// Where language models compute and in which numbers: the words that specifications, command line flags and the window offer. What they
// come to on a machine is decided when a model is opened (src/compute); this header costs nothing to include.
#pragma once
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace carousel {

struct ComputeChoice {
    const char* id;
    const char* help; // one sentence for people
};

inline constexpr std::array<ComputeChoice, 3> deviceChoices{{
    {"cpu", "This computer's processor"},
    {"cuda", "An NVIDIA graphics card; needs a LibTorch that was built for it"},
    {"auto", "The graphics card when there is one that can be used, else the processor"},
}};

inline constexpr std::array<ComputeChoice, 4> computeTypeChoices{{
    {"auto", "bf16 where the device multiplies it natively and is clearly faster so; else int16 for weights of 4 or 8 bits where that is faster, else fp32"},
    {"fp32", "Exact: 32-bit numbers throughout"},
    {"bf16", "Fast: 16-bit products; near ties may change places"},
    {"int16", "4- and 8-bit weights as the file stores them, 16-bit activations: within about 0.001 of fp32, and smaller"},
}};

// What is meant where nobody names a device: the processor, or what CAROUSEL_LAB_DEVICE says on a machine whose work belongs elsewhere.
inline std::string defaultDevice() {
    const char* named = std::getenv("CAROUSEL_LAB_DEVICE");
    return named && *named ? named : "cpu";
}

template <std::size_t N> constexpr bool offers(const std::array<ComputeChoice, N>& choices, std::string_view id) {
    for (const auto& choice : choices)
        if (id == choice.id)
            return true;
    return false;
}
template <std::size_t N> constexpr auto idsOf(const std::array<ComputeChoice, N>& choices) {
    std::array<const char*, N> ids{};
    for (std::size_t i = 0; i < N; ++i)
        ids[i] = choices[i].id;
    return ids;
}

} // namespace carousel
