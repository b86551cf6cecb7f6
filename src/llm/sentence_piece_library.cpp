// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/file.h"
#include "base/paths.h"
#include "base/text.h"
#include "llm/sentence_piece_module.h"
#include <dlfcn.h>

namespace carousel {

namespace {

#if defined(RTLD_DEEPBIND) && !defined(__SANITIZE_ADDRESS__) // the sanitizer refuses it; its tests load no LibTorch
constexpr int ownSymbolsFirst = RTLD_DEEPBIND;
#else
constexpr int ownSymbolsFirst = 0;
#endif

struct Doors {
    decltype(&::carousel_sentencepiece_open) open = nullptr;
    decltype(&::carousel_sentencepiece_train) train = nullptr;
};

Result<Doors> openModule() {
    const std::string path = moduleFolder() + "/" + sentencePieceModuleFile;
    const char* const hint = "Build again (packaging/run.sh installs what is missing), or choose a model with another tokenizer.";
    if (!fileExists(path))
        return fail(ErrorKind::plugin, "CL-2068", fmt::format("The tokenizer module '{}' is not there.", path), hint);
    void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | ownSymbolsFirst);
    Doors doors;
    if (handle) {
        doors.open = reinterpret_cast<decltype(doors.open)>(::dlsym(handle, "carousel_sentencepiece_open"));
        doors.train = reinterpret_cast<decltype(doors.train)>(::dlsym(handle, "carousel_sentencepiece_train"));
    }
    if (!doors.open || !doors.train) {
        const char* const reason = ::dlerror();
        return fail(ErrorKind::plugin, "CL-2068",
                    fmt::format("The tokenizer module '{}' cannot be loaded: {}.", path, reason ? reason : "no reason given"), hint);
    }
    return doors;
}

} // namespace

Result<std::unique_ptr<SentencePieceProcessor>> openSentencePiece(const std::string& model, const std::string& where) {
    CAROUSEL_ASSIGN(const Doors doors, openModule()); // loaded once, whoever asks
    std::string reason;
    std::unique_ptr<SentencePieceProcessor> processor(doors.open(&model, &reason));
    if (!processor)
        return fail(ErrorKind::input, "CL-2065",
                    fmt::format("'{}': the SentencePiece model cannot be used: {}.", where, quotedForMessage(reason)),
                    "The file is damaged or unusual; fetch it again or choose another model.");
    return processor;
}

Result<std::string> runSentencePieceTrainer(const std::vector<std::string>& texts,
                                            const std::vector<std::pair<std::string, std::string>>& options) {
    CAROUSEL_ASSIGN(const Doors doors, openModule());
    std::string model, reason;
    if (doors.train(&texts, &options, &model, &reason) != 0)
        return fail(ErrorKind::input, "CL-2171", fmt::format("No SentencePiece model can be trained on these texts: {}.", quotedForMessage(reason)),
                    "Give more texts, or another size of the vocabulary.");
    return model;
}

} // namespace carousel
