// SPDX-License-Identifier: GPL-3.0-or-later
// Gives stages their language models by id: finds the files, opens the torch module on first use, keeps each model alive.
#pragma once
#include "llm/torch_module.h"
#include <memory>
#include <mutex>

namespace carousel {

class ModelHost {
public:
    explicit ModelHost(OpenOptions options = {}, ModelShelf shelf = ModelShelf(), std::string moduleFolder = carousel::moduleFolder());
    ~ModelHost(); // closes the models; the module stays loaded
    ModelHost(const ModelHost&) = delete;
    ModelHost& operator=(const ModelHost&) = delete;

    // A known id or a path. CL-2070..2072 from the shelf; CL-2080 module missing or not loadable; CL-2081 module of another version.
    Result<LanguageModel*> languageModel(const std::string& idOrPath);
    const ModelShelf& shelf() const { return m_shelf; }
    const OpenOptions& options() const { return m_options; }
    std::string moduleDescription() const; // empty until the module is loaded

private:
    struct Module;
    Result<void> openModule();
    mutable std::mutex m_mutex;
    OpenOptions m_options;
    ModelShelf m_shelf;
    std::string m_moduleFolder;
    std::unique_ptr<Module> m_module;
};

} // namespace carousel
