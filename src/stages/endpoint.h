// SPDX-License-Identifier: GPL-3.0-or-later
// What a study, or the user's own file, says about a language model on a server: [endpoints.NAME]. Only the description; src/server calls.
// Stages name such a model "server:NAME".
#pragma once
#include "base/parameters.h"

namespace carousel {

// url, model, api_key_env, concurrency, time limits, prices, budgets ...: one list for files, flags, the form and the help.
const std::vector<ParameterSpec>& endpointParameters();

// Fills defaults and checks. CL-2102: unknown key, a key written out (its value is never repeated), a name that is not [a-z0-9_-], or
// api_key_env that is no name of a variable or stands beside api_key_store. CL-3002..3004 from the parameters. `url` is checked by whoever connects.
Result<Parameters> checkedEndpoint(const std::string& name, const Parameters& given);

} // namespace carousel
