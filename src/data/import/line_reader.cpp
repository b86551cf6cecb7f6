// SPDX-License-Identifier: GPL-3.0-or-later
#include "data/import/line_reader.h"
#include "base/hash.h"
#include "base/text.h"
#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>

namespace carousel {

namespace {

constexpr std::int64_t mostBlockBytes = std::int64_t(1) << 18;

bool isAscii(std::string_view text) {
    std::uint64_t seen = 0;
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + i, 8);
        seen |= word;
    }
    for (; i < text.size(); ++i)
        seen |= static_cast<unsigned char>(text[i]);
    return (seen & 0x8080808080808080ULL) == 0;
}

} // namespace

std::string fileName(const std::string& path) {
    const auto slash = path.find_last_of('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

struct LineReader::State {
    std::string path, file;
    std::FILE* handle = nullptr;
    archive* reader = nullptr;
    std::string block; // as it lies on disk
    Sha256 hash;
    std::int64_t bytesOnDisk = 0, bytesRead = 0;
    std::size_t blockBytes = 0; // small for small files, which side tables often are
    int readError = 0;

    std::string buffer; // decompressed
    std::size_t at = 0;
    std::int64_t bufferOffset = 0; // of buffer[0] in the decompressed text
    bool ended = false;
    std::int64_t line = 0;

    ~State() {
        if (reader)
            archive_read_free(reader);
        if (handle)
            std::fclose(handle);
    }

    static la_ssize_t readBlock(archive* owner, void* data, const void** bytes) {
        auto& state = *static_cast<State*>(data);
        const auto got = std::fread(state.block.data(), 1, state.block.size(), state.handle);
        if (got == 0 && std::ferror(state.handle)) {
            state.readError = errno;
            archive_set_error(owner, state.readError, "reading failed");
            return -1;
        }
        state.hash.add({state.block.data(), got});
        state.bytesRead += static_cast<std::int64_t>(got);
        *bytes = state.block.data();
        return static_cast<la_ssize_t>(got);
    }

    tl::unexpected<Error> damaged() const {
        const char* reason = archive_error_string(reader);
        return fail(ErrorKind::input, "CL-1002",
                    fmt::format("'{}' cannot be read to its end after line {}: {}.", file, line, reason ? reason : "unknown reason"),
                    "The file may be cut short or damaged; fetch or export it again.");
    }

    Result<void> fill() {
        buffer.erase(0, at);
        bufferOffset += static_cast<std::int64_t>(at);
        at = 0;
        const auto old = buffer.size();
        buffer.resize(old + blockBytes);
        const auto got = archive_read_data(reader, buffer.data() + old, blockBytes);
        if (got < 0)
            return damaged();
        buffer.resize(old + static_cast<std::size_t>(got));
        ended = got == 0;
        return {};
    }

    tl::unexpected<Error> notText(const std::string& what, const std::string& hint) const {
        return fail(ErrorKind::input, "CL-1003", fmt::format("'{}' {}.", file, what), hint);
    }

    Result<void> checkStart() {
        while (!ended && buffer.size() < blockBytes)
            CAROUSEL_TRY(fill());
        const std::string_view start = buffer;
        if (start.empty())
            return fail(ErrorKind::input, "CL-1004", fmt::format("'{}' is empty.", file), "Choose a file with a header line and rows.");
        const char* const hint = "Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8') and import it again.";
        if (startsWith(start, std::string_view("\xFF\xFE\0\0", 4)) || startsWith(start, std::string_view("\0\0\xFE\xFF", 4)))
            return notText("is UTF-32 text", hint);
        if (startsWith(start, "\xFF\xFE") || startsWith(start, "\xFE\xFF"))
            return notText("is UTF-16 text", hint);
        if (startsWith(start, "\xEF\xBB\xBF"))
            at = 3;
        if (start.find('\n') == std::string_view::npos && start.find('\r') + 1 < start.size() && start.find('\r') != std::string_view::npos)
            return notText("ends its lines with a carriage return alone", "Save it with line feeds (LF or CRLF) and import it again.");
        if (start.size() == at)
            return fail(ErrorKind::input, "CL-1004", fmt::format("'{}' is empty.", file), "Choose a file with a header line and rows.");
        return {};
    }
};

LineReader::LineReader(std::unique_ptr<State> state) : m_state(std::move(state)) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

Result<LineReader> LineReader::open(const std::string& path) {
    auto state = std::make_unique<State>();
    state->path = path;
    state->file = fileName(path);
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        return fail(ErrorKind::input, "CL-1001", fmt::format("Cannot open '{}': {}.", path, std::strerror(errno)), "Check the path.");
    if (!S_ISREG(info.st_mode))
        return fail(ErrorKind::input, "CL-1001", fmt::format("'{}' is not a regular file.", path), "Give the path of a file.");
    state->bytesOnDisk = static_cast<std::int64_t>(info.st_size);
    if (state->bytesOnDisk == 0)
        return fail(ErrorKind::input, "CL-1004", fmt::format("'{}' is empty.", state->file), "Choose a file with a header line and rows.");
    state->blockBytes = static_cast<std::size_t>(std::clamp(state->bytesOnDisk, std::int64_t(4096), mostBlockBytes));
    state->block.resize(state->blockBytes);
    state->handle = std::fopen(path.c_str(), "rb");
    if (!state->handle)
        return fail(ErrorKind::input, "CL-1001", fmt::format("Cannot open '{}': {}.", path, std::strerror(errno)),
                    "Check the permissions of the file.");
    state->reader = archive_read_new();
    archive_read_support_filter_gzip(state->reader);
    archive_read_support_filter_zstd(state->reader);
    archive_read_support_filter_xz(state->reader);
    archive_read_support_filter_bzip2(state->reader);
    archive_read_support_format_raw(state->reader);
    archive_read_support_format_empty(state->reader);
    archive_entry* entry = nullptr;
    if (archive_read_open(state->reader, state.get(), nullptr, &State::readBlock, nullptr) != ARCHIVE_OK)
        return state->damaged();
    const int header = archive_read_next_header(state->reader, &entry);
    if (header == ARCHIVE_EOF)
        return fail(ErrorKind::input, "CL-1004", fmt::format("'{}' holds no text.", state->file),
                    "Choose a file with a header line and rows.");
    if (header != ARCHIVE_OK)
        return state->damaged();
    CAROUSEL_TRY(state->checkStart());
    return LineReader(std::move(state));
}

Result<bool> LineReader::next(std::string_view& line) {
    auto& s = *m_state;
    std::size_t searched = s.at;
    std::size_t end = std::string::npos;
    for (;;) {
        end = s.buffer.find('\n', searched);
        if (end != std::string::npos || s.ended)
            break;
        searched = s.buffer.size() - s.at; // after fill() the rest starts at 0
        if (searched > longestLine)
            break;
        CAROUSEL_TRY(s.fill());
    }
    if (end == std::string::npos && s.ended && s.at == s.buffer.size())
        return false;
    const std::size_t length = (end == std::string::npos ? s.buffer.size() : end) - s.at;
    ++s.line;
    if (length > longestLine)
        return fail(ErrorKind::input, "CL-1009", fmt::format("'{}' line {} is longer than {} bytes.", s.file, s.line, longestLine),
                    "Check that this is a table with one row a line.");
    line = std::string_view(s.buffer).substr(s.at, length);
    const auto offset = s.bufferOffset + static_cast<std::int64_t>(s.at);
    if (const auto zero = line.find('\0'); zero != std::string_view::npos)
        return s.notText(
            fmt::format("has a NUL byte in line {} (byte {}): it is not a text file", s.line, offset + static_cast<std::int64_t>(zero)),
            "Choose a text file, or export the table again.");
    if (!isAscii(line))
        if (const auto bad = firstInvalidUtf8(line); bad != std::string_view::npos)
            return s.notText(fmt::format("is not UTF-8: line {}, byte {} (0x{:02x})", s.line, offset + static_cast<std::int64_t>(bad),
                                         static_cast<unsigned>(static_cast<unsigned char>(line[bad]))),
                             "If it is Latin-1 or Windows-1252, convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8.");
    if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
    s.at += length + (end == std::string::npos ? 0 : 1);
    return true;
}

std::int64_t LineReader::lineNumber() const {
    return m_state->line;
}
double LineReader::fractionRead() const {
    return static_cast<double>(m_state->bytesRead) / static_cast<double>(m_state->bytesOnDisk);
}
const std::string& LineReader::file() const {
    return m_state->file;
}

Result<SourceFile> LineReader::source() {
    auto& s = *m_state;
    const void* rest = nullptr;
    la_ssize_t got = 0;
    while ((got = State::readBlock(s.reader, &s, &rest)) > 0) {
    }
    if (got < 0)
        return fail(ErrorKind::input, "CL-1002", fmt::format("Reading '{}' failed: {}.", s.file, std::strerror(s.readError)),
                    "Check the disk.");
    SourceFile source;
    source.name = s.file;
    source.sha256 = s.hash.hex();
    source.bytes = s.bytesRead;
    return source;
}

} // namespace carousel
