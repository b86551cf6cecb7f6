// SPDX-License-Identifier: GPL-3.0-or-later
// The pages of the window in the order of the rail. A page that is not in this list does not exist for the window.
#pragma once
#include "pages/page.h"
#include <vector>

namespace carousel::ui {

std::vector<Page*> makePages(Session& session);

} // namespace carousel::ui
