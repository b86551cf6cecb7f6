// SPDX-License-Identifier: GPL-3.0-or-later
// The door of the module libcarousel_sentencepiece.so. Debian's libsentencepiece carries a protobuf of its own and exports its symbols; linked
// into the program they would stand before those of the protobuf that LibTorch brings, and LibTorch would not load. So the library lives
// behind a module that is opened, by itself and with its own symbols first, when a tokenizer of this kind is read.
#pragma once
#include "base/result.h"
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carousel {

// A loaded model. Const members may be called from any thread.
class SentencePieceProcessor {
public:
    virtual ~SentencePieceProcessor() = default;
    virtual std::vector<int> encode(std::string_view text) const = 0;
    virtual int size() const = 0; // pieces; ids below are 0 .. size() - 1
    virtual std::string piece(int id) const = 0;
    virtual bool isByte(int id) const = 0;
    virtual bool isControlOrUnknown(int id) const = 0;
    virtual int begin() const = 0; // -1: none
    virtual int end() const = 0;
};

// `model`: a serialised ModelProto. CL-2065: the model cannot be used; CL-2068: the module is not there or cannot be loaded. The module stays.
Result<std::unique_ptr<SentencePieceProcessor>> openSentencePiece(const std::string& model, const std::string& where);

// Trains a unigram model with the library's own trainer: one thread, every text, nothing drawn. `options` are the trainer's, beyond those.
// Not to be called from several threads at once. CL-2068; the library's reason as it gives it, in an error CL-2171.
Result<std::string> runSentencePieceTrainer(const std::vector<std::string>& texts,
                                            const std::vector<std::pair<std::string, std::string>>& options);

constexpr const char* sentencePieceModuleFile = "libcarousel_sentencepiece.so";

} // namespace carousel

// Null and *reason filled where the library refuses. No exception comes out.
extern "C" carousel::SentencePieceProcessor* carousel_sentencepiece_open(const std::string* model, std::string* reason);
// 0 and *model (a serialised ModelProto), or 1 and *reason.
extern "C" int carousel_sentencepiece_train(const std::vector<std::string>* texts,
                                            const std::vector<std::pair<std::string, std::string>>* options, std::string* model,
                                            std::string* reason);
