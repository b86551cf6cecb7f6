// SPDX-License-Identifier: GPL-3.0-or-later
// Reading of a GGUF header. Rules are numbered CL-2011 .. CL-2025; each is checked before the memory it speaks of is allocated.
#include "base/text.h"
#include "llm/gguf.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace carousel {

namespace {

constexpr std::uint64_t headerLimit = std::uint64_t(128) << 20;     // bytes of metadata and tensor list together
constexpr std::uint64_t arrayElementLimit = std::uint64_t(8) << 20; // of all metadata arrays together
constexpr std::uint64_t maximumTensors = std::uint64_t(1) << 20, maximumKeys = std::uint64_t(1) << 16;
constexpr std::uint64_t smallestTensorEntry = 24, smallestKeyEntry = 13;
constexpr std::uint64_t signedLimit = std::uint64_t(1) << 63;

enum KeyType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64, keyTypes };
constexpr std::uint32_t keyTypeSize[keyTypes] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8};

struct StoredType {
    const char* name; // null: removed from the format or never given out
    std::uint32_t elements, bytes;
    TensorType type;
};
constexpr StoredType storedTypes[] = {{"F32", 1, 4, TensorType::f32},
                                      {"F16", 1, 2, TensorType::f16},
                                      {"Q4_0", 32, 18, TensorType::q4_0},
                                      {"Q4_1", 32, 20, TensorType::q4_1},
                                      {nullptr, 0, 0, TensorType::other},
                                      {nullptr, 0, 0, TensorType::other},
                                      {"Q5_0", 32, 22, TensorType::q5_0},
                                      {"Q5_1", 32, 24, TensorType::q5_1},
                                      {"Q8_0", 32, 34, TensorType::q8_0},
                                      {"Q8_1", 32, 36, TensorType::other},
                                      {"Q2_K", 256, 84, TensorType::other},
                                      {"Q3_K", 256, 110, TensorType::other},
                                      {"Q4_K", 256, 144, TensorType::q4_k},
                                      {"Q5_K", 256, 176, TensorType::other},
                                      {"Q6_K", 256, 210, TensorType::q6_k},
                                      {"Q8_K", 256, 292, TensorType::other},
                                      {"IQ2_XXS", 256, 66, TensorType::other},
                                      {"IQ2_XS", 256, 74, TensorType::other},
                                      {"IQ3_XXS", 256, 98, TensorType::other},
                                      {"IQ1_S", 256, 50, TensorType::other},
                                      {"IQ4_NL", 32, 18, TensorType::other},
                                      {"IQ3_S", 256, 110, TensorType::other},
                                      {"IQ2_S", 256, 82, TensorType::other},
                                      {"IQ4_XS", 256, 136, TensorType::other},
                                      {"I8", 1, 1, TensorType::i8},
                                      {"I16", 1, 2, TensorType::i16},
                                      {"I32", 1, 4, TensorType::i32},
                                      {"I64", 1, 8, TensorType::i64},
                                      {"F64", 1, 8, TensorType::f64},
                                      {"IQ1_M", 256, 56, TensorType::other},
                                      {"BF16", 1, 2, TensorType::bf16}};
constexpr std::uint32_t storedTypeCount = sizeof storedTypes / sizeof storedTypes[0];

} // namespace

class GgufParser {
public:
    explicit GgufParser(GgufFile& out) : m_out(out), m_file(*out.m_file), m_end(std::min(m_file.size(), headerLimit)) {}

    Result<void> parse() {
        CAROUSEL_TRY(parseHead());
        for (std::uint64_t i = 0; i < m_keyCount; ++i)
            CAROUSEL_TRY(parseKey());
        CAROUSEL_TRY(checkAlignment());
        std::vector<std::uint64_t> entryOffsets;
        for (std::uint64_t i = 0; i < m_tensorCount; ++i) {
            entryOffsets.push_back(m_at);
            CAROUSEL_TRY(parseTensor());
        }
        return placeTensors(entryOffsets);
    }

private:
    tl::unexpected<Error> refuse(const char* code, std::uint64_t offset, const std::string& what, const std::string& rule) const {
        return fail(ErrorKind::input, code, fmt::format("'{}', offset {}: {}. Rule: {}.", m_file.path(), offset, what, rule),
                    "The file is damaged or not a GGUF model; fetch it again (packaging/run.sh) or choose another one.");
    }

