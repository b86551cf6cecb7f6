// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/http_client.h"
#include "base/text.h"
#include <algorithm>
#include <chrono>
#include <curl/curl.h>
#include <map>
#include <mutex>
#include <sys/socket.h>
#include <unistd.h>

namespace carousel::server {

namespace {

using Clock = std::chrono::steady_clock;
double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}
long milliseconds(double seconds) {
    return std::max(1L, static_cast<long>(seconds * 1000));
}

} // namespace

struct HttpClient::Transfer {
    std::size_t id = 0;
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    std::string body; // libcurl reads it while sending
    HttpReply reply;
    std::size_t largest = 0;
    Clock::time_point started = Clock::now();
    bool firstByte = false, tooLarge = false, mustBeLoopback = false, badAddress = false;

    ~Transfer() {
        if (easy)
            curl_easy_cleanup(easy);
        curl_slist_free_all(headers);
    }

    static std::size_t onBody(char* data, std::size_t size, std::size_t n, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        transfer.firstByte = true;
        if (transfer.reply.body.size() + size * n > transfer.largest) {
            transfer.tooLarge = true;
            return 0; // ends the transfer
        }
        transfer.reply.body.append(data, size * n);
        return size * n;
    }
    static std::size_t onHeader(char* data, std::size_t size, std::size_t n, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        transfer.firstByte = true;
        const std::string_view line(data, size * n);
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && colon < 64) {
            const std::string name = lowered(line.substr(0, colon));
            const std::string value(trimmed(line.substr(colon + 1)));
            if (name == "retry-after")
                transfer.reply.retryAfter = value.substr(0, 64);
            else if (name == "content-type")
                transfer.reply.contentType = value.substr(0, 128);
        }
        return size * n;
    }
    // The address that the name really led to: a name that looks harmless must not lead to where clouds keep credentials, and
    // "localhost" must be this machine, since no consent was asked and a key may go unencrypted.
    static curl_socket_t onSocket(void* self, curlsocktype, curl_sockaddr* address) {
        auto& transfer = *static_cast<Transfer*>(self);
        if (isLinkLocal(&address->addr) || (transfer.mustBeLoopback && !isLoopback(&address->addr))) {
            transfer.badAddress = true;
            return CURL_SOCKET_BAD;
        }
        return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    }
};

struct HttpClient::Handles {
    CURLM* multi = curl_multi_init();
    std::map<CURL*, std::unique_ptr<Transfer>> transfers;

    void remove(CURL* easy) {
        curl_multi_remove_handle(multi, easy);
        transfers.erase(easy);
    }
    ~Handles() {
        while (!transfers.empty())
            remove(transfers.begin()->first);
        curl_multi_cleanup(multi);
    }
};

HttpClient::HttpClient(ServerUrl url, const SecretKey& key, HttpLimits limits) : m_url(std::move(url)), m_key(key), m_limits(limits) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    m_handles = std::make_unique<Handles>();
}

HttpClient::~HttpClient() = default;

std::size_t HttpClient::running() const {
    return m_handles->transfers.size();
}

void HttpClient::drop() {
    while (!m_handles->transfers.empty())
        m_handles->remove(m_handles->transfers.begin()->first);
}

