// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/format_choice.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/machine.h"
#include "base/text.h"
#include <array>
#include <cstdlib>
#include <unistd.h>

namespace carousel {

namespace {

constexpr const char* heading = "carousel-lab compute formats 1";
constexpr double worthwhile = 1.15; // bf16's answers are further from fp32's, so a little more speed is not enough
constexpr std::int64_t shortest = 1'000, longest = 10'000'000'000;

struct Field {
    const char* id;
    std::int64_t FormatTimes::*value;
};
constexpr std::array<Field, 4> fields{
    {{"fp32", &FormatTimes::fp32}, {"bf16", &FormatTimes::bf16}, {"int16 of 4 bits", &FormatTimes::fourBits}, {"int16 of 8 bits", &FormatTimes::eightBits}}};

double timesFaster(const FormatTimes& times, std::int64_t other) {
    return static_cast<double>(times.fp32) / static_cast<double>(other);
}

std::string body(const std::string& machine, const FormatTimes& times) {
    std::string out = fmt::format("{}\nmachine: {}\n", heading, machine);
    for (const Field& field : fields)
        out += fmt::format("{}: {} ns\n", field.id, times.*field.value);
    return out;
}

std::optional<FormatTimes> readTimes(const std::string& file, const std::string& machine) {
    if (!fileExists(file))
        return std::nullopt;
    const auto text = readFile(file, 65536);
    return text ? parseFormatTimes(*text, machine) : std::nullopt;
}

// Puts `text` at `file` unless another process was first. False: nobody's is there.
bool keepFirst(const std::string& file, const std::string& text) {
    const std::string own = fmt::format("{}.{}", file, ::getpid());
    if (!atomicWrite(own, text))
        return false;
    const bool there = ::link(own.c_str(), file.c_str()) == 0 || fileExists(file);
    ::unlink(own.c_str());
    return there;
}

} // namespace

ComputeType chooseFormat(const CpuFeatures& features, const std::optional<FormatTimes>& times, int weightBits) {
    if (!times || !times->measured())
        return features.bf16 ? ComputeType::bf16 : ComputeType::fp32;
    if (features.bf16 && times->bf16 > 0 && timesFaster(*times, times->bf16) >= worthwhile)
        return ComputeType::bf16;
    const std::int64_t stored = weightBits == 4 ? times->fourBits : weightBits == 8 ? times->eightBits : 0;
    return stored > 0 && stored < times->fp32 ? ComputeType::int16 : ComputeType::fp32;
}

std::string describe(const std::optional<FormatTimes>& times) {
    std::string out;
    if (times && times->measured())
        for (const auto& [id, value] : {std::pair("bf16", times->bf16), std::pair("int16", times->fourBits)})
            if (value > 0)
                out += fmt::format("{}{} {:.1f} times", out.empty() ? "" : ", ", id, timesFaster(*times, value));
    return out.empty() ? out : out + " as fast as fp32 here";
}

std::string formatMachine(const CpuFeatures& features, int threads, const std::string& libraries) {
    std::string out = processorName();
    for (const auto& [on, id] : {std::pair(features.avx2, "avx2"), std::pair(features.avx512, "avx512"), std::pair(features.vnni, "vnni"),
                                 std::pair(features.bf16, "bf16")})
        if (on)
            out += fmt::format(" {}", id);
    out += fmt::format("; {} threads; {}", threads, libraries);
    for (const char* variable : {"CAROUSEL_CPU", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"})
        if (const char* value = std::getenv(variable); value && *value)
            out += fmt::format("; {}={}", variable, value);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < ' ')
            c = ' '; // one line
    return out;
}

std::string formatTimesText(const std::string& machine, const FormatTimes& times) {
    const std::string text = body(machine, times);
    return fmt::format("{}sha256: {}\n", text, sha256(text));
}

std::optional<FormatTimes> parseFormatTimes(const std::string& text, const std::string& machine) {
    FormatTimes times;
    for (const Field& field : fields) {
        const std::string before = fmt::format("\n{}: ", field.id);
        const auto at = text.find(before), end = text.find(" ns\n", at == std::string::npos ? at : at + before.size());
        if (end == std::string::npos)
            return std::nullopt;
        const auto value = parseInteger(std::string_view(text).substr(at + before.size(), end - at - before.size()));
        if (!value || !((*value >= shortest && *value <= longest) || *value == 0))
            return std::nullopt;
        times.*field.value = *value;
    }
    if (!times.measured() && times != FormatTimes())
        return std::nullopt;
    // Heading, machine, order and hash: the whole text must be the one that these times have.
    return text == formatTimesText(machine, times) ? std::optional(times) : std::nullopt;
}

std::optional<FormatTimes> keptFormatTimes(const std::string& folder, const std::string& machine,
                                           const std::function<FormatTimes()>& measure) {
    const std::string file = fmt::format("{}/compute_formats_{}.txt", folder, sha256(machine).substr(0, 16));
    if (const auto kept = readTimes(file, machine))
        return kept;
    const std::string text = formatTimesText(machine, measure());
    if (!makeFolders(folder))
        return std::nullopt;
    if (const auto others = readTimes(file, machine)) // of a process that was done before this one
        return others;
    const bool damaged = fileExists(file);
    if (damaged ? !atomicWrite(file, text) : !keepFirst(file, text))
        return std::nullopt;
    return readTimes(file, machine); // not what was measured: another process may still have been first
}

} // namespace carousel