    // ---- bounded reading ----
    std::uint64_t remain() const { return m_end - m_at; }

    Result<void> take(void* to, std::uint64_t bytes, const char* what) {
        if (bytes > remain()) {
            if (m_end < m_file.size())
                return refuse("CL-2025", m_at, fmt::format("{} goes past the first {} bytes", what, m_end),
                              "the header has at most 128 MiB");
            return refuse("CL-2014", m_at,
                          fmt::format("{} needs {} bytes, {} are left (file size {})", what, bytes, remain(), m_file.size()),
                          "everything the header announces lies inside the file");
        }
        auto* out = static_cast<std::byte*>(to);
        while (bytes > 0) {
            if (m_at < m_windowAt || m_at >= m_windowAt + m_window.size()) {
                m_window.resize(static_cast<std::size_t>(std::min<std::uint64_t>(remain(), 1 << 16)));
                CAROUSEL_TRY(m_file.read(m_at, m_window));
                m_windowAt = m_at;
            }
            const auto skip = m_at - m_windowAt;
            const auto part = std::min<std::uint64_t>(bytes, m_window.size() - skip);
            std::memcpy(out, m_window.data() + skip, part);
            out += part;
            m_at += part;
            bytes -= part;
        }
        return {};
    }

    template <class T> Result<T> number(const char* what) {
        T value{};
        CAROUSEL_TRY(take(&value, sizeof value, what));
        return value;
    }

    Result<std::string> text(const char* what, std::uint64_t shortest, std::uint64_t longest) {
        const auto at = m_at;
        CAROUSEL_ASSIGN(const auto length, number<std::uint64_t>(what));
        if (length > remain())
            return refuse("CL-2014", at, fmt::format("{} announces {} bytes, {} are left", what, length, remain()),
                          "a string is no longer than the rest of the file");
        if (length < shortest || length > longest)
            return refuse("CL-2014", at, fmt::format("{} has {} bytes", what, length), fmt::format("{} to {} bytes", shortest, longest));
        std::string value(static_cast<std::size_t>(length), '\0');
        CAROUSEL_TRY(take(value.data(), length, what));
        return value;
    }

    // ---- head ----
    Result<void> parseHead() {
        if (m_file.size() < 24)
            return refuse("CL-2011", 0, fmt::format("the file has {} bytes", m_file.size()), "a GGUF file has at least 24 bytes");
        char magic[4];
        CAROUSEL_TRY(take(magic, 4, "the magic"));
        if (std::memcmp(magic, "GGUF", 4) != 0)
            return refuse("CL-2011", 0, fmt::format("it starts with '{}'", quotedForMessage({magic, 4})), "a GGUF file starts with 'GGUF'");
        CAROUSEL_ASSIGN(m_out.m_version, number<std::uint32_t>("the version"));
        const auto version = m_out.m_version;
        if (version == 0x02000000u || version == 0x03000000u)
            return refuse("CL-2012", 4, "the file is big-endian", "only little-endian GGUF is read");
        if (version != 2 && version != 3)
            return refuse("CL-2012", 4, fmt::format("GGUF version {}", version), "versions 2 and 3 are read");
        CAROUSEL_ASSIGN(m_tensorCount, number<std::uint64_t>("the number of tensors"));
        CAROUSEL_ASSIGN(m_keyCount, number<std::uint64_t>("the number of keys"));
        const auto left = m_file.size() - m_at;
        if (m_tensorCount > std::min(maximumTensors, left / smallestTensorEntry))
            return refuse("CL-2013", 8, fmt::format("{} tensors announced in a file of {} bytes", m_tensorCount, m_file.size()),
                          "at most 2^20 tensors, and 24 bytes for each");
        if (m_keyCount > std::min(maximumKeys, left / smallestKeyEntry))
            return refuse("CL-2013", 16, fmt::format("{} metadata keys announced in a file of {} bytes", m_keyCount, m_file.size()),
                          "at most 2^16 keys, and 13 bytes for each");
        return {};
    }

