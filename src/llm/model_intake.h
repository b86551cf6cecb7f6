// SPDX-License-Identifier: GPL-3.0-or-later
// Adding a user's model to the shelf and taking it off again. Nothing half done is ever seen: files are copied and checked under a hidden
// name in the shelf's folder and get their own by one rename.
#pragma once
#include "llm/model_facts.h"
#include "llm/model_shelf.h"

namespace carousel {

struct AddRequest {
    std::string source; // a .gguf or .safetensors file, or a folder with one
    std::string id;     // empty: made from the file's or folder's name
    bool link = false;  // leave the files where they are and point to them
};
struct AddedModel {
    ModelStatus status;
    ModelFacts facts;
};

// Checks everything (structure, architecture, tokenizer, chat template, every weight), copies while hashing, checks the copy, and lists it.
// CL-2070 an id that cannot be used; CL-2075 the id or the same file is on the shelf already; CL-2076 no room; CL-2073 and the readers' codes for
// files that are refused; CL-5002, CL-5004 writing failed; CL-7001. One at a time per id; several processes may add at once.
Result<AddedModel> addModel(const ModelShelf& shelf, const AddRequest& request, const RunControl& control);

// Only what was added: CL-2077 for models that belong to the program. Files that were linked stay where they are.
Result<void> removeModel(const ModelShelf& shelf, const std::string& id);

} // namespace carousel
