// SPDX-License-Identifier: GPL-3.0-or-later
// The provenance block of reports and exports: what made the numbers, and the command that makes them again.
#include "base/hash.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/text.h"
#include "workbench/build_facts.h"
#include "workbench/workbench.h"
#include "workbench/workbench_private.h"
#include <ctime>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>

namespace carousel {

namespace {

std::string operatingSystem() {
    utsname names{};
    if (::uname(&names) != 0)
        return "unknown";
    return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

} // namespace

std::string Workbench::provenance(const StudySpec& study, const RunRow* run) const {
    nlohmann::json out;
    out["program"] = {{"name", "Carousel Lab"}, {"version", buildFacts().version}, {"commit", buildFacts().commit}, {"build", buildFacts().buildType},
                      {"compiler", buildFacts().compiler}, {"libraries", buildFacts().libraries}};
    out["machine"] = {{"os", operatingSystem()}, {"processor", processorName()}, {"threads", threadCount()}};
    out["written"] = utcSecond(static_cast<std::int64_t>(std::time(nullptr)));
    nlohmann::json data{{"name", study.dataset}};
    if (m_d->store) {
        std::scoped_lock lock(m_d->mutex);
        if (const auto it = m_d->datasets.find(study.dataset); it != m_d->datasets.end()) {
            data["title"] = it->second->title;
            data["digest"] = it->second->digest;
            data["rows"] = {{"users", it->second->users.size()}, {"items", it->second->items.size()}, {"interactions", it->second->interactions.size()}, {"impressions", it->second->impressions.size()}, {"reviews", it->second->reviews.size()}};
            for (const auto& source : it->second->sources)
                data["files"].push_back({{"name", source.name}, {"bytes", source.bytes}, {"sha256", source.sha256}, {"importer", source.importer},
                                         {"options", source.options}, {"rowsRead", source.rowsRead}, {"rowsKept", source.rowsKept}});
        }
    }
    out["data"] = data;
    const std::string canonical = canonicalJson(study);
    out["specification"] = nlohmann::json::parse(canonical);
    out["specificationSha256"] = sha256(canonical);
    out["seed"] = study.seed;
    out["compute"] = {{"device", study.device}, {"type", study.compute}}; // as asked for; modelsUsed says what each model came to
    out["split"] = {{"method", name(study.split.method)}, {"seed", study.split.seed}};
    for (const auto& strategy : study.strategies) {
        for (const StageKind kind : {StageKind::feature, StageKind::encoder, StageKind::scorer, StageKind::controller})
            if (const auto entry = m_d->plugins.find(kind, strategy.stage(kind).plugin))
                out["plugins"][fmt::format("{}/{}", name(kind), (*entry)->manifest.id)] = (*entry)->sha256.empty() ? "built in" : (*entry)->sha256;
        for (const auto& [id, sha] : m_d->modelHashes(strategy))
            out["models"][id] = sha;
    }
    if (run) {
        out["run"] = {{"id", run->id}, {"fingerprint", run->fingerprint}, {"started", run->createdAt}, {"finished", run->finishedAt}};
        out["split"]["digest"] = run->splitDigest;
        const auto notes = nlohmann::json::parse(run->notesJson, nullptr, false);
        if (notes.is_object()) {
            out["cost"] = notes.value("preparation", nlohmann::json::object());
            out["modelsUsed"] = notes.value("models", nlohmann::json::array());
        }
    }
    out["reproduce"] = "carousel-lab-cli --project PROJECT run STUDY.toml";
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace carousel
