// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/safetensors.h"
#include "base/text.h"
#include "llm/weight_reader.h"
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

namespace carousel {

namespace {

constexpr std::uint64_t headerLimit = 100'000'000;
constexpr std::size_t rankLimit = 64, nestingLimit = 8;

struct KnownType {
    const char* name;
    TensorType type;
};
constexpr KnownType knownTypes[] = {
    {"F64", TensorType::f64}, {"F32", TensorType::f32}, {"F16", TensorType::f16},     {"BF16", TensorType::bf16}, {"I64", TensorType::i64},
    {"I32", TensorType::i32}, {"I16", TensorType::i16}, {"I8", TensorType::i8},       {"U64", TensorType::u64},   {"U32", TensorType::u32},
    {"U16", TensorType::u16}, {"U8", TensorType::u8},   {"BOOL", TensorType::boolean}};

struct Problem {
    std::string code, what, rule;
};

struct Entry {
    std::string name, dtype;
    std::vector<std::uint64_t> shape, offsets;
    bool hasDtype = false, hasShape = false, hasOffsets = false;
};

// Takes the JSON as a stream: that is the only way to see a key that comes twice, and integers stay 64 bits wide.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
public:
    std::vector<Entry> entries;
    std::map<std::string, std::string> metadata;
    std::optional<Problem> problem;
    std::size_t errorAt = 0;

    bool null() override { return value("null"); }
    bool boolean(bool) override { return value("a boolean"); }
    bool number_float(number_float_t, const string_t& text) override { return value("the number " + quotedForMessage(text)); }
    bool binary(binary_t&) override { return value("binary data"); }
    bool number_integer(number_integer_t number) override { return value(fmt::format("the number {}", number)); }
    bool number_unsigned(number_unsigned_t number) override {
        if (!inTensorArray())
            return value(fmt::format("the number {}", number));
        auto& list = m_key == "shape" ? entries.back().shape : entries.back().offsets;
        const std::size_t limit = m_key == "shape" ? rankLimit : 2;
        if (list.size() == limit)
            return refuse("CL-2050", fmt::format("{} of '{}' has more than {} numbers", m_key, shownName(), limit),
                          m_key == "shape" ? "at most 64 dimensions" : "data_offsets is a pair");
        list.push_back(number);
        return true;
    }
    bool string(string_t& text) override {
        if (m_depth == 2 && m_inMetadata) {
            metadata[m_key] = text;
            return true;
        }
        if (m_depth == 2 && !m_inArray && m_key == "dtype") {
            entries.back().dtype = text;
            entries.back().hasDtype = true;
            return true;
        }
        return value("the text '" + quotedForMessage(text) + "'");
    }
    bool start_object(std::size_t) override {
        if (!deeper())
            return false;
        if (m_depth == 1)
            return true;
        if (m_depth != 2 || m_inArray)
            return value("an object");
        m_inMetadata = m_topKey == "__metadata__";
        m_keys.clear();
        if (!m_inMetadata)
            entries.push_back({m_topKey, {}, {}, {}});
        return true;
    }
    bool end_object() override {
        if (m_depth-- == 2)
            m_inMetadata = false;
        return true;
    }
    bool start_array(std::size_t) override {
        if (!deeper())
            return false;
        if (m_depth != 3 || m_inMetadata || m_inArray || (m_key != "shape" && m_key != "data_offsets"))
            return value("a list");
        m_inArray = true;
        (m_key == "shape" ? entries.back().hasShape : entries.back().hasOffsets) = true;
        return true;
    }
    bool end_array() override {
        --m_depth;
        m_inArray = false;
        return true;
    }
    bool key(string_t& text) override {
        if (m_depth == 1) {
            if (!m_topKeys.insert(text).second)
                return refuse("CL-2046", fmt::format("the key '{}' comes twice", quotedForMessage(text)), "keys are unique");
            m_topKey = text;
            return true;
        }
        if (!m_keys.insert(text).second)
            return refuse("CL-2046", fmt::format("the key '{}' of '{}' comes twice", quotedForMessage(text), quotedForMessage(m_topKey)),
                          "keys are unique");
        m_key = text;
        if (!m_inMetadata && text != "dtype" && text != "shape" && text != "data_offsets")
            return refuse("CL-2049", fmt::format("'{}' has the key '{}'", quotedForMessage(m_topKey), quotedForMessage(text)),
                          "an entry has exactly dtype, shape and data_offsets");
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        errorAt = position;
        return refuse("CL-2045", fmt::format("the header is not JSON ({})", quotedForMessage(error.what(), 160)),
                      "the header is one JSON object");
    }

private:
    bool refuse(const char* code, std::string what, std::string rule) {
        if (!problem)
            problem = Problem{code, std::move(what), std::move(rule)};
        return false;
    }
    std::string shownName() const { return quotedForMessage(m_topKey); }
    bool inTensorArray() const { return m_depth == 3 && m_inArray; }
    bool deeper() {
        if (++m_depth <= nestingLimit)
            return true;
        return refuse("CL-2047", fmt::format("the header nests deeper than {}", nestingLimit), "a tensor entry nests 3 deep");
    }
    // Anything in a place where the format does not have it.
    bool value(const std::string& what) {
        if (m_inMetadata)
            return refuse("CL-2048", fmt::format("__metadata__ holds {} for '{}'", what, quotedForMessage(m_key)),
                          "metadata is text to text");
        if (m_inArray)
            return refuse("CL-2050", fmt::format("{} of '{}' holds {}", m_key, shownName(), what), "non-negative whole numbers below 2^64");
        return refuse("CL-2049", fmt::format("'{}' holds {} where the format has none", shownName(), what),
                      "an entry has exactly dtype, shape and data_offsets");
    }

