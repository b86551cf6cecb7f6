// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/hash.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <openssl/evp.h>

namespace carousel {

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : m_state(std::make_unique<State>()) { EVP_DigestInit_ex(m_state->context, EVP_sha256(), nullptr); }
Sha256::~Sha256() = default;

Sha256& Sha256::add(std::string_view bytes) {
    EVP_DigestUpdate(m_state->context, bytes.data(), bytes.size());
    return *this;
}

Sha256& Sha256::addField(std::string_view text) { return add(std::to_string(text.size())).add(":").add(text); }

std::string Sha256::hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(m_state->context, digest, &length);
    std::string out;
    for (unsigned i = 0; i < length; ++i)
        out += fmt::format("{:02x}", digest[i]);
    return out;
}

std::string sha256(std::string_view bytes) { return Sha256().add(bytes).hex(); }

Result<std::string> sha256File(const std::string& path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file)
        return fail(ErrorKind::io, "CL-5001", fmt::format("Cannot read '{}': {}.", path, std::strerror(errno)), "Check the path and its permissions.");
    Sha256 hash;
    std::vector<char> buffer(1 << 20);
    for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0;)
        hash.add({buffer.data(), got});
    if (std::ferror(file.get()))
        return fail(ErrorKind::io, "CL-5001", fmt::format("Reading '{}' failed: {}.", path, std::strerror(errno)), "Check the disk.");
    return hash.hex();
}

} // namespace carousel
