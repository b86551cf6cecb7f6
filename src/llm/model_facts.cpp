// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_facts.h"
#include "base/file.h"
#include "base/text.h"
#include "llm/model_shape.h"
#include "llm/model_source.h"
#include "llm/t5_tokenizer.h"
#include "llm/word_piece.h"
#include <algorithm>
#include <filesystem>
#include <map>

namespace carousel {

namespace fs = std::filesystem;

namespace {

const char* const notStated = "not stated";

// What a folder of a model may hold beside its weights; everything else is left where it is.
constexpr const char* companions[] = {"config.json",      "tokenizer.json",         "tokenizer_config.json",  "vocab.txt",
                                      "vocab.json",       "merges.txt",             "spiece.model",           "tokenizer.model",
                                      "added_tokens.json", "special_tokens_map.json", "generation_config.json", "chat_template.jinja",
                                      "modules.json",     "sentence_bert_config.json", "LICENSE",               "README.md"};

std::int64_t sizeOf(const fs::path& path) {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    return error ? 0 : static_cast<std::int64_t>(bytes);
}

// One line, printable: these texts come from a file that anybody may have written.
std::string plainLine(std::string_view text, std::size_t limit = 80) {
    std::string out = quotedForMessage(trimmed(text), limit);
    return out;
}

// The type that most of the bytes of weights are stored in.
std::string commonest(const std::map<std::string, std::uint64_t>& bytes) {
    const auto most = std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == bytes.end() ? "" : most->first;
}
std::string commonestType(const std::vector<TensorInfo>& tensors) {
    std::map<std::string, std::uint64_t> bytes;
    for (const auto& tensor : tensors)
        bytes[tensor.typeName] += tensor.bytes;
    return commonest(bytes);
}

// Every weight once; the readers refuse what is not finite.
Result<void> readAllWeights(const TensorStore& store, const RunControl& control) {
    std::uint64_t total = 0, done = 0;
    const auto names = store.names();
    for (const auto& name : names)
        total += store.find(name)->bytes;
    std::vector<float> values;
    for (const auto& name : names) {
        const TensorInfo& tensor = *store.find(name);
        if (!readableAsFloats(tensor.type))
            continue;
        const std::uint64_t rows = tensor.rows(), columns = std::max<std::uint64_t>(1, tensor.columns());
        const std::uint64_t atOnce = std::max<std::uint64_t>(1, (std::uint64_t(1) << 20) / columns);
        for (std::uint64_t row = 0; row < rows; row += atOnce) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("checking the model"));
            const std::uint64_t count = std::min(atOnce, rows - row);
            values.resize(static_cast<std::size_t>(count * columns));
            CAROUSEL_TRY(store.readRows(tensor, row, count, values));
            const double part = static_cast<double>(tensor.bytes) * static_cast<double>(row + count) / static_cast<double>(rows);
            control.report("Reading every weight", (static_cast<double>(done) + part) / 1e6, static_cast<double>(total) / 1e6, "MB");
        }
        done += tensor.bytes;
    }
    return {};
}

// The line "license: ..." of the block between dashes that model folders have at the top of their README.
std::string licenceOfReadme(const fs::path& folder) {
    const auto text = readFile((folder / "README.md").string(), std::size_t(1) << 20);
    if (!text || !startsWith(*text, "---"))
        return {};
    const auto lines = split(*text, '\n');
    for (std::size_t i = 1; i < lines.size() && !startsWith(lines[i], "---"); ++i)
        if (startsWith(lines[i], "license:"))
            return plainLine(lines[i].substr(8));
    return {};
}

void takeLicence(ModelFacts& facts, const std::string& stated) {
    std::string licence = plainLine(stated);
    if (licence.empty())
        licence = licenceOfReadme(facts.folder);
    facts.card.licence = licence.empty() ? notStated : licence;
}

void addFile(ModelFacts& facts, const fs::path& path) {
    if (sizeOf(path) > 0)
        facts.card.files.push_back({path.filename().string(), {}, sizeOf(path)});
}

