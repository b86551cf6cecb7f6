// SPDX-License-Identifier: GPL-3.0-or-later
// A tokenizer made from texts: a unigram model (Kudo 2018, arXiv 1804.10959) with the tokens that T5 expects, <pad> = 0, </s> = 1 and
// <unk> = 2, and text normalised as T5 does it (NFKC). Every character of the texts is a piece. The same texts give the same bytes.
#pragma once
#include "base/result.h"
#include "base/run_control.h"
#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

struct SentencePieceTraining {
    std::vector<std::string> texts;
    // Pieces, those three and `symbols` included; 16 .. 1,000,000. Texts that have fewer get as many as they have.
    std::int64_t vocabulary = 2000;
    // Whole tokens wherever they stand in a text, such as "<A12>": no blanks, commas or quotation marks, and none twice.
    std::vector<std::string> symbols;
};

// A serialised model for SentencePiece::fromModel. Takes seconds for some megabytes, and does not look at a stop meanwhile; beyond 8 MiB
// texts are left out, evenly. CL-2172: no texts, a symbol or a size that cannot be, more characters and symbols than the vocabulary has room
// for. CL-2068, CL-2171.
Result<std::string> trainSentencePiece(const SentencePieceTraining& training, const RunControl& control);

} // namespace carousel
