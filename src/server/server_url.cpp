// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/server_url.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <cstring>
#include <curl/curl.h>
#include <memory>
#include <netinet/in.h>

namespace carousel::server {

namespace {

// The four bytes of an IPv4 address, also where it is written inside an IPv6 address.
bool ipv4Of(const sockaddr* address, unsigned char (&out)[4]) {
    if (address->sa_family == AF_INET) {
        std::memcpy(out, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    const auto* six = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(six))
        return false;
    std::memcpy(out, six->s6_addr + 12, 4);
    return true;
}

struct Address {
    sockaddr_in six4{};
    sockaddr_in6 six6{};
    const sockaddr* use = nullptr;

    explicit Address(const std::string& host) {
        if (::inet_pton(AF_INET, host.c_str(), &six4.sin_addr) == 1) {
            six4.sin_family = AF_INET;
            use = reinterpret_cast<const sockaddr*>(&six4);
        } else if (::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &six6.sin6_addr) == 1) {
            six6.sin6_family = AF_INET6;
            use = reinterpret_cast<const sockaddr*>(&six6);
        }
    }
};

} // namespace

bool isLinkLocal(const sockaddr* address) {
    unsigned char four[4];
    if (ipv4Of(address, four))
        return four[0] == 169 && four[1] == 254;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

bool isLoopback(const sockaddr* address) {
    unsigned char four[4];
    if (ipv4Of(address, four))
        return four[0] == 127;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

std::string Origin::text() const {
    return host.find(':') == std::string::npos ? fmt::format("{}://{}:{}", scheme, host, port)
                                               : fmt::format("{}://[{}]:{}", scheme, host, port);
}

bool Origin::isLoopback() const {
    if (host == "localhost")
        return true;
    const Address address(host);
    return address.use && server::isLoopback(address.use);
}

Result<ServerUrl> parseServerUrl(const std::string& text) {
    // The text itself is not quoted: it may hold a password.
    auto refused = [](const std::string& what, const std::string& hint) {
        return fail(ErrorKind::input, "CL-2101", "The address of the server " + what, hint);
    };
    const std::string example = "Write it like http://127.0.0.1:8000 or https://host.example/prefix.";
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
    if (!url || curl_url_set(url.get(), CURLUPART_URL, std::string(trimmed(text)).c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return refused("cannot be read.", example);
    auto part = [&](CURLUPart which, unsigned flags = 0) {
        char* value = nullptr;
        std::string out;
        if (curl_url_get(url.get(), which, &value, flags) == CURLUE_OK && value)
            out = value;
        curl_free(value);
        return out;
    };
    ServerUrl out;
    out.origin.scheme = lowered(part(CURLUPART_SCHEME));
    if (out.origin.scheme != "http" && out.origin.scheme != "https")
        return refused(fmt::format("has the scheme '{}'; only http and https are spoken.", quotedForMessage(out.origin.scheme)), example);
    if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty())
        return refused("holds a name or a password.",
                       "Take it out, put the key into an environment variable and name that in api_key_env, or keep it with `endpoint key set`.");
    if (!part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty())
        return refused("has a query or a fragment.", example);
    out.origin.host = lowered(part(CURLUPART_HOST));
    if (out.origin.host.size() > 2 && out.origin.host.front() == '[')
        out.origin.host = out.origin.host.substr(1, out.origin.host.size() - 2);
    out.origin.port = static_cast<int>(parseInteger(part(CURLUPART_PORT, CURLU_DEFAULT_PORT)).value_or(0));
    if (out.origin.host.empty() || out.origin.port <= 0)
        return refused("names no host.", example);
    if (const Address address(out.origin.host); address.use && isLinkLocal(address.use))
        return refused(fmt::format("({}) is link-local; no model is served there.", out.origin.host), example);
    out.path = part(CURLUPART_PATH);
    auto strip = [&](std::string_view end) {
        if (out.path.ends_with(end))
            out.path.resize(out.path.size() - end.size());
    };
    strip("/");
    strip("/v1");
    strip("/");
    return out;
}

} // namespace carousel::server
