// SPDX-License-Identifier: GPL-3.0-or-later
// What the hidden states are turned into: logits of single tokens, exactly, or of the whole vocabulary.
#include "compute/guard_torch.h"
#include "scoring/llama_weights_torch.h"
#include "scoring/tensor_bridge_torch.h"
#include <algorithm>
#include <cmath>

namespace carousel {

namespace {

float product(std::span<const float> hidden, const float* weights) {
    double sum = 0;
    for (std::size_t i = 0; i < hidden.size(); ++i)
        sum += static_cast<double>(hidden[i]) * weights[i];
    return static_cast<float>(sum);
}

} // namespace

void LlamaDecoder::checkToken(TokenId token) const {
    TORCH_CHECK(token >= 0 && token < m_shape.vocabulary, "token id ", token, " is outside the vocabulary of ", m_shape.vocabulary);
}

// From the file each time: a copy in fp32 would take more memory than all else that few tokens need.
void LlamaDecoder::readRow(WeightRole role, TokenId token, std::span<float> row) const {
    checkToken(token);
    if (auto read = m_source->readRows(role, 0, static_cast<std::uint64_t>(token), 1, row); !read)
        throw Refused{read.error()};
}

Result<TokenId> LlamaDecoder::inject(std::span<const float> row) {
    if (static_cast<std::int64_t>(row.size()) != m_shape.width)
        return fail(ErrorKind::usage, "CL-2096", fmt::format("a vector of {} values was given to a model of width {}", row.size(), m_shape.width),
                    "give vectors as wide as the model");
    if (!std::all_of(row.begin(), row.end(), [](float v) { return std::isfinite(v); }))
        return fail(ErrorKind::usage, "CL-2096", "a vector for a prompt holds a value that is not finite", "check how the vector was made");
    std::string bytes(reinterpret_cast<const char*>(row.data()), row.size_bytes());
    const auto [place, fresh] =
        m_injectedIds.emplace(std::move(bytes), static_cast<TokenId>(m_shape.vocabulary + static_cast<std::int64_t>(m_injectedIds.size())));
    if (fresh)
        m_injected.insert(m_injected.end(), row.begin(), row.end());
    return place->second;
}

void LlamaDecoder::forgetInjected() {
    m_injectedIds.clear();
    m_injected.clear();
}

Result<Matrix> LlamaDecoder::inputEmbeddings(std::span<const TokenId> tokens) const {
    if (tokens.empty())
        return Matrix(0, static_cast<std::size_t>(m_shape.width));
    return guarded(m_device, "reading embeddings", [&]() -> Result<Matrix> { return toMatrix(embedded(tokens)); });
}

Result<Matrix> LlamaDecoder::logits(const Matrix& hidden, std::span<const TokenId> tokens) const {
    return guarded(m_device, "computing logits", [&]() -> Result<Matrix> {
        Matrix out(hidden.rows, tokens.size());
        std::vector<float> weights(static_cast<std::size_t>(m_shape.width));
        for (std::size_t column = 0; column < tokens.size(); ++column) {
            readRow(headRole(), tokens[column], weights);
            for (std::size_t row = 0; row < hidden.rows; ++row)
                out.row(row)[column] = product(hidden.row(row), weights.data());
        }
        return out;
    });
}

Result<std::vector<float>> LlamaDecoder::rowLogits(const Matrix& hidden, std::span<const TokenId> tokens) const {
    return guarded(m_device, "computing logits", [&]() -> Result<std::vector<float>> {
        TORCH_CHECK(hidden.rows == tokens.size(), "one token per row");
        std::vector<float> out, weights(static_cast<std::size_t>(m_shape.width));
        for (std::size_t row = 0; row < hidden.rows; ++row) {
            readRow(headRole(), tokens[row], weights);
            out.push_back(product(hidden.row(row), weights.data()));
        }
        return out;
    });
}

Result<Matrix> LlamaDecoder::allLogits(const Matrix& hidden) {
    return guarded(m_device, "computing logits", [&]() -> Result<Matrix> {
        if (hidden.rows == 0)
            return Matrix(0, static_cast<std::size_t>(m_shape.vocabulary));
        return toMatrix(m_weights->head(viewRows(hidden, 0, hidden.rows).to(c10::Device(m_device.name))));
    });
}

Result<std::vector<double>> LlamaDecoder::logSumExpOfLogits(const Matrix& hidden, const RunControl& control) {
    return guarded(m_device, "computing answer probabilities", [&]() -> Result<std::vector<double>> {
        std::vector<double> out;
        constexpr std::size_t rowsAtOnce = logitRows;
        for (std::size_t row = 0; row < hidden.rows; row += rowsAtOnce) {
            checkStop(control);
            const auto input = viewRows(hidden, row, std::min(rowsAtOnce, hidden.rows - row)).to(c10::Device(m_device.name));
            const auto sums = logSumExp(m_device, m_weights->head(input));
            out.insert(out.end(), sums.begin(), sums.end());
        }
        return out;
    });
}

} // namespace carousel
