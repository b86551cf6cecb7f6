// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/merge_adapter.h"
#include "base/file.h"
#include "llm/model_source.h"
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace carousel {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t ggufF32 = 0; // the number of the type in GGUF files

tl::unexpected<Error> refuse(const std::string& what, const std::string& hint) {
    return fail(ErrorKind::input, "CL-2148", what, hint);
}

constexpr WeightRole rolesOf[] = {WeightRole::query, WeightRole::key, WeightRole::value, WeightRole::attentionOut,
                                  WeightRole::gate,  WeightRole::up,  WeightRole::down}; // by LoraModule

// A file beside its target until it is whole.
class NewFile {
public:
    explicit NewFile(std::string path)
        : m_path(std::move(path)), m_part(m_path + ".part"), m_out(m_part, std::ios::binary | std::ios::trunc) {}
    ~NewFile() {
        if (!m_done) {
            m_out.close();
            std::error_code ignored;
            fs::remove(m_part, ignored);
        }
    }
    void add(const void* bytes, std::size_t count) {
        m_out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
        m_written += count;
    }
    void fill(std::size_t count) {
        static const char zeros[64] = {};
        for (; count > 0; count -= std::min(count, sizeof zeros))
            add(zeros, std::min(count, sizeof zeros));
    }
    std::size_t written() const { return m_written; }
    Result<void> finish() {
        m_out.flush();
        const bool good = m_out.good();
        m_out.close();
        std::error_code error;
        if (good)
            fs::rename(m_part, m_path, error);
        if (!good || error)
            return fail(ErrorKind::io, "CL-2148", fmt::format("'{}' cannot be written{}.", m_path, error ? ": " + error.message() : ""),
                        "Check the folder and the free space.");
        m_done = true;
        return {};
    }

private:
    std::string m_path, m_part;
    std::ofstream m_out;
    std::size_t m_written = 0;
    bool m_done = false;
};

// The matrices that the adapter changes, by their name in the file.
using Changed = std::map<std::string, const LoraMatrix*>;
Changed changedOf(const LoraAdapter& adapter, bool gguf) {
    Changed out;
    for (const auto& matrix : adapter.matrices) {
        const auto role = rolesOf[static_cast<std::size_t>(matrix.module)];
        out.emplace(gguf ? ggufName(role, matrix.layer) : safetensorsName(role, matrix.layer), &matrix);
    }
    return out;
}
Result<std::vector<float>> mergedValues(const ModelSource& merged, const LoraMatrix& matrix) {
    return merged.floats(rolesOf[static_cast<std::size_t>(matrix.module)], matrix.layer);
}

// An entry of the header up to its type: the length of the name, the name, the number of dims, the dims with the fastest first.
std::string entryOf(const TensorInfo& tensor) {
    std::string out;
    const auto put = [&](auto value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); };
    put(static_cast<std::uint64_t>(tensor.name.size()));
    out += tensor.name;
    put(static_cast<std::uint32_t>(tensor.dims.size()));
    for (auto it = tensor.dims.rbegin(); it != tensor.dims.rend(); ++it)
        put(static_cast<std::uint64_t>(*it));
    return out;
}

// Where the entries begin: they stand one after the other, each followed by type and offset, as the last thing before the data.
std::optional<std::size_t> entriesAt(const std::string& header, const std::vector<TensorInfo>& tensors) {
    std::size_t size = 0;
    for (const auto& tensor : tensors)
        size += entryOf(tensor).size() + 12;
    for (std::size_t padding = 0; size + padding <= header.size() && padding < 65536; ++padding) {
        const auto begin = header.size() - padding - size;
        std::size_t at = begin;
        const bool all = std::all_of(tensors.begin(), tensors.end(), [&](const TensorInfo& tensor) {
            const auto entry = entryOf(tensor);
            const bool same = header.compare(at, entry.size(), entry) == 0;
            at += entry.size() + 12;
            return same;
        });
        if (all)
            return begin;
    }
    return {};
}

Result<void> writeGguf(const ModelSource& merged, const LoraAdapter& adapter, NewFile& out, const RunControl& control) {
    CAROUSEL_ASSIGN(const GgufFile base, GgufFile::open(merged.path()));
    const Changed changed = changedOf(adapter, true);
    std::string header(base.dataOffset(), '\0');
    CAROUSEL_TRY(base.file()->read(0, std::as_writable_bytes(std::span(header.data(), header.size()))));
    const auto& tensors = base.tensors();
    const auto entries = entriesAt(header, tensors);
    if (!entries)
        return refuse(fmt::format("The tensors of '{}' are not listed in the order in which they were read.", merged.path()),
                      "Merge from the model's safetensors folder.");
    // Types and offsets first; the sizes of the entries stay, so the data begin where they did.
    const auto aligned = [&](std::uint64_t size) { return (size + base.alignment() - 1) / base.alignment() * base.alignment(); };
    std::uint64_t offset = 0;
    std::size_t at = *entries;
    for (const auto& tensor : tensors) {
        at += entryOf(tensor).size();
        const bool change = changed.count(tensor.name) > 0;
        if (change)
            std::memcpy(header.data() + at, &ggufF32, sizeof ggufF32);
        std::memcpy(header.data() + at + 4, &offset, sizeof offset);
        at += 12;
        offset += aligned(change ? tensor.elements * sizeof(float) : tensor.bytes);
    }
    out.add(header.data(), header.size());
    for (std::size_t t = 0; t < tensors.size(); ++t) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("merging an adapter"));
        control.report("Writing weights", static_cast<double>(t), static_cast<double>(tensors.size()), "tensors");
        const auto& tensor = tensors[t];
        std::uint64_t size = tensor.bytes;
        if (const auto found = changed.find(tensor.name); found != changed.end()) {
            CAROUSEL_ASSIGN(const auto values, mergedValues(merged, *found->second));
            size = values.size() * sizeof(float);
            out.add(values.data(), size);
        } else {
            CAROUSEL_ASSIGN(const auto bytes, base.raw(tensor));
            out.add(bytes.data(), bytes.size());
        }
        out.fill(aligned(size) - size);
    }
    return {};
}

