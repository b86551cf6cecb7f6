// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/pdf.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/child.h"
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace carousel::cli {

namespace {
namespace fs = std::filesystem;
constexpr double longestSeconds = 600;

// A folder that nobody else can look into, gone with its owner.
struct PrivateFolder {
    std::string path;
    ~PrivateFolder() {
        std::error_code error;
        if (!path.empty())
            fs::remove_all(path, error);
    }
};
} // namespace

bool isPdf(const std::string& file) {
    std::error_code error;
    return lowered(fs::path(file).extension().string()) == ".pdf" && !fs::is_directory(file, error);
}

Result<void> writePdf(const AnalysisDocument& document, const std::string& file) {
    const std::string program = (fs::path(ownProgram()).parent_path() / "carousel-lab").string();
    std::error_code error;
    if (!fs::exists(program, error))
        return fail(ErrorKind::io, "CL-5013", fmt::format("Pages are drawn by carousel-lab, which is not there: '{}'.", program), "Install the window as well, or write FILE.html and print it.");
    std::string pattern = (fs::temp_directory_path(error) / "carousel-lab-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr)
        return fail(ErrorKind::io, "CL-5004", fmt::format("No temporary folder can be made: {}.", std::strerror(errno)), "Free some space, or set TMPDIR.");
    const PrivateFolder folder{pattern};
    const std::string from = pattern + "/document.json";
    CAROUSEL_TRY(atomicWrite(from, toJson(document)));
    CAROUSEL_ASSIGN(const auto child, runChild({program, "--write-pdf", from, fs::absolute(file, error).string()}, longestSeconds));
    if (child.exit == 0 && child.signal == 0)
        return {};
    const std::string said = std::string(trimmed(child.err));
    return fail(child.exit == exitCode(ErrorKind::io) ? ErrorKind::io : ErrorKind::internal, "CL-5014",
                fmt::format("'{}' could not be written: {}", file, child.timedOut ? fmt::format("it took longer than {:.0f} s.", longestSeconds) : child.signal != 0 ? fmt::format("carousel-lab ended with signal {}.", child.signal) : said.empty() ? fmt::format("carousel-lab ended with {}.", child.exit) : said),
                "Write FILE.html and print it.");
}

Result<void> writeDocument(const AnalysisDocument& document, const std::string& fileOrFolder) {
    return isPdf(fileOrFolder) ? writePdf(document, fileOrFolder) : writeAnalysis(document, fileOrFolder);
}

} // namespace carousel::cli
