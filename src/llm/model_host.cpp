// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/model_host.h"
#include "base/file.h"
#include "base/parallel.h"
#include <cstdlib>
#include <dlfcn.h>
#include <map>

namespace carousel {

namespace {

// Idle OpenMP workers that spin for long take the cores from OpenBLAS and the other way round (measured: 8.0 against 14.4 candidates a
// second), and results depend on the thread count. The libraries read these once, when they are loaded; what the user has set stays.
void settleThreads(int threads) {
    const std::string count = std::to_string(threads);
    letIdleWorkersSleep();
    ::setenv("OMP_NUM_THREADS", count.c_str(), 0);
    ::setenv("OPENBLAS_NUM_THREADS", count.c_str(), 0);
}

} // namespace

struct ModelHost::Module {
    decltype(&::carousel_torch_open) open = nullptr;
    decltype(&::carousel_torch_device) device = nullptr;
    decltype(&::carousel_torch_close) close = nullptr;
    decltype(&::carousel_torch_fine_tune) fineTune = nullptr;
    decltype(&::carousel_torch_train_text_to_text) trainTextToText = nullptr;
    decltype(&::carousel_torch_describe) describe = nullptr;
    std::map<std::string, LanguageModel*> models; // by id or path as asked for

    ~Module() {
        for (const auto& [id, model] : models)
            close(model);
    }
};

ModelHost::ModelHost(OpenOptions options, ModelShelf shelf, std::string folder)
    : m_options(std::move(options)), m_shelf(std::move(shelf)), m_moduleFolder(std::move(folder)) {
    if (m_options.threads <= 0)
        m_options.threads = threadCount();
}

ModelHost::~ModelHost() = default;

Result<void> ModelHost::openModule() {
    if (m_module)
        return {};
    const std::string path = m_moduleFolder + "/" + torchModuleFile;
    if (!fileExists(path))
        return fail(ErrorKind::plugin, "CL-2080", fmt::format("The language model module '{}' is not there.", path),
                    "Build with CAROUSEL_WITH_TORCH=ON (packaging/run.sh does), or choose stages without a language model.");
    settleThreads(m_options.threads);
    void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* reason = ::dlerror();
        return fail(ErrorKind::plugin, "CL-2080",
                    fmt::format("The language model module '{}' cannot be loaded: {}.", path, reason ? reason : "no reason given"),
                    "A library it needs is missing; run packaging/run.sh, which installs them.");
    }
    auto symbol = [&](const char* name) { return ::dlsym(handle, name); };
    const auto api = reinterpret_cast<decltype(&::carousel_torch_api)>(symbol("carousel_torch_api"));
    const int found = api ? api() : 0;
    auto module = std::make_unique<Module>();
    module->open = reinterpret_cast<decltype(module->open)>(symbol("carousel_torch_open"));
    module->device = reinterpret_cast<decltype(module->device)>(symbol("carousel_torch_device"));
    module->close = reinterpret_cast<decltype(module->close)>(symbol("carousel_torch_close"));
    module->fineTune = reinterpret_cast<decltype(module->fineTune)>(symbol("carousel_torch_fine_tune"));
    module->trainTextToText = reinterpret_cast<decltype(module->trainTextToText)>(symbol("carousel_torch_train_text_to_text"));
    module->describe = reinterpret_cast<decltype(module->describe)>(symbol("carousel_torch_describe"));
    if (found != torchModuleApi || !module->open || !module->device || !module->close || !module->fineTune ||
        !module->trainTextToText || !module->describe) {
        ::dlclose(handle);
        return fail(ErrorKind::plugin, "CL-2081",
                    fmt::format("The language model module '{}' has interface {}, this program has {}.", path, found, torchModuleApi),
                    "Build the module and the program from the same source.");
    }
    m_module = std::move(module); // the handle stays: LibTorch does not survive being unloaded
    return {};
}

Result<LanguageModel*> ModelHost::languageModel(const std::string& idOrPath) {
    if (constexpr std::string_view prefix = "server:"; idOrPath.starts_with(prefix)) { // needs neither shelf nor LibTorch
        if (!m_openServer)
            return fail(ErrorKind::plugin, "CL-2100",
                        fmt::format("The model '{}' is on a server, and no servers are offered here.", idOrPath),
                        "Choose a model of this machine; see `models list`.");
        return m_openServer(idOrPath.substr(prefix.size()));
    }
    std::scoped_lock lock(m_mutex);
    if (m_module)
        if (const auto open = m_module->models.find(idOrPath); open != m_module->models.end())
            return open->second;
    // The model first: its absence is the commoner mistake, and telling it needs no LibTorch.
    CAROUSEL_ASSIGN(const ModelLocation location, m_shelf.resolve(idOrPath));
    CAROUSEL_TRY(openModule());
    LanguageModel* model = nullptr;
    Error error;
    if (m_module->open(&location, &m_options, &model, &error) != 0 || !model) {
        if (error.code.empty())
            error = {ErrorKind::internal, "CL-2082", fmt::format("The module could not open '{}' and gave no reason.", location.weights),
                     "Please report this."};
        return fail(std::move(error));
    }
    m_module->models.emplace(idOrPath, model);
    return model;
}

Result<FineTuneReport> ModelHost::fineTune(const std::string& idOrPath, const FineTuneRequest& request, const RunControl& control) {
    CAROUSEL_TRY(checkRequest(request));
    CAROUSEL_ASSIGN(const ModelLocation location, m_shelf.resolve(idOrPath));
    {
        std::scoped_lock lock(m_mutex);
        CAROUSEL_TRY(openModule());
    }
    FineTuneReport report;
    Error error;
    if (m_module->fineTune(&location, &m_options, &request, &control, &report, &error) != 0) // the module is never taken away again
        return fail(std::move(error));
    return report;
}

Result<TextToTextReport> ModelHost::trainTextToText(const TextToTextRequest& request, const RunControl& control) {
    CAROUSEL_TRY(checkRequest(request));
    {
        std::scoped_lock lock(m_mutex);
        CAROUSEL_TRY(openModule());
    }
    TextToTextReport report;
    Error error;
    if (m_module->trainTextToText(&m_options, &request, &control, &report, &error) != 0)
        return fail(std::move(error));
    return report;
}

Result<ModelHost::Place> ModelHost::place() {
    std::scoped_lock lock(m_mutex);
    CAROUSEL_TRY(openModule());
    Place place;
    Error error;
    if (m_module->device(&m_options, &place, &error) != 0)
        return fail(std::move(error));
    return place;
}

std::string ModelHost::moduleDescription() const {
    std::scoped_lock lock(m_mutex);
    return m_module ? m_module->describe() : "";
}

} // namespace carousel