    std::size_t m_depth = 0;
    bool m_inMetadata = false, m_inArray = false;
    std::string m_topKey, m_key;
    std::set<std::string> m_topKeys, m_keys;
};

} // namespace

class SafetensorsParser {
public:
    explicit SafetensorsParser(SafetensorsFile& out) : m_out(out), m_file(*out.m_file) {}

    Result<void> parse() {
        const auto size = m_file.size();
        if (size < 8)
            return refuse("CL-2041", 0, fmt::format("the file has {} bytes", size), "a safetensors file has at least 8 bytes");
        std::uint64_t length = 0;
        CAROUSEL_TRY(m_file.read(0, std::as_writable_bytes(std::span(&length, 1))));
        if (length > headerLimit)
            return refuse("CL-2042", 0, fmt::format("the header announces {} bytes", length), "a header has at most 100,000,000 bytes");
        if (length > size - 8)
            return refuse(
                "CL-2043", 0,
                fmt::format("the header announces {} bytes; the file is cut: {} bytes expected, {} found", length, length + 8, size),
                "the header lies inside the file");
        std::string header(static_cast<std::size_t>(length), '\0');
        CAROUSEL_TRY(m_file.read(8, std::as_writable_bytes(std::span(header))));
        if (const auto bad = firstInvalidUtf8(header); bad != std::string_view::npos)
            return refuse("CL-2044", 8 + bad, "the header is not valid UTF-8", "the header is UTF-8");
        if (header.empty() || header[0] != '{')
            return refuse("CL-2045", 8, "the header does not start with '{'", "the header is one JSON object");
        // The JSON reader takes a NUL for the end of its input; what stands behind one would go unread.
        if (const auto nul = header.find('\0'); nul != std::string::npos)
            return refuse("CL-2045", 8 + nul, "the header holds a NUL byte", "the header is one JSON object");
        HeaderHandler handler;
        const bool parsed = nlohmann::json::sax_parse(header, &handler);
        if (handler.problem)
            return refuse(handler.problem->code.c_str(), 8 + handler.errorAt, handler.problem->what, handler.problem->rule);
        if (!parsed)
            return refuse("CL-2045", 8, "the header is not JSON", "the header is one JSON object");
        m_dataOffset = 8 + length;
        for (Entry& entry : handler.entries)
            CAROUSEL_TRY(add(entry));
        m_out.m_metadata = std::move(handler.metadata);
        return checkCover();
    }

private:
    tl::unexpected<Error> refuse(const char* code, std::uint64_t offset, const std::string& what, const std::string& rule) const {
        return fail(ErrorKind::input, code, fmt::format("'{}', offset {}: {}. Rule: {}.", m_file.path(), offset, what, rule),
                    "The file is damaged or not a safetensors model; fetch it again (packaging/run.sh) or choose another one.");
    }