// What a decoder is, from the one source that the arithmetic reads it through.
Result<ModelFacts> decoderFacts(const std::string& path) {
    CAROUSEL_ASSIGN(const auto source, ModelSource::open(path));
    CAROUSEL_ASSIGN(const auto tokenizer, source->tokenizer());
    CAROUSEL_ASSIGN(const ChatTemplate chat, source->chatTemplate(tokenizer, true));
    const DecoderShape& shape = source->shape();
    ModelFacts facts;
    facts.folder = source->folder().empty() ? "." : source->folder();
    auto& card = facts.card;
    card.format = source->format();
    card.architecture = shape.architecture;
    const bool plain = chat.style() == ChatStyle::plain;
    card.purpose = plain ? "Base decoder: continues plain text, in which messages are written as \"User: ... Assistant:\""
                         : "Decoder with chat";
    card.chat = name(chat.style());
    card.canChat = card.canEmbed = true;
    card.dimensions = {shape.parameters, shape.contextLength, shape.blocks, shape.width, shape.feedForward, shape.heads, shape.keyValueHeads,
                       shape.headSize, shape.vocabulary, shape.tiedHead};
    facts.tokenizer = fmt::format("{} tokens", withThousands(static_cast<std::int64_t>(tokenizer->vocabularySize())));
    facts.chatTemplate = plain ? "none: messages are written as plain text" : name(chat.style());
    facts.warnings = shape.warnings;
    facts.warnings.insert(facts.warnings.end(), chat.warnings().begin(), chat.warnings().end());
    return facts;
}

Result<ModelFacts> inspectGguf(const fs::path& path, bool weights, const RunControl& control) {
    CAROUSEL_ASSIGN(auto facts, decoderFacts(path.string()));
    CAROUSEL_ASSIGN(const auto file, GgufFile::open(path.string()));
    auto& card = facts.card;
    card.title = plainLine(file.text("general.name").value_or(path.stem().string()));
    card.quantisation = commonestType(file.tensors());
    addFile(facts, path);
    takeLicence(facts, file.text("general.license").value_or(""));
    facts.tokenizer = fmt::format("{} ({}), {}", plainLine(file.text("tokenizer.ggml.model").value_or("")),
                                  plainLine(file.text("tokenizer.ggml.pre").value_or("default")), facts.tokenizer);
    facts.tensors = file.tensors().size();
    facts.warnings.insert(facts.warnings.end(), file.warnings().begin(), file.warnings().end());
    if (weights)
        CAROUSEL_TRY(readAllWeights(TensorStore(file), control));
    return facts;
}

Result<ModelFacts> encoderFacts(const fs::path& path) {
    ModelFacts facts;
    facts.folder = path.parent_path().empty() ? "." : path.parent_path().string();
    CAROUSEL_ASSIGN(const auto file, SafetensorsFile::open(path.string()));
    CAROUSEL_ASSIGN(const auto shape, bertShape(file, facts.folder + "/config.json"));
    CAROUSEL_ASSIGN(const auto tokenizer, WordPiece::fromFile(facts.folder + "/vocab.txt"));
    if (static_cast<std::int64_t>(tokenizer->vocabularySize()) > shape.vocabulary)
        return fail(ErrorKind::input, "CL-2037",
                    fmt::format("'{}': vocab.txt has {} tokens, the weights {}.", facts.folder, tokenizer->vocabularySize(), shape.vocabulary),
                    "The files do not belong together: fetch the model again.");
    auto& card = facts.card;
    card.format = "safetensors";
    card.architecture = "bert";
    card.purpose = "Sentence encoder";
    card.canEmbed = true;
    card.dimensions = {shape.parameters, shape.positions, shape.blocks, shape.width, shape.feedForward, shape.heads, shape.heads,
                       shape.headSize, shape.vocabulary, true};
    facts.tokenizer = fmt::format("WordPiece, {} tokens", withThousands(static_cast<std::int64_t>(tokenizer->vocabularySize())));
    facts.chatTemplate = "none: an encoder does not chat";
    return facts;
}

Result<ModelFacts> encoderDecoderFacts(const TensorStore& store, const std::string& folder) {
    CAROUSEL_ASSIGN(const auto shape, t5Shape(store, folder + "/config.json"));
    CAROUSEL_ASSIGN(const auto tokenizer, t5Tokenizer(folder, shape));
    ModelFacts facts;
    facts.folder = folder;
    auto& card = facts.card;
    card.format = "safetensors";
    card.architecture = "t5";
    card.purpose = "Encoder-decoder: answers, scores candidates (each prompt is read anew), hidden states and vectors; computes in fp32, "
                   "takes no adapter";
    card.canChat = card.canEmbed = true;
    card.dimensions = {shape.parameters, t5Context, shape.blocks + shape.decoderBlocks, shape.width, shape.feedForward, shape.heads,
                       shape.heads, shape.headSize, shape.vocabulary, !shape.ownHead};
    facts.tokenizer = fmt::format("SentencePiece, {} tokens", withThousands(static_cast<std::int64_t>(tokenizer->vocabularySize())));
    facts.chatTemplate = "none: the encoder reads the messages one below the other";
    return facts;
}

