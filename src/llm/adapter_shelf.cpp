// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/adapter_shelf.h"
#include "base/text.h"
#include "llm/lora_adapter.h"
#include "llm/model_manifest.h"
#include <algorithm>
#include <filesystem>
#include <set>

namespace carousel {

namespace fs = std::filesystem;

std::vector<NamedAdapter> namedAdapters(const ModelShelf& shelf) {
    std::vector<NamedAdapter> out;
    std::error_code error;
    for (fs::directory_iterator it(shelf.folder() + "/" + adapterFolderName, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (!it->is_directory(ignored))
            continue;
        NamedAdapter one;
        one.name = it->path().filename().string();
        one.folder = it->path().string();
        if (const auto adapter = readAdapter(one.folder)) {
            one.baseModel = adapter->baseModel, one.baseSha256 = adapter->baseSha256, one.sha256 = adapter->sha256;
            one.rank = adapter->rank, one.alpha = adapter->alpha;
            std::set<std::string> modules;
            for (const auto& matrix : adapter->matrices)
                modules.insert(nameOf(matrix.module).shortName);
            one.modules.assign(modules.begin(), modules.end());
        } else {
            one.problem = adapter.error().message; // a training that was stopped has a checkpoint alone
        }
        out.push_back(std::move(one));
    }
    std::sort(out.begin(), out.end(), [](const NamedAdapter& a, const NamedAdapter& b) { return a.name < b.name; });
    return out;
}

Result<std::string> namedAdapterFolder(const ModelShelf& shelf, const std::string& name) {
    if (const auto problem = idProblem(name); !problem.empty())
        return fail(ErrorKind::usage, "CL-2143", fmt::format("'{}' is no name for an adapter: {}.", quotedForMessage(name), problem),
                    "Use letters, digits, '-', '_' and '.', or give the adapter's folder.");
    return shelf.folder() + "/" + adapterFolderName + "/" + name;
}

} // namespace carousel