Result<void> writeSafetensors(const ModelSource& merged, const LoraAdapter& adapter, NewFile& out, const RunControl& control) {
    CAROUSEL_ASSIGN(const TensorStore base, TensorStore::openSafetensors(merged.path()));
    const Changed changed = changedOf(adapter, false);
    const auto names = base.names();
    nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
    std::uint64_t offset = 0;
    for (const auto& name : names) {
        const auto& tensor = *base.find(name);
        const bool change = changed.count(name) > 0;
        const auto end = offset + (change ? tensor.elements * sizeof(float) : tensor.bytes);
        header[name] = {{"dtype", change ? "F32" : tensor.typeName}, {"shape", tensor.dims}, {"data_offsets", {offset, end}}};
        offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    out.add(&length, sizeof length);
    out.add(text.data(), text.size());
    for (std::size_t t = 0; t < names.size(); ++t) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("merging an adapter"));
        control.report("Writing weights", static_cast<double>(t), static_cast<double>(names.size()), "tensors");
        if (const auto found = changed.find(names[t]); found != changed.end()) {
            CAROUSEL_ASSIGN(const auto values, mergedValues(merged, *found->second));
            out.add(values.data(), values.size() * sizeof(float));
        } else {
            CAROUSEL_ASSIGN(const auto bytes, base.raw(*base.find(names[t])));
            out.add(bytes.data(), bytes.size());
        }
    }
    return {};
}

// Tokenizer, configuration, licence: all small files of the base's folder that hold no weights.
Result<void> copyCompanions(const std::string& from, const std::string& to) {
    std::error_code error;
    for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string(), ending = it->path().extension().string();
        if (!it->is_regular_file() || ending == ".safetensors" || name.find(".safetensors.") != std::string::npos || name.front() == '.' ||
            !(ending == ".json" || ending == ".txt" || ending == ".model" || ending == ".jinja" || name == "LICENSE"))
            continue;
        CAROUSEL_ASSIGN(const auto bytes, readFile(it->path().string()));
        CAROUSEL_TRY(atomicWrite(to + "/" + name, bytes));
    }
    return {};
}

} // namespace

Result<MergedModel> writeMerged(const ModelLocation& location, const std::string& output, const RunControl& control) {
    if (location.adapter.empty())
        return refuse(fmt::format("'{}' names no adapter to merge.", location.id), "Name model and adapter: MODEL@ADAPTER.");
    CAROUSEL_ASSIGN(const auto base, ModelSource::open(location.weights));
    CAROUSEL_ASSIGN(auto read, readAdapter(location.adapter));
    const auto adapter = std::make_shared<const LoraAdapter>(std::move(read));
    CAROUSEL_ASSIGN(const auto merged, ModelSource::adapted(*base, adapter));
    const bool gguf = base->format() == "gguf", named = fs::path(output).extension() == ".gguf";
    if (gguf != named)
        return refuse(fmt::format("'{}' does not fit: the weights of '{}' are in {}.", output, location.id,
                                  gguf ? "a GGUF file" : "a safetensors folder"),
                      gguf ? "Give a file that ends in .gguf." : "Give a folder.");
    std::error_code ignored;
    const std::string target = gguf ? output : output + "/model.safetensors";
    if (fs::equivalent(target, base->path(), ignored))
        return refuse(fmt::format("'{}' is the base model itself.", output), "Give another place.");
    if (const auto folder = fs::path(target).parent_path(); !folder.empty())
        CAROUSEL_TRY(makeFolders(folder.string()));
    NewFile file(target);
    CAROUSEL_TRY(gguf ? writeGguf(*merged, *adapter, file, control) : writeSafetensors(*merged, *adapter, file, control));
    if (!gguf)
        CAROUSEL_TRY(copyCompanions(base->folder(), output));
    CAROUSEL_TRY(file.finish());
    return MergedModel{output, static_cast<std::int64_t>(adapter->matrices.size()), static_cast<std::int64_t>(file.written())};
}

} // namespace carousel
