// SPDX-License-Identifier: GPL-3.0-or-later
// How items are called in prompts of a model that is trained here, and how answers are told apart: every item has its own identifier, none
// is the beginning of another, and items that training says nothing of have a beginning of their own, so that they never share one with a
// known item (an index of an unseen item that is also the first part of a seen one's is a defect of published programs).
#pragma once
#include "base/matrix.h"
#include "base/result.h"
#include "data/dataset.h"
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

// random: "item_1047", numbers in a seeded order. sequential: numbers along the customers' training histories, so that items seen together
// have near numbers (Hua et al., "How to Index Item IDs", SIGIR-AP 2023). collaborative: "<c3><c17>", the path in a tree of groups of items
// that occur together (ibid., section 3.3; spectral clustering). semantic: "<s1><t5>...", given by codes that were made from item vectors.
// titles: the item's title, for models that know words; repeated titles get a number.
enum class ItemIndexing { random, sequential, collaborative, semantic, titles };
const char* name(ItemIndexing indexing);
Result<ItemIndexing> itemIndexing(const std::string& name); // CL-3112

struct ItemIdentifiers {
    std::vector<std::string> names;   // per item; distinct, none the beginning of another when followed by an end
    std::vector<std::string> symbols; // whole tokens that the tokenizer must keep together, "<c0>", "<c1>" ...; may be empty
    Code find(const std::string& name) const; // noCode when it is nobody's

    ItemIdentifiers() = default;
    ItemIdentifiers(std::vector<std::string> names, std::vector<std::string> symbols);

private:
    std::vector<std::size_t> m_byName; // items in the order of their names
};

// `histories`: per user, items in the order of training, without held-out pairs: nothing else decides the identifiers.
ItemIdentifiers randomIdentifiers(std::size_t items, std::uint64_t seed);
ItemIdentifiers sequentialIdentifiers(std::size_t items, std::span<const std::vector<Code>> histories, std::uint64_t seed);
// `groups`: branches of the tree; `leaf`: a group of at most so many items is not divided further. Items without a history have the
// beginning "<cold>". CL-3112 when the numbers make no tree.
Result<ItemIdentifiers> collaborativeIdentifiers(std::size_t items, std::span<const std::vector<Code>> histories, int groups, int leaf,
                                                 std::uint64_t seed);
// `codes[i]`: the tuple of item i, distinct over items, all of one length; symbols "<a4>", "<b17>" ... by place.
ItemIdentifiers codeIdentifiers(std::span<const std::vector<int>> codes);
// The title of each item; where titles repeat, those after the first get " (2)", " (3)"...; an empty one becomes its id.
ItemIdentifiers titleIdentifiers(const EntityTable& items);

} // namespace carousel
