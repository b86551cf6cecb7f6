// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_intake.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "llm/model_manifest.h"
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace carousel {

namespace fs = std::filesystem;

namespace {

constexpr const char* addingPrefix = ".adding-";
constexpr const char* removingPrefix = ".removing-";
constexpr std::int64_t spareBytes = std::int64_t(16) << 20; // notes beside the files, and air for the file system

struct Descriptor {
    int fd = -1;
    ~Descriptor() {
        if (fd >= 0)
            ::close(fd);
    }
};

tl::unexpected<Error> cannotWrite(const std::string& path, int reason) {
    return fail(ErrorKind::io, "CL-5002", fmt::format("Cannot write '{}': {}.", path, std::strerror(reason)),
                "Check that the folder may be written to and has free space; nothing was added.");
}

// Copies and hashes in one pass; returns the SHA-256 of what was written.
Result<std::string> copyHashed(const std::string& from, const std::string& to, const RunControl& control, double& done, double total) {
    const Descriptor in{::open(from.c_str(), O_RDONLY | O_CLOEXEC)};
    if (in.fd < 0)
        return fail(ErrorKind::io, "CL-5001", fmt::format("Cannot read '{}': {}.", from, std::strerror(errno)), "Check the path and its permissions.");
    const Descriptor out{::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (out.fd < 0)
        return cannotWrite(to, errno);
    Sha256 hash;
    std::string buffer(std::size_t(1) << 20, '\0');
    for (;;) {
        if (control.stopRequested())
            return fail(RunControl::cancelled("adding the model"));
        const ssize_t got = ::read(in.fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(ErrorKind::io, "CL-5001", fmt::format("Reading '{}' failed: {}.", from, std::strerror(errno)), "Check the disk.");
        if (got == 0)
            break;
        hash.add({buffer.data(), static_cast<std::size_t>(got)});
        for (ssize_t at = 0; at < got;) {
            const ssize_t put = ::write(out.fd, buffer.data() + at, static_cast<std::size_t>(got - at));
            if (put < 0 && errno == EINTR)
                continue;
            if (put <= 0)
                return cannotWrite(to, errno);
            at += put;
        }
        done += static_cast<double>(got) / 1e6;
        control.report("Copying", done, total, "MB");
    }
    if (::fsync(out.fd) != 0)
        return cannotWrite(to, errno);
    return hash.hex();
}

// A folder of this process that goes away unless it is kept.
class Workplace {
public:
    explicit Workplace(std::string path) : m_path(std::move(path)) {}
    ~Workplace() {
        std::error_code ignored;
        if (!m_path.empty())
            fs::remove_all(m_path, ignored);
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    const std::string& path() const { return m_path; }
    void keep() { m_path.clear(); }

private:
    std::string m_path;
};

// ".adding-name-1234": what processes that are gone left behind.
void sweep(const std::string& shelf) {
    std::error_code error;
    for (fs::directory_iterator it(shelf, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        if (!startsWith(name, addingPrefix) && !startsWith(name, removingPrefix))
            continue;
        const auto pid = parseInteger(std::string_view(name).substr(name.rfind('-') + 1));
        std::error_code ignored;
        if (pid && *pid > 0 && ::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH)
            fs::remove_all(it->path(), ignored);
    }
}

Result<std::string> chosenId(const ModelShelf& shelf, const AddRequest& request, const ModelFacts& facts) {
    std::string id = request.id;
    if (id.empty()) {
        const fs::path weights(facts.card.files.front().name);
        std::error_code error;
        const fs::path folder = fs::weakly_canonical(facts.folder, error);
        id = idFrom(facts.card.format == "gguf" ? weights.stem().string() : folder.filename().string());
    }
    if (const auto problem = idProblem(id); !problem.empty())
        return fail(ErrorKind::usage, "CL-2070", fmt::format("A model cannot be called '{}': {}.", quotedForMessage(id), problem), "Choose a name with --name.");
    for (const auto& card : ModelShelf::known())
        if (card.id == id)
            return fail(ErrorKind::usage, "CL-2075", fmt::format("'{}' is the name of a model that belongs to the program.", id), "Choose another name with --name.");
    if (fileExists(shelf.folder() + "/" + id))
        return fail(ErrorKind::usage, "CL-2075", fmt::format("'{}/{}' exists already.", shelf.folder(), id),
                    fmt::format("Choose another name with --name, or take that one away first (`models remove {}`).", id));
    return id;
}

// An index of parts is the same for all models of one size, so that its own hash says nothing.
std::vector<std::string> weightHashes(const ModelCard& card) {
    std::vector<std::string> hashes;
    for (const auto& file : card.files)
        if (const auto ending = fs::path(file.name).extension(); ending == ".gguf" || ending == ".safetensors")
            hashes.push_back(file.sha256);
    return hashes;
}

Result<void> refuseTwin(const ModelShelf& shelf, const ModelCard& card) {
    const auto hashes = weightHashes(card);
    for (const auto& status : shelf.status())
        if (!status.model.files.empty() && weightHashes(status.model) == hashes && (!status.model.known || status.state == ModelState::ready))
            return fail(ErrorKind::usage, "CL-2075", fmt::format("The same file (SHA-256 {}) is on the shelf already, as '{}'.", hashes.front(), status.model.id),
                        fmt::format("Use '{}'.", status.model.id));
    return {};
}

} // namespace

Result<AddedModel> addModel(const ModelShelf& shelf, const AddRequest& request, const RunControl& control) {
    CAROUSEL_ASSIGN(auto facts, inspectModel(request.source, true, control.slice(0, 0.4)));
    CAROUSEL_ASSIGN(const std::string id, chosenId(shelf, request, facts));
    std::error_code error;
    const fs::path sourceFolder = fs::canonical(facts.folder, error);
    if (error)
        return fail(ErrorKind::io, "CL-5001", fmt::format("Cannot read '{}': {}.", facts.folder, error.message()), "Check the path and its permissions.");
    CAROUSEL_TRY(makeFolders(shelf.folder()));
    sweep(shelf.folder());

    ModelCard& card = facts.card;
    double total = 0, done = 0;
    std::int64_t bytes = 0;
    for (const auto& file : card.files)
        bytes += file.bytes;
    total = static_cast<double>(bytes) / 1e6;
    if (const auto space = fs::space(shelf.folder(), error); !error && !request.link && space.available < static_cast<std::uintmax_t>(bytes + spareBytes))
        return fail(ErrorKind::io, "CL-2076", fmt::format("The model needs {} bytes; '{}' has {} free.", withThousands(bytes), shelf.folder(), withThousands(static_cast<std::int64_t>(space.available))),
                    "Free some space, set CAROUSEL_LAB_MODELS to a folder with room, or add it with --link to leave it where it is.");

    Workplace place(fmt::format("{}/{}{}-{}", shelf.folder(), addingPrefix, id, ::getpid()));
    if (!fs::create_directory(place.path(), error) || error) {
        const int reason = error ? error.value() : EEXIST;
        const std::string path = place.path();
        place.keep(); // it is another thread's
        return cannotWrite(path, reason);
    }
    const RunControl copying = control.slice(0.4, 0.95);
    for (auto& file : card.files) {
        const std::string from = (sourceFolder / file.name).string(), to = place.path() + "/" + file.name;
        if (request.link) {
            CAROUSEL_ASSIGN(file.sha256, sha256OfLargeFile(from, copying));
            fs::create_symlink(from, to, error);
            if (error)
                return cannotWrite(to, error.value());
        } else {
            CAROUSEL_ASSIGN(file.sha256, copyHashed(from, to, copying, done, total));
        }
        file.bytes = static_cast<std::int64_t>(fs::file_size(to, error)); // as it is now, should the source have grown meanwhile
    }
    CAROUSEL_TRY(refuseTwin(shelf, card));
    // What was read before and what was copied could differ if somebody wrote to the source: the copy is what counts.
    CAROUSEL_ASSIGN(const auto copied, inspectModel(place.path() + "/" + card.files.front().name, false, control));
    card.dimensions = copied.card.dimensions;

    card.id = id;
    card.known = false;
    card.added = utcSecond(static_cast<std::int64_t>(std::time(nullptr)));
    card.from = (sourceFolder / card.files.front().name).string();
    card.link = request.link ? card.from : "";
    CAROUSEL_TRY(writeManifest(place.path(), card));
    const std::string home = shelf.folder() + "/" + id;
    if (control.stopRequested())
        return fail(RunControl::cancelled("adding the model"));
    if (::rename(place.path().c_str(), home.c_str()) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
            return fail(ErrorKind::usage, "CL-2075", fmt::format("A model called '{}' was put on the shelf in the meantime.", id), "Choose another name with --name.");
        return cannotWrite(home, errno);
    }
    place.keep();
    rememberSha256(home + "/" + card.files.front().name, card.files.front().sha256);
    CAROUSEL_ASSIGN(auto status, shelf.status(id, false));
    return AddedModel{std::move(status), std::move(facts)};
}

Result<void> removeModel(const ModelShelf& shelf, const std::string& id) {
    for (const auto& card : ModelShelf::known())
        if (card.id == id)
            return fail(ErrorKind::usage, "CL-2077", fmt::format("'{}' belongs to the program and stays on the list.", id),
                        fmt::format("To free its space, delete the folder '{}/{}'; packaging/fetch.sh gets it again.", shelf.folder(), id));
    CAROUSEL_TRY(shelf.status(id, false)); // unknown: says which there are
    const std::string home = shelf.folder() + "/" + id, aside = fmt::format("{}/{}{}-{}", shelf.folder(), removingPrefix, id, ::getpid());
    // One rename takes it off the list, whatever happens to the deleting.
    if (::rename(home.c_str(), aside.c_str()) != 0)
        return fail(ErrorKind::io, "CL-5002", fmt::format("Cannot remove '{}': {}.", home, std::strerror(errno)), "Check that the folder may be written to.");
    std::error_code error;
    fs::remove_all(aside, error);
    if (error)
        return fail(ErrorKind::io, "CL-5002", fmt::format("'{}' is off the shelf, but '{}' cannot be deleted: {}.", id, aside, error.message()), "Delete that folder by hand.");
    return {};
}

} // namespace carousel
