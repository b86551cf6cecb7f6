// SPDX-License-Identifier: GPL-3.0-or-later
// Builds small GGUF and safetensors files byte by byte, right or wrong as a test needs them.
#pragma once
#include "base/random.h"
#include "llm/gguf.h"
#include "llm/safetensors.h"
#include <QFile>
#include <QTemporaryDir>
#include <cstring>
#include <optional>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace builder {

class Bytes {
public:
    template <class T> Bytes& put(T value) {
        text.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Bytes& u32(std::uint32_t v) { return put(v); }
    Bytes& u64(std::uint64_t v) { return put(v); }
    Bytes& raw(const std::string& v) {
        text += v;
        return *this;
    }
    Bytes& string(const std::string& v) { return u64(v.size()).raw(v); }
    std::string text;
};

struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims; // as GGUF has them: fastest first
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
};

// A GGUF file from its parts; every part may be wrong.
struct Gguf {
    std::string magic = "GGUF";
    std::uint32_t version = 3;
    std::optional<std::uint64_t> tensorCount, keyCount; // the true ones when not set
    std::vector<std::string> keys;                      // each already encoded
    std::vector<Tensor> tensors;
    std::uint64_t alignment = 32;
    std::string data;

    std::string bytes() const {
        Bytes out;
        out.raw(magic).u32(version).u64(tensorCount.value_or(tensors.size())).u64(keyCount.value_or(keys.size()));
        for (const auto& key : keys)
            out.raw(key);
        for (const auto& tensor : tensors) {
            out.string(tensor.name).u32(static_cast<std::uint32_t>(tensor.dims.size()));
            for (const auto extent : tensor.dims)
                out.u64(extent);
            out.u32(tensor.type).u64(tensor.offset);
        }
        while (out.text.size() % alignment != 0)
            out.text += '\0';
        return out.text + data;
    }
};

inline std::string keyHead(const std::string& name, std::uint32_t type) {
    return Bytes().string(name).u32(type).text;
}
inline std::string keyU32(const std::string& name, std::uint32_t value) {
    return keyHead(name, 4) + Bytes().u32(value).text;
}
inline std::string keyText(const std::string& name, const std::string& value) {
    return keyHead(name, 8) + Bytes().string(value).text;
}

// Two tensors of 64 F32 and 2 x 32 Q8_0 values, five keys of different types.
inline Gguf goodGguf() {
    Gguf file;
    file.keys = {keyText("general.architecture", "llama"),
                 keyU32("general.alignment", 32),
                 keyHead("a.real", 6) + Bytes().put(1.5f).text,
                 keyHead("a.list", 9) + Bytes().u32(5).u64(3).put(std::int32_t(-1)).put(std::int32_t(2)).put(std::int32_t(3)).text,
                 keyHead("some.texts", 9) + Bytes().u32(8).u64(2).string("one").string("two").text,
                 keyHead("a.switch", 7) + std::string(1, '\1')};
    file.tensors = {{"first", {64}, 0, 0}, {"second", {32, 2}, 8, 256}};
    Bytes data;
    for (int i = 0; i < 64; ++i)
        data.put(static_cast<float>(i) / 4);
    for (int row = 0; row < 2; ++row) {
        data.put(std::uint16_t(0x3800)); // 0.5
        for (int i = 0; i < 32; ++i)
            data.put(static_cast<std::int8_t>(i - 16 + row));
    }
    file.data = data.text;
    return file;
}

inline std::string safetensors(const std::string& header, const std::string& data) {
    return Bytes().u64(header.size()).raw(header).text + data;
}
inline std::string goodHeader() {
    return R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"n":{"dtype":"I64","shape":[1],"data_offsets":[16,24]}})";
}
inline std::string goodSafetensors() {
    return safetensors(goodHeader(), Bytes().put(1.0f).put(-2.0f).put(0.5f).put(4.0f).put(std::int64_t(7)).text);
}

// A file in memory, for tests that open thousands of them.
class MemoryFile {
public:
    explicit MemoryFile(const std::string& bytes) : m_descriptor(::memfd_create("model", 0)) {
        if (m_descriptor < 0 || ::write(m_descriptor, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            qFatal("the test cannot make a file in memory");
    }
    ~MemoryFile() { ::close(m_descriptor); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(m_descriptor); }

private:
    int m_descriptor;
};

class Folder {
public:
    std::string write(const std::string& name, const std::string& bytes) const {
        const QString path = m_folder.filePath(QString::fromStdString(name));
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly | QIODevice::Truncate) ||
            file.write(bytes.data(), static_cast<qint64>(bytes.size())) != static_cast<qint64>(bytes.size()))
            qFatal("the test cannot write its file");
        return path.toStdString();
    }
    std::string path(const std::string& name) const { return m_folder.filePath(QString::fromStdString(name)).toStdString(); }

private:
    QTemporaryDir m_folder;
};

} // namespace builder