    // ---- metadata ----
    Result<void> parseKey() {
        const auto at = m_at;
        CAROUSEL_ASSIGN(const std::string key, text("a metadata key", 1, 65535));
        if (!m_out.m_metadataIndex.emplace(key, m_out.m_metadata.size()).second)
            return refuse("CL-2015", at, fmt::format("the key '{}' comes twice", quotedForMessage(key)), "metadata keys are unique");
        const auto typeAt = m_at;
        CAROUSEL_ASSIGN(const auto type, number<std::uint32_t>("a metadata type"));
        if (type >= keyTypes)
            return refuse("CL-2016", typeAt, fmt::format("the key '{}' has type {}", quotedForMessage(key), type),
                          "metadata types are 0 to 12");
        if (key == "general.alignment" && type != u32)
            return refuse("CL-2018", typeAt, fmt::format("general.alignment has type {}", type),
                          "the alignment is an unsigned 32-bit number");
        m_out.m_metadata.emplace_back(key, GgufFile::Value{});
        GgufFile::Value& value = m_out.m_metadata.back().second;
        if (key == "general.alignment")
            m_alignmentAt = m_at;
        if (type == array)
            return parseArray(key, value);
        if (type == string) {
            CAROUSEL_ASSIGN(value, text("a metadata string", 0, headerLimit));
            return {};
        }
        return parseScalar(key, type, value);
    }

    template <class T> Result<std::int64_t> integerAs() {
        CAROUSEL_ASSIGN(const T value, number<T>("a metadata value"));
        return static_cast<std::int64_t>(value);
    }

    Result<std::int64_t> smallInteger(std::uint32_t type) {
        switch (type) {
        case u8:
        case boolean:
            return integerAs<std::uint8_t>();
        case i8:
            return integerAs<std::int8_t>();
        case u16:
            return integerAs<std::uint16_t>();
        case i16:
            return integerAs<std::int16_t>();
        case u32:
            return integerAs<std::uint32_t>();
        case i32:
            return integerAs<std::int32_t>();
        default:
            return integerAs<std::int64_t>(); // u64 by its bits
        }
    }

    Result<double> real(std::uint32_t type) {
        if (type == f64)
            return number<double>("a metadata value");
        CAROUSEL_ASSIGN(const float value, number<float>("a metadata value"));
        return static_cast<double>(value);
    }

    void noteBoolean(const std::string& key, std::int64_t value) {
        if (value != 0 && value != 1 && m_out.m_warnings.size() < 20)
            m_out.m_warnings.push_back(fmt::format("'{}' holds the boolean {}, which is read as true.", quotedForMessage(key), value));
    }

    Result<void> parseScalar(const std::string& key, std::uint32_t type, GgufFile::Value& value) {
        if (type == f32 || type == f64) {
            CAROUSEL_ASSIGN(value, real(type));
            return {};
        }
        CAROUSEL_ASSIGN(const std::int64_t got, smallInteger(type));
        if (type == boolean) {
            noteBoolean(key, got);
            value = got != 0;
        } else if (type == u64) {
            value = static_cast<std::uint64_t>(got);
        } else {
            value = got;
        }
        return {};
    }

