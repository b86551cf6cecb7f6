// SPDX-License-Identifier: GPL-3.0-or-later
// Projects, data and models of the workbench. Running is in run_study.cpp, comparing in compare.cpp, the carousel in carousel_view.cpp.
#include "workbench/workbench.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/paths.h"
#include "base/text.h"
#include "workbench/workbench_private.h"

namespace carousel {

Error noProject() { return {ErrorKind::usage, "CL-4010", "No project is open.", "Create one with `init`, or open one (--project FILE)."}; }

Workbench::Workbench() : m_d(std::make_unique<Private>()) {}
Workbench::~Workbench() = default;

const PluginRegistry& Workbench::plugins() const { return m_d->plugins; }

Result<void> Workbench::createProject(const std::string& file, const std::string& title) {
    closeProject();
    CAROUSEL_ASSIGN(m_d->store, ProjectStore::create(file, title));
    return {};
}

Result<void> Workbench::openProject(const std::string& file, bool readOnly) {
    closeProject();
    CAROUSEL_ASSIGN(m_d->store, ProjectStore::open(file, readOnly));
    return {};
}

void Workbench::closeProject() {
    m_d->store.reset();
    std::scoped_lock lock(m_d->mutex);
    m_d->datasets.clear();
    m_d->splits.clear();
    m_d->logRates.clear();
}

bool Workbench::isOpen() const { return m_d->store != nullptr; }
ProjectStore& Workbench::store() { return *m_d->store; }
void Workbench::setCommitListener(std::function<void(std::int64_t, std::int64_t)> listener) { m_d->commitListener = std::move(listener); }

Result<ImportReport> Workbench::importData(const ImportRequest& request, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    const RunControl reading = control.slice(0, 0.7), saving = control.slice(0.7, 1);
    auto read = [&]() -> Result<Imported> {
        const auto pathOr = [&](const std::string& fallback) { return request.path.empty() ? fallback : request.path; };
        auto sample = [&](const std::string& folder, const char* title) -> Result<void> {
            if (request.path.empty() && !fileExists(folder))
                return fail(ErrorKind::input, "CL-1016", fmt::format("{} is not on this machine ('{}' is missing).", title, folder), "Run packaging/fetch.sh once with a network.");
            return {};
        };
        if (request.kind == "recbole") {
            CAROUSEL_TRY(sample(dataFolder() + "/ml-100k", "MovieLens 100K"));
            return importRecBole(pathOr(dataFolder() + "/ml-100k"), request.limits, reading);
        }
        if (request.kind == "open-bandit") {
            CAROUSEL_TRY(sample(dataFolder() + "/open-bandit", "The Open Bandit sample"));
            return importOpenBandit(pathOr(dataFolder() + "/open-bandit"), request.campaign, request.limits, reading);
        }
        if (request.kind == "six-of-hundreds")
            return importSixOfHundreds(pathOr(sampleDataFolder() + "/six_of_hundreds"), reading);
        if (request.kind == "csv") {
            TableMapping mapping = request.mapping;
            if (mapping.user.empty() || mapping.item.empty()) {
                CAROUSEL_ASSIGN(mapping, guessMapping(request.path));
            }
            return importTable(request.path, mapping, request.limits, reading);
        }
        return fail(ErrorKind::usage, "CL-1015", fmt::format("There is no importer '{}'.", request.kind), "Use recbole, open-bandit, six-of-hundreds or csv.");
    };
    CAROUSEL_ASSIGN(auto imported, read());
    if (!request.name.empty())
        imported.dataset->name = request.name;
    if (imported.dataset->title.empty())
        imported.dataset->title = imported.dataset->name;
    if (imported.dataset->digest.empty())
        imported.dataset->digest = datasetDigest(*imported.dataset);
    CAROUSEL_TRY(m_d->store->saveDataset(*imported.dataset, imported.report, saving));
    std::scoped_lock lock(m_d->mutex);
    m_d->datasets[imported.dataset->name] = imported.dataset;
    return imported.report;
}

Result<DatasetPtr> Workbench::dataset(const std::string& name, const RunControl& control) {
    if (!isOpen())
        return fail(noProject());
    {
        std::scoped_lock lock(m_d->mutex);
        if (const auto it = m_d->datasets.find(name); it != m_d->datasets.end())
            return it->second;
    }
    CAROUSEL_ASSIGN(auto loaded, m_d->store->loadDataset(name, control));
    std::scoped_lock lock(m_d->mutex);
    return m_d->datasets[name] = loaded;
}

Result<std::shared_ptr<const Split>> Workbench::Private::split(const Dataset& dataset, const SplitSpec& spec, const RunControl& control) {
    const std::string key = fmt::format("{}|{}|{}|{}|{}|{}|{}", dataset.digest, name(spec.method), spec.testShare, spec.validationShare, spec.targetModel, spec.minimumHistory, spec.seed);
    {
        std::scoped_lock lock(mutex);
        if (const auto it = splits.find(key); it != splits.end())
            return it->second;
    }
    CAROUSEL_ASSIGN(auto made, makeSplit(dataset, spec, control));
    auto shared = std::make_shared<const Split>(std::move(made));
    std::scoped_lock lock(mutex);
    return splits[key] = shared;
}

ModelHost& Workbench::Private::host(const std::string& device, const std::string& compute) {
    std::scoped_lock lock(mutex);
    auto& host = hosts[device + " " + compute];
    if (!host) {
        OpenOptions options;
        options.device = device;
        options.computeType = compute;
        host = std::make_unique<ModelHost>(options);
        host->setServerOpener([this](const std::string& server) { return endpoints.model(server); });
    }
    return *host;
}

server::Endpoints& Workbench::endpoints() { return m_d->endpoints; }

Result<LanguageModel*> Workbench::languageModel(const std::string& id) { return m_d->host("cpu", "auto").languageModel(id); }

std::vector<ModelStatus> Workbench::models() const { return ModelShelf().status(); }

std::map<std::string, std::string> Workbench::Private::modelHashes(const StrategySpec& strategy) {
    std::map<std::string, std::string> out;
    for (const StageKind kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller}) {
        const auto entry = plugins.find(kind, strategy.stage(kind).plugin);
        if (!entry || !(*entry)->manifest.usesLanguageModel || !strategy.stage(kind).parameters.has("model"))
            continue;
        const std::string id = strategy.stage(kind).parameters.text("model");
        if (constexpr std::string_view prefix = "server:"; startsWith(id, prefix)) { // no file to hash: the address and the name stand for it
            if (const auto endpoint = endpoints.find(id.substr(prefix.size())))
                out[id] = sha256(endpoint->text("url") + "#" + endpoint->text("model"));
            continue;
        }
        if (const auto location = ModelShelf().resolve(id))
            out[id] = location->sha256;
    }
    return out;
}

} // namespace carousel