    Result<void> add(Entry& entry) {
        const std::string shown = quotedForMessage(entry.name);
        if (!entry.hasDtype || !entry.hasShape || !entry.hasOffsets || entry.offsets.size() != 2)
            return refuse("CL-2049", 8,
                          fmt::format("'{}' lacks {}", shown,
                                      !entry.hasDtype   ? "dtype"
                                      : !entry.hasShape ? "shape"
                                                        : "a pair of data_offsets"),
                          "an entry has exactly dtype, shape and data_offsets");
        TensorInfo tensor;
        tensor.name = entry.name;
        const auto known =
            std::find_if(std::begin(knownTypes), std::end(knownTypes), [&](const KnownType& type) { return entry.dtype == type.name; });
        if (known == std::end(knownTypes))
            return refuse("CL-2051", 8, fmt::format("'{}' has the dtype '{}'", shown, quotedForMessage(entry.dtype)),
                          "a dtype that this program knows");
        tensor.type = known->type;
        tensor.typeName = known->name;
        tensor.elements = 1;
        for (const auto extent : entry.shape)
            if (__builtin_mul_overflow(tensor.elements, extent, &tensor.elements))
                return refuse("CL-2050", 8, fmt::format("the shape of '{}' multiplies to 2^64 or more", shown),
                              "the number of elements fits 64 bits");
        tensor.dims = std::move(entry.shape);
        if (__builtin_mul_overflow(tensor.elements, std::uint64_t(blockSize(tensor.type).bytes), &tensor.bytes))
            return refuse("CL-2050", 8, fmt::format("'{}' has 2^64 bytes or more", shown), "the number of bytes fits 64 bits");
        const auto begin = entry.offsets[0], end = entry.offsets[1];
        if (begin > end || end - begin != tensor.bytes)
            return refuse("CL-2052", 8,
                          fmt::format("'{}' lies from {} to {}, its shape and dtype ask for {} bytes", shown, begin, end, tensor.bytes),
                          "data_offsets span exactly the tensor's bytes");
        tensor.offset = begin; // made absolute in checkCover
        m_out.m_tensors.push_back(std::move(tensor));
        return {};
    }

    Result<void> checkCover() {
        auto& tensors = m_out.m_tensors;
        std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
            return std::tie(a.offset, a.bytes, a.name) < std::tie(b.offset, b.bytes, b.name);
        });
        std::uint64_t expected = 0;
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            if (tensors[i].offset != expected)
                return refuse("CL-2053", 8,
                              fmt::format("'{}' begins at {} of the data, the one before it ends at {}", quotedForMessage(tensors[i].name),
                                          tensors[i].offset, expected),
                              "tensors follow one another without hole or overlap");
            expected += tensors[i].bytes; // equals the checked end offset, so it cannot wrap
            m_out.m_index.emplace(tensors[i].name, i);
        }
        const auto data = m_file.size() - m_dataOffset;
        if (expected > data)
            return refuse("CL-2054", m_file.size(),
                          fmt::format("the file is cut: {} bytes of data expected after offset {}, {} found", expected, m_dataOffset, data),
                          "the tensors end where the file ends");
        if (expected < data)
            return refuse("CL-2054", m_dataOffset + expected, fmt::format("{} bytes follow the last tensor", data - expected),
                          "the tensors end where the file ends");
        for (TensorInfo& tensor : tensors)
            tensor.offset += m_dataOffset;
        return {};
    }

    SafetensorsFile& m_out;
    const BoundedFile& m_file;
    std::uint64_t m_dataOffset = 0;
};

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
    SafetensorsFile file;
    CAROUSEL_ASSIGN(file.m_file, BoundedFile::open(path));
    CAROUSEL_TRY(SafetensorsParser(file).parse());
    return file;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
    const auto found = m_index.find(std::string(name));
    return found == m_index.end() ? nullptr : &m_tensors[found->second];
}

Result<const TensorInfo*> SafetensorsFile::tensor(std::string_view name) const {
    return presentTensor(find(name), name, path());
}

Result<const TensorInfo*> SafetensorsFile::tensor(std::string_view name, const std::vector<std::uint64_t>& dims) const {
    return tensorOfShape(find(name), name, dims, path());
}

Result<std::vector<std::byte>> SafetensorsFile::raw(const TensorInfo& tensor) const {
    return readRaw(*m_file, tensor);
}

Result<std::vector<float>> SafetensorsFile::dequantised(const TensorInfo& tensor) const {
    return readFloats(*m_file, tensor, 0, tensor.rows());
}

} // namespace carousel
