// SPDX-License-Identifier: GPL-3.0-or-later
// Requests to one server over libcurl's multi interface, several at a time in the calling thread. One try each: no redirect is followed, no
// proxy is used for this machine, nothing is retried. Not safe from several threads; the owner serialises.
#pragma once
#include "server/secret_key.h"
#include <memory>
#include <vector>

namespace carousel::server {

struct HttpLimits {
    double connectSeconds = 10, firstByteSeconds = 60,
           replySeconds = 120;                       // the last one from sending to the last byte, however slowly it drips
    std::size_t largestReply = std::size_t(8) << 20; // bytes
};

struct HttpRequest {
    std::string method = "POST"; // or "GET"
    std::string route;           // "/v1/completions"
    std::string body;            // JSON
};

enum class HttpOutcome { reply, noConnection, tooSlow, tooLarge, cutShort, refusedAddress, otherTrouble };

struct HttpReply {
    HttpOutcome outcome = HttpOutcome::otherTrouble;
    std::string trouble; // in words, when outcome is not reply
    long status = 0;
    std::string body, contentType, retryAfter;
};

class HttpClient {
public:
    // The key must belong to the url's origin.
    HttpClient(ServerUrl url, const SecretKey& key, HttpLimits limits);
    ~HttpClient(); // drops what is under way
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // CL-2104 when the key may not be sent there.
    Result<void> start(std::size_t id, const HttpRequest& request);
    // Waits until something is finished, but no longer than `milliseconds`.
    std::vector<std::pair<std::size_t, HttpReply>> finished(int milliseconds);
    std::size_t running() const;
    void drop(); // all that is under way
    const ServerUrl& url() const { return m_url; }

private:
    struct Transfer;
    struct Handles;
    ServerUrl m_url;
    const SecretKey& m_key;
    HttpLimits m_limits;
    std::unique_ptr<Handles> m_handles;
};

} // namespace carousel::server
