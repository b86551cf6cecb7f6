// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/sentence_piece_module.h"
#include <exception>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <unordered_map>

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

class Texts final : public sentencepiece::SentenceIterator {
public:
    explicit Texts(const std::vector<std::string>& texts) : m_texts(texts) {}
    bool done() const override { return m_next == m_texts.size(); }
    void Next() override { ++m_next; }
    const std::string& value() const override { return m_texts[m_next]; }
    sentencepiece::util::Status status() const override { return {}; }

private:
    const std::vector<std::string>& m_texts;
    std::size_t m_next = 0;
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

__attribute__((visibility("default"))) int carousel_sentencepiece_train(const std::vector<std::string>* texts,
                                                                        const std::vector<std::pair<std::string, std::string>>* options,
                                                                        std::string* model, std::string* reason) {
    try {
        std::unordered_map<std::string, std::string> all(options->begin(), options->end());
        all["model_type"] = "unigram";
        all["num_threads"] = "1";         // sums of several threads come in any order
        all["input_sentence_size"] = "0"; // every text
        all["minloglevel"] = "2";         // errors come back as a status
        Texts iterator(*texts);
        const auto status = sentencepiece::SentencePieceTrainer::Train(all, &iterator, model);
        if (status.ok())
            return 0;
        *reason = status.ToString();
    } catch (const std::exception& thrown) {
        *reason = thrown.what();
    }
    return 1;
}