// `path`: a .safetensors file, or the index of several.
Result<ModelFacts> inspectSafetensors(const fs::path& path, bool weights, const RunControl& control) {
    CAROUSEL_ASSIGN(const auto store, TensorStore::openSafetensors(path.string()));
    const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
    CAROUSEL_ASSIGN(const auto config, StrictJson::read((folder / "config.json").string()));
    CAROUSEL_ASSIGN(const auto type, config.textOr("model_type", ""));
    auto made = type == "bert"                          ? encoderFacts(path)
                : isT5((folder / "config.json").string()) ? encoderDecoderFacts(store, folder.string())
                                                          : decoderFacts(path.string());
    if (!made)
        return fail(made.error());
    ModelFacts facts = std::move(*made);
    auto& card = facts.card;
    std::error_code ignored;
    card.title = plainLine(fs::weakly_canonical(folder, ignored).filename().string());
    addFile(facts, path); // first: what is opened
    std::map<std::string, std::uint64_t> types;
    std::string stated;
    for (const auto& file : store.files()) {
        if (fs::path(file).filename() != path.filename())
            addFile(facts, folder / fs::path(file).filename());
        if (const auto opened = SafetensorsFile::open(file)) {
            for (const auto& tensor : opened->tensors())
                types[tensor.typeName] += tensor.bytes;
            if (const auto note = opened->metadata().find("license"); note != opened->metadata().end() && stated.empty())
                stated = note->second;
        }
    }
    card.quantisation = commonest(types);
    for (const char* name : companions)
        addFile(facts, folder / name);
    takeLicence(facts, stated);
    facts.tensors = store.names().size();
    if (weights)
        CAROUSEL_TRY(readAllWeights(store, control));
    return facts;
}

Result<fs::path> weightsIn(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        if (const auto ending = it->path().extension(); ending == ".safetensors" || ending == ".gguf")
            found.push_back(it->path());
    if (error)
        return fail(ErrorKind::io, "CL-2073", fmt::format("The folder '{}' cannot be read: {}.", quotedForMessage(folder.string()), error.message()),
                    "Check the path and its permissions.");
    std::sort(found.begin(), found.end());
    if (found.size() == 1)
        return found.front();
    if (const auto index = folder / "model.safetensors.index.json"; found.size() > 1 && fs::exists(index, error))
        return index;
    std::string names;
    for (const auto& path : found)
        names += (names.empty() ? ": " : ", ") + quotedForMessage(path.filename().string());
    return fail(ErrorKind::input, "CL-2073",
                fmt::format("The folder '{}' has {} files of weights{}; exactly one is expected, or an index of them.",
                            quotedForMessage(folder.string()), found.size(), names),
                "Give the .gguf or .safetensors file itself, or a folder with model.safetensors, config.json and the tokenizer's files.");
}

} // namespace

Result<std::string> weightsFile(const std::string& path) {
    std::error_code error;
    if (!fs::exists(path, error))
        return fail(ErrorKind::io, "CL-2073", fmt::format("'{}' is not there.", quotedForMessage(path)), "Check the path.");
    if (!fs::is_directory(path, error))
        return path;
    CAROUSEL_ASSIGN(const fs::path found, weightsIn(path));
    return found.string();
}

Result<ModelFacts> inspectModel(const std::string& path, bool weights, const RunControl& control) {
    CAROUSEL_ASSIGN(const fs::path file, weightsFile(path));
    // By content rather than by name would let a renamed file pass here that nothing else finds again.
    if (file.extension() == ".gguf")
        return inspectGguf(file, weights, control);
    if (file.extension() == ".safetensors" || file.filename() == "model.safetensors.index.json")
        return inspectSafetensors(file, weights, control);
    return fail(ErrorKind::input, "CL-2073", fmt::format("'{}' does not end in .gguf or .safetensors.", quotedForMessage(path)),
                "Give a model file of one of these formats, or the folder that holds it.");
}

} // namespace carousel
