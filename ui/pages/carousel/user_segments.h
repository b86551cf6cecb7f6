// SPDX-License-Identifier: GPL-3.0-or-later
// Which attributes of users divide them into few enough groups for the rows of a heat map.
#pragma once
#include "data/dataset.h"
#include <QStringList>

namespace carousel::ui {

constexpr std::size_t mostSegments = 12;
QStringList userSegments(const Dataset& dataset); // attributes with 2 to 12 words, and numbers, which are cut into groups

} // namespace carousel::ui
