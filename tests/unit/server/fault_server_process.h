// SPDX-License-Identifier: GPL-3.0-or-later
// fault_server.py beside this file, running for the length of a test.
#pragma once
#include "server/http_client.h"
#include <QByteArray>
#include <QProcess>
#include <nlohmann/json.hpp>

namespace carousel {

class FaultServer {
public:
    // Empty when it runs; else why it does not.
    std::string start() {
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_process.start("python3", {CAROUSEL_SOURCE_DIR "/tests/unit/server/fault_server.py"});
        if (!m_process.waitForStarted(10000) || !m_process.waitForReadyRead(20000))
            return "python3 does not start fault_server.py";
        const auto said = nlohmann::json::parse(m_process.readLine().toStdString(), nullptr, false);
        if (!said.is_object())
            return "fault_server.py said something else than its ports";
        port = said.value("port", 0);
        return {};
    }
    ~FaultServer() {
        m_process.closeWriteChannel(); // it ends when its input does
        if (!m_process.waitForFinished(5000))
            m_process.kill();
        m_process.waitForFinished(2000);
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }
    void set(const nlohmann::json& what) { ask("POST", "/__set", what.dump()); }
    nlohmann::json state() { return nlohmann::json::parse(ask("GET", "/__state", ""), nullptr, false); }
    int count(const char* what) { return state().value(what, -1); }

    int port = 0;

private:
    std::string ask(const char* method, const char* route, const std::string& body) {
        if (!m_http) // kept, and with it the connection: a test asks hundreds of times
            m_http = std::make_unique<server::HttpClient>(*server::parseServerUrl(url()), m_noKey, server::HttpLimits());
        if (!m_http->start(0, {method, route, body}))
            return {};
        for (int i = 0; i < 400; ++i)
            for (auto& [id, reply] : m_http->finished(50))
                return reply.body;
        m_http.reset();
        return {};
    }
    QProcess m_process;
    const server::SecretKey m_noKey;
    std::unique_ptr<server::HttpClient> m_http;
};

} // namespace carousel
