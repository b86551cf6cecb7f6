// SPDX-License-Identifier: GPL-3.0-or-later
// Gives stages their language models by id: finds the files, opens the torch module on first use, keeps each model alive.
#pragma once
#include "llm/torch_module.h"
#include <functional>
#include <memory>
#include <mutex>

namespace carousel {

class ModelHost {
public:
    explicit ModelHost(OpenOptions options = {}, ModelShelf shelf = ModelShelf(), std::string moduleFolder = carousel::moduleFolder());
    ~ModelHost(); // closes the models; the module stays loaded
    ModelHost(const ModelHost&) = delete;
    ModelHost& operator=(const ModelHost&) = delete;

    // Whoever makes the host says how ids of the form "server:NAME" become models (src/server knows; this library does not). Set it before
    // the first call of languageModel(); the models live as long as the opener's owner.
    using ServerOpener = std::function<Result<LanguageModel*>(const std::string& name)>;
    void setServerOpener(ServerOpener opener) { m_openServer = std::move(opener); }

    // A known id, a path, or server:NAME (CL-2100 where no servers are offered); "MODEL@FOLDER" for a decoder with an adapter (see
    // ModelShelf::resolve). CL-2070..2072 from the shelf; CL-2080 module missing or not loadable; CL-2081 module of another version.
    Result<LanguageModel*> languageModel(const std::string& idOrPath);
    // Trains an adapter for a decoder, with this host's device and threads; may take long, so models can be used meanwhile (and slow it down).
    // Errors as above, and those of fineTune() in the module.
    Result<FineTuneReport> fineTune(const std::string& idOrPath, const FineTuneRequest& request, const RunControl& control);
    // Trains an encoder-decoder from nothing, with this host's device and threads. languageModel(report.modelFolder) opens it: a path with a
    // '/' in it. CL-2080, CL-2081, and those of trainTextToText() in the module.
    Result<TextToTextReport> trainTextToText(const TextToTextRequest& request, const RunControl& control);
    const ModelShelf& shelf() const { return m_shelf; }
    const OpenOptions& options() const { return m_options; }
    std::string moduleDescription() const; // empty until the module is loaded
    // What the options of this host come to, without opening a model. Loads the module. CL-2080, CL-2081; CL-2085 no such device here; CL-2086.
    using Place = TorchPlace;
    Result<Place> place();

private:
    struct Module;
    Result<void> openModule();
    mutable std::mutex m_mutex;
    OpenOptions m_options;
    ModelShelf m_shelf;
    std::string m_moduleFolder;
    ServerOpener m_openServer;
    std::unique_ptr<Module> m_module;
};

} // namespace carousel
