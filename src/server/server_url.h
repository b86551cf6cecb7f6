// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses of servers, and which of them may be spoken to. Plain values; safe from any thread.
#pragma once
#include "base/result.h"

struct sockaddr;

namespace carousel::server {

// What a key is bound to.
struct Origin {
    std::string scheme, host; // "http" or "https"; lower case, IPv6 without brackets
    int port = 0;
    bool operator==(const Origin&) const = default;
    std::string text() const; // "http://127.0.0.1:8000"
    // Written as this machine: localhost, 127.0.0.0/8, ::1. Whether the name leads there is checked when the connection is made.
    bool isLoopback() const;
};

struct ServerUrl {
    Origin origin;
    std::string path; // "" or "/prefix"; without a last "/v1" and without a slash at the end
    std::string to(const std::string& route) const { return origin.text() + path + route; }
};

// CL-2101: not an address, another scheme than http and https, a name or password in it (never repeated), a query, or link-local.
Result<ServerUrl> parseServerUrl(const std::string& text);

// Addresses that no model is served on: 169.254.0.0/16 (where clouds hand out credentials) and fe80::/10, also as IPv4 inside IPv6.
bool isLinkLocal(const sockaddr* address);
bool isLoopback(const sockaddr* address);

} // namespace carousel::server
