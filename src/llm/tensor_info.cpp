// SPDX-License-Identifier: GPL-3.0-or-later
#include "llm/tensor_info.h"

namespace carousel {

bool readableAsFloats(TensorType type) {
    switch (type) {
    case TensorType::f32:
    case TensorType::f16:
    case TensorType::bf16:
    case TensorType::f64:
    case TensorType::q8_0:
    case TensorType::q4_0:
    case TensorType::q4_1:
    case TensorType::q5_0:
    case TensorType::q5_1:
    case TensorType::q4_k:
    case TensorType::q6_k:
        return true;
    default:
        return false;
    }
}

BlockSize blockSize(TensorType type) {
    switch (type) {
    case TensorType::f32:
    case TensorType::i32:
    case TensorType::u32:
        return {1, 4};
    case TensorType::f16:
    case TensorType::bf16:
    case TensorType::i16:
    case TensorType::u16:
        return {1, 2};
    case TensorType::f64:
    case TensorType::i64:
    case TensorType::u64:
        return {1, 8};
    case TensorType::i8:
    case TensorType::u8:
    case TensorType::boolean:
        return {1, 1};
    case TensorType::q8_0:
        return {32, 34};
    case TensorType::q4_0:
        return {32, 18};
    case TensorType::q4_1:
        return {32, 20};
    case TensorType::q5_0:
        return {32, 22};
    case TensorType::q5_1:
        return {32, 24};
    case TensorType::q4_k:
        return {256, 144};
    case TensorType::q6_k:
        return {256, 210};
    case TensorType::other:
        break;
    }
    return {};
}

} // namespace carousel
