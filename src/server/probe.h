// SPDX-License-Identifier: GPL-3.0-or-later
// Finds out what a server is and can do: about ten small requests, none with data of the user.
#pragma once
#include "server/server_card.h"
#include "server/server_client.h"

namespace carousel::server {

// Goes down the ladder until a rung works (or tries the one that `endpoint` names). A rung works when both easy questions are answered with
// numbers that can be used; whether the answers are right is told in the card. A server that gives embeddings alone has rung none.
// Errors: CL-2106 refused (401, 403, a redirect, a web page), CL-2107 no usable reply at all, CL-2116 neither scores nor embeddings, or not
// by the rung that was asked for; those of ServerClient.
Result<ServerCard> probe(ServerClient& client, const Parameters& endpoint, const RunControl& control);

} // namespace carousel::server