    Result<void> parseArray(const std::string& key, GgufFile::Value& value) {
        const auto at = m_at;
        CAROUSEL_ASSIGN(const auto type, number<std::uint32_t>("an array's element type"));
        if (type == array)
            return refuse("CL-2016", at, fmt::format("'{}' is an array of arrays", quotedForMessage(key)), "arrays are not nested");
        if (type >= keyTypes)
            return refuse("CL-2016", at, fmt::format("the array '{}' has elements of type {}", quotedForMessage(key), type),
                          "metadata types are 0 to 12");
        CAROUSEL_ASSIGN(const auto count, number<std::uint64_t>("an array's length"));
        if (count > remain() / keyTypeSize[type])
            return refuse("CL-2017", at + 4,
                          fmt::format("the array '{}' announces {} elements of at least {} bytes, {} bytes are left", quotedForMessage(key),
                                      count, keyTypeSize[type], remain()),
                          "an array is no longer than the rest of the file");
        m_arrayElements += count;
        if (m_arrayElements > arrayElementLimit)
            return refuse("CL-2017", at + 4,
                          fmt::format("with '{}' the metadata arrays have {} elements", quotedForMessage(key), m_arrayElements),
                          "at most 2^23 elements in all metadata arrays");
        const auto n = static_cast<std::size_t>(count);
        if (type == string) {
            std::vector<std::string> values;
            values.reserve(n);
            for (std::size_t i = 0; i < n; ++i) {
                CAROUSEL_ASSIGN(auto one, text("a string of an array", 0, headerLimit));
                values.push_back(std::move(one));
            }
            value = std::move(values);
        } else if (type == f32 || type == f64) {
            GgufFile::NumberArray values;
            values.values.reserve(n);
            for (std::size_t i = 0; i < n; ++i) {
                CAROUSEL_ASSIGN(const double one, real(type));
                values.values.push_back(one);
            }
            value = std::move(values);
        } else {
            GgufFile::IntegerArray values;
            values.values.reserve(n);
            for (std::size_t i = 0; i < n; ++i) {
                CAROUSEL_ASSIGN(const std::int64_t one, smallInteger(type));
                if (type == boolean)
                    noteBoolean(key, one);
                if (type == u64 && one < 0)
                    return refuse("CL-2017", m_at - 8, fmt::format("'{}' holds a number of 2^63 or more", quotedForMessage(key)),
                                  "array elements fit 63 bits");
                values.values.push_back(one);
            }
            value = std::move(values);
        }
        return {};
    }

    Result<void> checkAlignment() {
        const auto* value = m_out.value("general.alignment");
        if (!value)
            return {};
        const auto alignment = static_cast<std::uint64_t>(std::get<std::int64_t>(*value));
        if (!std::has_single_bit(alignment) || alignment < 8 || alignment > (std::uint64_t(1) << 20))
            return refuse("CL-2018", m_alignmentAt, fmt::format("general.alignment is {}", alignment), "a power of two from 8 to 2^20");
        m_out.m_alignment = alignment;
        return {};
    }

    // ---- tensors ----
    Result<void> parseTensor() {
        const auto at = m_at;
        TensorInfo tensor;
        CAROUSEL_ASSIGN(tensor.name, text("a tensor name", 1, 63));
        const std::string shown = quotedForMessage(tensor.name);
        if (!m_out.m_tensorIndex.emplace(tensor.name, m_out.m_tensors.size()).second)
            return refuse("CL-2015", at, fmt::format("the tensor '{}' comes twice", shown), "tensor names are unique");
        const auto dimsAt = m_at;
        CAROUSEL_ASSIGN(const auto rank, number<std::uint32_t>("a tensor's number of dimensions"));
        if (rank > 4)
            return refuse("CL-2019", dimsAt, fmt::format("the tensor '{}' has {} dimensions", shown, rank), "0 to 4 dimensions");
        tensor.elements = 1;
        std::uint64_t fastest = 1;
        for (std::uint32_t d = 0; d < rank; ++d) {
            const auto dimAt = m_at;
            CAROUSEL_ASSIGN(const auto extent, number<std::uint64_t>("a tensor's dimension"));
            if (extent >= signedLimit)
                return refuse("CL-2019", dimAt,
                              fmt::format("dimension {} of the tensor '{}' is {} (negative)", d, shown, static_cast<std::int64_t>(extent)),
                              "dimensions are not negative");
            if (d == 0)
                fastest = extent;
            if (__builtin_mul_overflow(tensor.elements, extent, &tensor.elements) || tensor.elements >= signedLimit)
                return refuse("CL-2019", dimAt, fmt::format("the dimensions of the tensor '{}' multiply to 2^63 or more", shown),
                              "the number of elements fits 63 bits");
            tensor.dims.insert(tensor.dims.begin(), extent);
        }
        const auto typeAt = m_at;
        CAROUSEL_ASSIGN(const auto type, number<std::uint32_t>("a tensor's type"));
        StoredType stored{nullptr, 0, 0, TensorType::other};
        if (type < storedTypeCount)
            stored = storedTypes[type];
        else if (type == 34)
            stored = {"TQ1_0", 256, 54, TensorType::other};
        else if (type == 35)
            stored = {"TQ2_0", 256, 66, TensorType::other};
        else if (type == 39)
            stored = {"MXFP4", 32, 17, TensorType::other};
        if (stored.elements == 0)
            return refuse("CL-2020", typeAt, fmt::format("the tensor '{}' has type {}", shown, type), "a tensor type that GGUF has today");
        tensor.type = stored.type;
        tensor.typeName = stored.name;
        if (fastest % stored.elements != 0)
            return refuse("CL-2021", typeAt,
                          fmt::format("rows of the tensor '{}' have {} elements of type {}", shown, fastest, stored.name),
                          fmt::format("a row is whole blocks of {}", stored.elements));
        std::uint64_t padded = 0;
        if (__builtin_mul_overflow(tensor.elements / stored.elements, std::uint64_t(stored.bytes), &tensor.bytes) ||
            tensor.bytes >= signedLimit)
            return refuse("CL-2022", typeAt,
                          fmt::format("the tensor '{}' has {} elements of type {}, more bytes than 63 bits count", shown, tensor.elements,
                                      stored.name),
                          "a tensor's bytes fit 63 bits");
        if (__builtin_add_overflow(tensor.bytes, m_out.m_alignment - 1, &padded) || padded >= signedLimit)
            return refuse("CL-2022", typeAt, fmt::format("the tensor '{}' has {} bytes, which cannot be padded", shown, tensor.bytes),
                          "a tensor's padded bytes fit 63 bits");
        CAROUSEL_ASSIGN(tensor.offset, number<std::uint64_t>("a tensor's offset"));
        m_out.m_tensors.push_back(std::move(tensor));
        return {};
    }

