// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_manifest.h"
#include "base/file.h"
#include "base/text.h"
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace carousel {

using nlohmann::json;

namespace {

constexpr std::size_t largestNote = std::size_t(1) << 20;
constexpr std::size_t mostRecords = 32;
constexpr std::int64_t largestSize = std::int64_t(1) << 50;
const char* const manifestSchema = "carousel-lab/model/1";
const char* const measuredSchema = "carousel-lab/measured/1";

bool isIdCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; }

std::string text(const json& from, const char* key) {
    const auto at = from.find(key);
    return at != from.end() && at->is_string() ? quotedForMessage(at->get<std::string>(), 4096) : "";
}
std::int64_t whole(const json& from, const char* key) {
    const auto at = from.find(key);
    if (at == from.end() || !at->is_number_integer() || (at->is_number_unsigned() && at->get<std::uint64_t>() > std::uint64_t(largestSize)))
        return 0;
    return std::clamp<std::int64_t>(at->get<std::int64_t>(), 0, largestSize);
}
double number(const json& from, const char* key) {
    const auto at = from.find(key);
    const double value = at != from.end() && at->is_number() ? at->get<double>() : 0;
    return std::isfinite(value) && value > 0 ? value : 0;
}
bool yes(const json& from, const char* key) {
    const auto at = from.find(key);
    return at != from.end() && at->is_boolean() && at->get<bool>();
}
bool isSha256(const std::string& hash) {
    return hash.size() == 64 && std::all_of(hash.begin(), hash.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

} // namespace

std::string idProblem(const std::string& id) {
    if (id.empty())
        return "it is empty";
    if (id.size() > 64)
        return fmt::format("it has {} characters, at most 64 are allowed", id.size());
    if (!std::all_of(id.begin(), id.end(), isIdCharacter))
        return "only letters A to Z, digits, dots, dashes and underscores are allowed";
    if (id.front() == '.' || id.front() == '-' || id.front() == '_')
        return "it must begin with a letter or digit";
    if (id.size() > 5 && lowered(id).substr(id.size() - 5) == ".gguf")
        return "names that end in .gguf are read as paths";
    return "";
}

std::string idFrom(const std::string& name) {
    std::string id;
    for (const char c : lowered(name))
        if (isIdCharacter(c))
            id += c;
        else if (!id.empty() && id.back() != '-')
            id += '-';
    id = id.substr(0, std::min<std::size_t>(64, id.size()));
    const auto first = id.find_first_not_of("-._"), last = id.find_last_not_of("-._");
    return first == std::string::npos ? "" : id.substr(first, last - first + 1);
}

Result<void> writeManifest(const std::string& folder, const ModelCard& card) {
    const auto& d = card.dimensions;
    json files = json::array();
    for (const auto& file : card.files)
        files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    const json out{{"schema", manifestSchema},
                   {"title", card.title},
                   {"licence", card.licence},
                   {"purpose", card.purpose},
                   {"format", card.format},
                   {"architecture", card.architecture},
                   {"quantisation", card.quantisation},
                   {"chat", card.chat},
                   {"canChat", card.canChat},
                   {"canEmbed", card.canEmbed},
                   {"added", card.added},
                   {"from", card.from},
                   {"link", card.link},
                   {"files", files},
                   {"dimensions",
                    {{"parameters", d.parameters}, {"contextLength", d.contextLength}, {"blocks", d.blocks}, {"width", d.width},
                     {"feedForward", d.feedForward}, {"heads", d.heads}, {"keyValueHeads", d.keyValueHeads}, {"headSize", d.headSize},
                     {"vocabulary", d.vocabulary}, {"tiedHead", d.tiedHead}}}};
    return atomicWrite(folder + "/" + manifestFile, out.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

Result<ModelCard> readManifest(const std::string& folder, const std::string& id) {
    const std::string path = folder + "/" + manifestFile;
    const auto damaged = [&](const std::string& what) {
        return fail(ErrorKind::input, "CL-2074", fmt::format("'{}' {}.", path, what), fmt::format("Remove the model with `models remove {}` and add its file again.", id));
    };
    CAROUSEL_ASSIGN(const auto bytes, readFile(path, largestNote));
    const json note = json::parse(bytes, nullptr, false);
    if (!note.is_object())
        return damaged("is not a JSON object");
    if (text(note, "schema") != manifestSchema)
        return damaged(fmt::format("has the schema '{}', '{}' is expected", text(note, "schema"), manifestSchema));
    ModelCard card;
    card.id = id;
    card.known = false;
    card.title = text(note, "title");
    card.licence = text(note, "licence");
    card.purpose = text(note, "purpose");
    card.format = text(note, "format");
    card.architecture = text(note, "architecture");
    card.quantisation = text(note, "quantisation");
    card.chat = text(note, "chat");
    card.canChat = yes(note, "canChat");
    card.canEmbed = yes(note, "canEmbed");
    card.added = text(note, "added");
    card.from = text(note, "from");
    card.link = text(note, "link");
    if (const auto files = note.find("files"); files != note.end() && files->is_array())
        for (const auto& entry : *files) {
            ModelFile file{entry.is_object() ? text(entry, "name") : "", entry.is_object() ? text(entry, "sha256") : "",
                           entry.is_object() ? whole(entry, "bytes") : 0};
            if (file.name.empty() || file.name.find('/') != std::string::npos || file.name == "." || file.name == "..")
                return damaged(fmt::format("names the file '{}', which is not a name inside the folder", file.name));
            if (!isSha256(file.sha256) || file.bytes <= 0)
                return damaged(fmt::format("does not say size and SHA-256 of '{}'", file.name));
            card.files.push_back(std::move(file));
        }
    if (card.files.empty())
        return damaged("names no file");
    if (card.format != "gguf" && card.format != "safetensors")
        return damaged(fmt::format("has the format '{}', gguf or safetensors is expected", card.format));
    if (const auto found = note.find("dimensions"); found != note.end() && found->is_object())
        card.dimensions = {whole(*found, "parameters"), whole(*found, "contextLength"), whole(*found, "blocks"), whole(*found, "width"),
                           whole(*found, "feedForward"), whole(*found, "heads"), whole(*found, "keyValueHeads"), whole(*found, "headSize"),
                           whole(*found, "vocabulary"), yes(*found, "tiedHead")};
    return card;
}

std::vector<SpeedRecord> readSpeeds(const std::string& folder) {
    const std::string path = folder + "/" + measuredFile;
    std::vector<SpeedRecord> out;
    if (!fileExists(path))
        return out;
    const auto bytes = readFile(path, largestNote);
    const json note = bytes ? json::parse(*bytes, nullptr, false) : json();
    if (!note.is_object() || text(note, "schema") != measuredSchema || !note.contains("records") || !note["records"].is_array())
        return out;
    for (const auto& entry : note["records"]) {
        if (!entry.is_object())
            continue;
        SpeedRecord record;
        record.processor = text(entry, "processor");
        record.device = text(entry, "device");
        record.computeType = text(entry, "compute");
        record.libraries = text(entry, "libraries");
        record.date = text(entry, "date");
        record.sha256 = text(entry, "sha256");
        record.threads = static_cast<int>(std::min<std::int64_t>(whole(entry, "threads"), 1 << 20));
        record.runs = static_cast<int>(std::min<std::int64_t>(whole(entry, "runs"), 1 << 20));
        record.candidatesPerSecond = number(entry, "candidatesPerSecond");
        record.textsPerSecond = number(entry, "textsPerSecond");
        record.slowest = number(entry, "slowest");
        record.fastest = number(entry, "fastest");
        record.promptTokens = whole(entry, "promptTokens");
        record.candidateTokens = whole(entry, "candidateTokens");
        record.candidates = whole(entry, "candidates");
        record.residentBytes = whole(entry, "residentBytes");
        record.expectedBytes = whole(entry, "expectedBytes");
        if (record.candidatesPerSecond > 0 || record.textsPerSecond > 0)
            out.push_back(std::move(record));
    }
    return out;
}

Result<void> addSpeed(const std::string& folder, const SpeedRecord& record) {
    auto records = readSpeeds(folder);
    std::erase_if(records, [&](const SpeedRecord& other) {
        return other.processor == record.processor && other.device == record.device && other.computeType == record.computeType && other.threads == record.threads;
    });
    records.insert(records.begin(), record);
    records.resize(std::min(records.size(), mostRecords));
    json list = json::array();
    for (const auto& r : records)
        list.push_back({{"processor", r.processor}, {"device", r.device}, {"compute", r.computeType}, {"libraries", r.libraries}, {"date", r.date},
                        {"sha256", r.sha256}, {"threads", r.threads}, {"runs", r.runs}, {"candidatesPerSecond", r.candidatesPerSecond},
                        {"textsPerSecond", r.textsPerSecond}, {"slowest", r.slowest}, {"fastest", r.fastest}, {"promptTokens", r.promptTokens},
                        {"candidateTokens", r.candidateTokens}, {"candidates", r.candidates}, {"residentBytes", r.residentBytes},
                        {"expectedBytes", r.expectedBytes}});
    const json out{{"schema", measuredSchema}, {"records", list}};
    return atomicWrite(folder + "/" + measuredFile, out.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

} // namespace carousel
