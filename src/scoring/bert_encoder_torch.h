// SPDX-License-Identifier: GPL-3.0-or-later
// A BERT-type sentence encoder: token ids in, one L2-normalised vector per text out. Texts of similar length are computed together, end to
// end without padding. No tensor type in this header.
#pragma once
#include "base/matrix.h"
#include "base/run_control.h"
#include "compute/device_torch.h"
#include "llm/model_shape.h"
#include "llm/safetensors.h"
#include "llm/tokenizer.h"
#include "stages/language_model.h"
#include <memory>
#include <span>
#include <vector>

namespace carousel {

// Not for several threads at once.
class BertEncoder {
public:
    static Result<std::unique_ptr<BertEncoder>> open(const SafetensorsFile& file, const std::string& configFile, const ComputeDevice& device,
                                                     const RunControl& control = {});
    ~BertEncoder();

    const BertShape& shape() const { return m_shape; }
    std::int64_t memoryBytes() const;
    // Each text is [CLS] ... [SEP]; `mean` takes the mean over all its tokens, those two included.
    Result<Matrix> encode(std::span<const std::vector<TokenId>> texts, Pooling pooling, const RunControl& control);

private:
    struct Weights;
    BertEncoder(BertShape shape, ComputeDevice device);
    void load(const SafetensorsFile& file, const RunControl& control);
    void encodeGroup(std::span<const std::vector<TokenId>> texts, std::span<const std::size_t> group, Pooling pooling, const RunControl& control,
                     Matrix& out);

    BertShape m_shape;
    ComputeDevice m_device;
    std::unique_ptr<Weights> m_weights;
};

} // namespace carousel
