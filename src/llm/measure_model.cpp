// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/measure_model.h"
#include "base/machine.h"
#include "base/text.h"
#include "llm/model_manifest.h"
#include "llm/model_memory.h"
#include <ctime>
#include <limits>

namespace carousel {

Result<SpeedRecord> measureModel(const ModelShelf& shelf, const std::string& id, const OpenOptions& options, const SpeedProbe& probe,
                                 const RunControl& control) {
    CAROUSEL_ASSIGN(const ModelLocation location, shelf.resolve(id));
    CAROUSEL_ASSIGN(const ModelStatus status, shelf.status(id, false));
    // A host of its own: the model is gone again afterwards, and what the libraries take is not counted as the model's.
    ModelHost host(options, shelf);
    CAROUSEL_ASSIGN(const auto place, host.place());
    const auto before = processMemory();
    CAROUSEL_ASSIGN(LanguageModel* const model, host.languageModel(id));
    CAROUSEL_ASSIGN(SpeedRecord record, measureSpeed(*model, probe, control));
    const auto after = processMemory();
    const auto& info = model->info();
    record.processor = processorName();
    record.device = info.device;
    record.computeType = info.computeType;
    record.libraries = host.moduleDescription();
    record.threads = host.options().threads;
    record.sha256 = location.sha256;
    record.date = utcSecond(static_cast<std::int64_t>(std::time(nullptr)));
    if (info.device == "cpu" && before.residentBytes > 0) { // a card's memory is not this process's
        record.residentBytes = std::max<std::int64_t>(0, after.residentBytes - before.residentBytes);
        const std::int64_t used = record.promptTokens + 64; // the prompt's frame
        record.expectedBytes = memoryNeeded(status.model, info.computeType, used).total();
    }
    CAROUSEL_TRY(addSpeed(status.folder, record));
    return record;
}

const SpeedRecord* speedOn(const std::vector<SpeedRecord>& newestFirst, const std::string& processor, const std::string& computeType) {
    const SpeedRecord* found = nullptr;
    for (const auto& record : newestFirst)
        if (record.processor == processor && (!found || (found->computeType != computeType && record.computeType == computeType)))
            found = &record;
    return found;
}

double memoryError(const SpeedRecord& record) {
    if (record.residentBytes <= 0)
        return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(record.expectedBytes - record.residentBytes) / static_cast<double>(record.residentBytes);
}

} // namespace carousel