Result<void> HttpClient::start(std::size_t id, const HttpRequest& request) {
    CAROUSEL_ASSIGN(const std::string authorization, m_key.header(m_url.origin));
    auto transfer = std::make_unique<Transfer>();
    transfer->id = id;
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        return fail(ErrorKind::internal, "CL-2105", "libcurl gave no handle.", "Please report this.");
    transfer->body = request.body;
    transfer->largest = m_limits.largestReply;
    transfer->mustBeLoopback = m_url.origin.isLoopback();
    auto header = [&](const std::string& line) { transfer->headers = curl_slist_append(transfer->headers, line.c_str()); };
    header("Accept: application/json");
    header("Expect:"); // no round trip before a long body
    if (!authorization.empty())
        header(authorization);
    CURL* const easy = transfer->easy;
    auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
    const std::string address = m_url.to(request.route);
    set(CURLOPT_URL, address.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "carousel-lab");
    if (m_url.origin.scheme == "http" || transfer->mustBeLoopback)
        set(CURLOPT_PROXY, ""); // a proxy would see an unencrypted prompt, and would not know this machine
    if (request.method == "POST") {
        header("Content-Type: application/json");
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDS, transfer->body.c_str());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer->body.size()));
    } else {
        set(CURLOPT_HTTPGET, 1L);
    }
    set(CURLOPT_HTTPHEADER, transfer->headers);
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(m_limits.connectSeconds));
    set(CURLOPT_TIMEOUT_MS, milliseconds(m_limits.replySeconds));
    set(CURLOPT_WRITEFUNCTION, &Transfer::onBody);
    set(CURLOPT_WRITEDATA, static_cast<void*>(transfer.get()));
    set(CURLOPT_HEADERFUNCTION, &Transfer::onHeader);
    set(CURLOPT_HEADERDATA, static_cast<void*>(transfer.get()));
    set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::onSocket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(transfer.get()));
    curl_multi_add_handle(m_handles->multi, easy);
    m_handles->transfers.emplace(easy, std::move(transfer));
    return {};
}

namespace {

void classify(CURLcode code, HttpReply& reply) {
    reply.trouble = curl_easy_strerror(code);
    switch (code) {
    case CURLE_OK:
        reply.outcome = HttpOutcome::reply;
        reply.trouble.clear();
        break;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_GOT_NOTHING:
        reply.outcome = HttpOutcome::noConnection;
        break;
    case CURLE_OPERATION_TIMEDOUT:
        reply.outcome = HttpOutcome::tooSlow;
        break;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        reply.outcome = HttpOutcome::cutShort;
        break;
    default:
        reply.outcome = HttpOutcome::otherTrouble;
        break;
    }
}

} // namespace

std::vector<std::pair<std::size_t, HttpReply>> HttpClient::finished(int waitMilliseconds) {
    std::vector<std::pair<std::size_t, HttpReply>> out;
    const auto until = Clock::now() + std::chrono::milliseconds(waitMilliseconds);
    auto& handles = *m_handles;
    while (true) {
        int running = 0;
        curl_multi_perform(handles.multi, &running);
        int left = 0;
        while (CURLMsg* message = curl_multi_info_read(handles.multi, &left)) {
            if (message->msg != CURLMSG_DONE)
                continue;
            const auto entry = handles.transfers.find(message->easy_handle);
            if (entry == handles.transfers.end())
                continue;
            auto& transfer = *entry->second;
            classify(message->data.result, transfer.reply);
            curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &transfer.reply.status);
            if (transfer.tooLarge) {
                transfer.reply.outcome = HttpOutcome::tooLarge;
                transfer.reply.trouble = fmt::format("the reply is larger than {} bytes", transfer.largest);
            } else if (transfer.badAddress) {
                transfer.reply.outcome = HttpOutcome::refusedAddress;
                transfer.reply.trouble = "the name leads to an address that is not spoken to (link-local, or 'localhost' elsewhere)";
            } else if (transfer.reply.outcome == HttpOutcome::tooSlow) {
                transfer.reply.trouble = transfer.firstByte
                                             ? fmt::format("the whole reply took longer than {} s", m_limits.replySeconds)
                                             : fmt::format("no connection or no reply within {:.3g} s", secondsSince(transfer.started));
            }
            out.emplace_back(transfer.id, std::move(transfer.reply));
            handles.remove(message->easy_handle);
        }
        std::vector<CURL*> silent;
        for (const auto& [easy, transfer] : handles.transfers)
            if (!transfer->firstByte && secondsSince(transfer->started) > m_limits.firstByteSeconds)
                silent.push_back(easy);
        for (CURL* easy : silent) {
            HttpReply reply;
            reply.outcome = HttpOutcome::tooSlow;
            reply.trouble = fmt::format("the reply had not begun after {} s", m_limits.firstByteSeconds);
            out.emplace_back(handles.transfers.at(easy)->id, std::move(reply));
            handles.remove(easy);
        }
        const auto left2 = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        if (!out.empty() || handles.transfers.empty() || left2 <= 0)
            return out;
        curl_multi_poll(handles.multi, nullptr, 0, static_cast<int>(std::min<std::int64_t>(left2, 20)), nullptr);
    }
}

} // namespace carousel::server
