// SPDX-License-Identifier: GPL-3.0-or-later
// "Why is this item here": the stored steps of a run as lines that a person reads.
#pragma once
#include "pages/carousel/arranged_carousel.h"
#include "widgets/inspector.h"

namespace carousel::ui {

// What is on the card and what it is worth at its present place; known without asking the store.
std::vector<InspectorRow> cardRows(const ArrangedCarousel& carousel, std::size_t place, int window);
// The rows made from Workbench::explain(): score, ties, the four places of the strategy and the trace. Never throws; text that is no JSON
// is shown as it is.
std::vector<InspectorRow> explanationRows(const std::string& json);

} // namespace carousel::ui
