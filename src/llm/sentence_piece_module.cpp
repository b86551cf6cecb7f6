// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/sentence_piece_module.h"
#include <exception>
#include <sentencepiece_processor.h>

namespace {

class Processor final : public carousel::SentencePieceProcessor {
public:
    sentencepiece::util::Status load(const std::string& model) { return m_processor.LoadFromSerializedProto(model); }
    std::vector<int> encode(std::string_view text) const override {
        std::vector<int> ids;
        if (!m_processor.Encode(text, &ids).ok()) // only before a model is loaded
            return {};
        return ids;
    }
    int size() const override { return m_processor.GetPieceSize(); }
    std::string piece(int id) const override { return m_processor.IdToPiece(id); }
    bool isByte(int id) const override { return m_processor.IsByte(id); }
    bool isControlOrUnknown(int id) const override { return m_processor.IsControl(id) || m_processor.IsUnknown(id); }
    int begin() const override { return m_processor.bos_id(); }
    int end() const override { return m_processor.eos_id(); }

private:
    sentencepiece::SentencePieceProcessor m_processor;
};

} // namespace

__attribute__((visibility("default"))) carousel::SentencePieceProcessor* carousel_sentencepiece_open(const std::string* model,
                                                                                                     std::string* reason) {
    try {
        auto processor = std::make_unique<Processor>();
        if (const auto status = processor->load(*model); !status.ok()) {
            *reason = status.ToString();
            return nullptr;
        }
        return processor.release();
    } catch (const std::exception& thrown) {
        *reason = thrown.what();
        return nullptr;
    }
}