    std::uint64_t padded(std::uint64_t bytes) const { return (bytes + m_out.m_alignment - 1) / m_out.m_alignment * m_out.m_alignment; }

    Result<void> placeTensors(const std::vector<std::uint64_t>& entryOffsets) {
        m_out.m_dataOffset = padded(m_at);
        // First that the offsets follow one another, then that the file reaches as far: a cut file is then told from a crooked one.
        std::uint64_t expected = 0, needed = m_out.m_dataOffset;
        const TensorInfo* firstOutside = nullptr;
        for (std::size_t i = 0; i < m_out.m_tensors.size(); ++i) {
            TensorInfo& tensor = m_out.m_tensors[i];
            if (tensor.offset != expected)
                return refuse("CL-2023", entryOffsets[i],
                              fmt::format("the tensor '{}' lies at {} of the data, the one before it ends at {}",
                                          quotedForMessage(tensor.name), tensor.offset, expected),
                              "each tensor starts where the last one ended, padded to the alignment");
            if (__builtin_add_overflow(expected, padded(tensor.bytes), &expected) || expected >= signedLimit - m_out.m_dataOffset)
                return refuse("CL-2022", entryOffsets[i], "the sizes of the tensors add up to more than 63 bits",
                              "all tensors together fit 63 bits");
            tensor.offset += m_out.m_dataOffset;
            needed = std::max(needed, tensor.offset + tensor.bytes);
            if (!firstOutside && tensor.offset + tensor.bytes > m_file.size())
                firstOutside = &tensor;
        }
        if (firstOutside)
            return refuse("CL-2024", firstOutside->offset,
                          fmt::format("the tensor '{}' needs {} bytes from here; the file is cut: {} bytes expected, {} found",
                                      quotedForMessage(firstOutside->name), firstOutside->bytes, needed, m_file.size()),
                          "every tensor lies inside the file");
        return {};
    }

    GgufFile& m_out;
    const BoundedFile& m_file;
    std::uint64_t m_at = 0, m_end = 0, m_windowAt = 0;
    std::vector<std::byte> m_window;
    std::uint64_t m_tensorCount = 0, m_keyCount = 0, m_arrayElements = 0, m_alignmentAt = 0;
};

Result<GgufFile> GgufFile::open(const std::string& path) {
    GgufFile file;
    CAROUSEL_ASSIGN(file.m_file, BoundedFile::open(path));
    CAROUSEL_TRY(GgufParser(file).parse());
    return file;
}

} // namespace carousel
