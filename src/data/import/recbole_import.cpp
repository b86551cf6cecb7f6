// SPDX-License-Identifier: GPL-3.0-or-later
// RecBole data sets: FOLDER/NAME.inter with optional NAME.item, NAME.user and NAME.review.
#include "data/import/atomic_files.h"
#include <chrono>
#include <filesystem>
#include <set>

namespace carousel {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view interEnding = ".inter";

// "FOLDER/NAME" of the one data set that the folder or file names.
Result<std::string> baseOf(const std::string& path) {
    const auto cut = [](const std::string& file) {
        const auto at = file.rfind(interEnding);
        return at == std::string::npos ? std::string() : file.substr(0, at);
    };
    std::error_code error;
    if (!fs::is_directory(path, error)) {
        const auto base = cut(path);
        if (!fs::exists(path, error))
            return fail(ErrorKind::input, "CL-1001", fmt::format("'{}' does not exist.", path),
                        "Give a folder with a NAME.inter file, or that file.");
        if (base.empty())
            return fail(ErrorKind::input, "CL-1001", fmt::format("'{}' is not a RecBole .inter file.", path),
                        "Give a folder with a NAME.inter file, or that file.");
        return base;
    }
    std::set<std::string> bases;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string();
        for (const char* packed : {"", ".gz", ".zst", ".xz", ".bz2"})
            if (name.ends_with(std::string(interEnding) + packed))
                bases.insert(cut(it->path().string()));
    }
    if (error)
        return fail(ErrorKind::input, "CL-1001", fmt::format("Cannot list '{}': {}.", path, error.message()),
                    "Check the permissions of the folder.");
    if (bases.empty())
        return fail(ErrorKind::input, "CL-1001", fmt::format("'{}' holds no .inter file.", path),
                    "Give a folder with a NAME.inter file, or that file.");
    if (bases.size() > 1)
        return fail(ErrorKind::input, "CL-1001", fmt::format("'{}' holds {} .inter files.", path, bases.size()),
                    "Name the one to import, for example '" + fileName(*bases.begin()) + ".inter'.");
    return *bases.begin();
}

} // namespace

Result<Imported> importRecBole(const std::string& folderOrInterFile, const ImportLimits& limits, const RunControl& control) {
    const auto start = std::chrono::steady_clock::now();
    CAROUSEL_ASSIGN(const std::string base, baseOf(folderOrInterFile));
    Imported out{std::make_shared<Dataset>(), {}};
    out.dataset->name = fileName(base);
    out.dataset->title = out.dataset->name;
    if (out.dataset->name == "ml-100k") {
        out.dataset->title = "MovieLens 100K";
        out.dataset->note = "GroupLens terms: for research, no commercial use, no redistribution without permission. Ratings of 1997 and "
                            "1998 by people who each rated at least 20 films.";
    }
    CAROUSEL_TRY(readAtomicFiles(base, *out.dataset, out.report, limits, control, "recbole"));
    finishImport(out, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    return out;
}

} // namespace carousel
