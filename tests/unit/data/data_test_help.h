// SPDX-License-Identifier: GPL-3.0-or-later
// Small helpers for the tests of the data room: files in a temporary folder, hand-made data sets.
#pragma once
#include "base/file.h"
#include "data/import.h"
#include "data/split.h"
#include <QTemporaryDir>
#include <QTest>
#include <archive.h>
#include <archive_entry.h>
#include <filesystem>
#include <fstream>

namespace carousel::test {

class Folder {
public:
    std::string path(const std::string& name = {}) const { return m_dir.path().toStdString() + (name.empty() ? "" : "/" + name); }
    std::string write(const std::string& name, const std::string& text) const {
        const auto file = path(name);
        std::filesystem::create_directories(std::filesystem::path(file).parent_path());
        std::filesystem::remove(file); // a fresh file: some file systems flush a truncated one to the disk
        std::ofstream(file, std::ios::binary) << text;
        return file;
    }

private:
    QTemporaryDir m_dir;
};

// Text packed as gzip, zstd or xz.
inline std::string packed(const std::string& text, const std::string& filter) {
    std::string out(text.size() + 65536, '\0');
    std::size_t used = 0;
    auto* writer = archive_write_new();
    if (filter == "zstd")
        archive_write_add_filter_zstd(writer);
    else if (filter == "xz")
        archive_write_add_filter_xz(writer);
    else
        archive_write_add_filter_gzip(writer);
    archive_write_set_format_raw(writer);
    archive_write_set_bytes_per_block(writer, 0);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    auto* entry = archive_entry_new();
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(writer, entry);
    archive_write_data(writer, text.data(), text.size());
    archive_entry_free(entry);
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

struct Row {
    const char *user, *item, *kind;
    float value;
    std::int64_t time;
};
inline std::shared_ptr<Dataset> datasetOf(const std::vector<Row>& rows) {
    auto data = std::make_shared<Dataset>();
    data->name = "hand-made";
    IdTable kinds;
    auto& events = data->interactions;
    for (const auto& row : rows) {
        events.user.push_back(data->users.ids.add(row.user));
        events.item.push_back(data->items.ids.add(row.item));
        events.kind.push_back(static_cast<std::uint8_t>(kinds.add(row.kind)));
        events.value.push_back(row.value);
        events.time.push_back(row.time);
    }
    events.kinds = kinds.ids();
    data->digest = datasetDigest(*data);
    return data;
}

} // namespace carousel::test

// The result is an error with this code whose message holds every one of these texts.
#define REFUSED(result, expectedCode, ...)                                                                                                 \
    do {                                                                                                                                   \
        const auto refusal_ = (result);                                                                                                    \
        QVERIFY(!refusal_);                                                                                                                \
        const auto told_ = carousel::describe(refusal_.error());                                                                           \
        QVERIFY2(refusal_.error().code == expectedCode, told_.c_str());                                                                    \
        QVERIFY2(!refusal_.error().hint.empty(), told_.c_str());                                                                           \
        for (const char* part_ : std::initializer_list<const char*>{__VA_ARGS__})                                                          \
            QVERIFY2(refusal_.error().message.find(part_) != std::string::npos, told_.c_str());                                            \
    } while (false)
#define ACCEPTED(result) QVERIFY2(result, (result) ? "" : carousel::describe((result).error()).c_str())
