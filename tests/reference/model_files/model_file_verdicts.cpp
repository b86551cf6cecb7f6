// SPDX-License-Identifier: GPL-3.0-or-later
// Opens model files that come on standard input and says of each whether it is accepted: for check_model_files.py, under sanitizers too.
// Each file: a byte 'g' (GGUF) or 's' (safetensors), its length as 8 bytes, its bytes. Each answer: a line "accepted" or the error's code, and
// after "accepted" of a GGUF file what its use as a decoder and the reading of its tokenizer come to. Last line: the peak of memory in MB.
#include "llm/byte_level_bpe.h"
#include "llm/decoder_shape.h"
#include "llm/safetensors.h"
#include "llm/sentence_piece.h"
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace carousel;

namespace {

[[noreturn]] void broken(const std::string& what) {
    std::fprintf(stderr, "model_file_verdicts: %s\n", what.c_str());
    std::exit(1);
}

bool readAll(void* to, std::size_t bytes) {
    return std::fread(to, 1, bytes, stdin) == bytes;
}

// What was accepted must be readable to its last byte.
template <class File> void readTensors(const File& file, std::uint64_t size) {
    for (const TensorInfo& tensor : file.tensors()) {
        if (tensor.offset > size || tensor.bytes > size - tensor.offset)
            broken("an accepted tensor lies outside of the file");
        const auto raw = file.raw(tensor);
        if (!raw || raw->size() != tensor.bytes)
            broken("an accepted tensor cannot be read");
        const auto values = file.dequantised(tensor);
        if (values && values->size() != tensor.elements)
            broken("an accepted tensor gives another number of values");
        if (!values && values.error().code != "CL-2033" && values.error().code != "CL-2034")
            broken(describe(values.error()));
    }
}

template <class T> std::string codeOf(const Result<T>& result) {
    return result ? "yes" : result.error().code;
}

std::string verdictOfGguf(const std::string& path, std::uint64_t size) {
    const auto file = GgufFile::open(path);
    if (!file)
        return file.error().code;
    readTensors(*file, size);
    std::string verdict = "accepted decoder:" + codeOf(decoderShape(*file));
    const std::string text = "Some text, 12 <|im_end|> \xE2\x96\x81 \xFF";
    const auto bytes = ByteLevelBpe::fromGguf(*file);
    if (bytes)
        static_cast<void>((*bytes)->decode((*bytes)->encode(text)));
    const auto pieces = SentencePiece::fromGguf(*file);
    if (pieces)
        static_cast<void>((*pieces)->decode((*pieces)->encode(text)));
    return verdict + " bpe:" + codeOf(bytes) + " pieces:" + codeOf(pieces);
}

std::string verdictOfSafetensors(const std::string& path, std::uint64_t size) {
    const auto file = SafetensorsFile::open(path);
    if (!file)
        return file.error().code;
    readTensors(*file, size);
    return "accepted";
}

} // namespace

int main() {
    std::string bytes;
    for (char kind = 0; readAll(&kind, 1);) {
        std::uint64_t size = 0;
        if ((kind != 'g' && kind != 's') || !readAll(&size, 8) || size > (std::uint64_t(1) << 30))
            broken("the input is not files with their lengths");
        bytes.resize(static_cast<std::size_t>(size));
        if (!readAll(bytes.data(), bytes.size()))
            broken("the input ends within a file");
        const int memory = ::memfd_create("model", 0);
        if (memory < 0 || ::write(memory, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            broken("no file in memory can be made");
        const std::string path = "/proc/self/fd/" + std::to_string(memory);
        const std::string verdict = kind == 'g' ? verdictOfGguf(path, size) : verdictOfSafetensors(path, size);
        ::close(memory);
        std::printf("%s\n", verdict.c_str());
        std::fflush(stdout);
    }
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    std::printf("peak %ld\n", usage.ru_maxrss / 1024);
    return 0;
}
