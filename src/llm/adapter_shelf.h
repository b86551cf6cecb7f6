// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters with a name: folders in `adapters` of the model folder. "MODEL@NAME" is the model with the adapter of that name.
#pragma once
#include "llm/model_shelf.h"

namespace carousel {

constexpr const char* adapterFolderName = "adapters";

struct NamedAdapter {
    std::string name, folder;
    std::string problem; // why it cannot be used; empty: it can, and what follows is set
    std::string baseModel, baseSha256, sha256;
    int rank = 0;
    double alpha = 0;
    std::vector<std::string> modules; // "q", "down", ...
};
// By name.
std::vector<NamedAdapter> namedAdapters(const ModelShelf& shelf);
// Where an adapter of this name lies or is to be made. CL-2143: no name for a folder.
Result<std::string> namedAdapterFolder(const ModelShelf& shelf, const std::string& name);

} // namespace carousel
