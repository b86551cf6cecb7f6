// SPDX-License-Identifier: GPL-3.0-or-later
// Drives llama.cpp's library on the task that bench_llm.py hands out, with what its interface offers for it: one prefix, copied to many
// sequences that share its cells, the candidates' tokens of a group in one batch. Compiled by make_peers.sh, not part of the program's
// build.
//
//   peer_llama quantise FROM.gguf TO.gguf bf16|f32|q8_0
//   peer_llama serve MODEL.gguf TASK.txt THREADS GROUP UBATCH      commands on stdin, one JSON object on stdout for each:
//     score P | naive P CANDIDATES | prefill TOKENS | decode P TOKENS
// TASK.txt: answers, prompts, then for each prompt its prefix and its candidates, every list of ids as "count id id ...".
#include "llama.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace {

using Ids = std::vector<llama_token>;
struct Prompt {
    Ids prefix;
    std::vector<Ids> candidates;
};
struct Task {
    Ids answers;
    std::vector<Prompt> prompts;
};

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Ids readIds(std::istream& in) {
    std::size_t count = 0;
    in >> count;
    Ids ids(count);
    for (llama_token& id : ids)
        in >> id;
    return ids;
}

Task readTask(const char* path) {
    std::ifstream in(path);
    Task task;
    std::size_t prompts = 0, candidates = 0;
    task.answers = readIds(in);
    in >> prompts;
    for (std::size_t p = 0; p < prompts; ++p) {
        Prompt prompt;
        prompt.prefix = readIds(in);
        in >> candidates;
        for (std::size_t c = 0; c < candidates; ++c)
            prompt.candidates.push_back(readIds(in));
        task.prompts.push_back(std::move(prompt));
    }
    if (!in || task.answers.size() != 2)
        throw std::runtime_error(std::string(path) + " is no task file");
    return task;
}

class Engine {
public:
    Engine(const char* model, Task task, int threads, int group, int ubatch) : m_task(std::move(task)), m_group(group) {
        const double begin = now();
        llama_model_params modelParameters = llama_model_default_params();
        modelParameters.n_gpu_layers = 0;
        m_model = llama_model_load_from_file(model, modelParameters);
        if (!m_model)
            throw std::runtime_error(std::string("cannot load ") + model);
        loadSeconds = now() - begin;
        std::size_t longestPrefix = 0, longestCandidate = 0;
        for (const Prompt& prompt : m_task.prompts) {
            longestPrefix = std::max(longestPrefix, prompt.prefix.size());
            for (const Ids& ids : prompt.candidates)
                longestCandidate = std::max(longestCandidate, ids.size());
        }
        llama_context_params parameters = llama_context_default_params(); // flash attention stays "auto"
        parameters.n_threads = parameters.n_threads_batch = threads;
        parameters.no_perf = true;
        parameters.kv_unified = true;
        parameters.n_seq_max = static_cast<std::uint32_t>(group + 1);
        const std::size_t cells = std::max<std::size_t>(1024, longestPrefix + static_cast<std::size_t>(group) * longestCandidate);
        parameters.n_ctx = static_cast<std::uint32_t>((cells + 255) / 256 * 256);
        parameters.n_batch = 4096;
        parameters.n_ubatch = static_cast<std::uint32_t>(ubatch);
        m_context = llama_init_from_model(m_model, parameters);
        if (!m_context)
            throw std::runtime_error("no context");
        m_memory = llama_get_memory(m_context);
        m_batch = llama_batch_init(4096, 0, 1);
        m_vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(m_model));
    }

    // One user: the prefix once, then groups of candidates.
    std::vector<double> score(std::size_t p) {
        const Prompt& prompt = m_task.prompts.at(p);
        llama_memory_clear(m_memory, true);
        add(prompt.prefix, 0, 0, false);
        run();
        std::vector<double> scores;
        for (std::size_t first = 0; first < prompt.candidates.size(); first += static_cast<std::size_t>(m_group)) {
            const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(m_group), prompt.candidates.size() - first);
            std::vector<int> last;
            for (std::size_t i = 0; i < count; ++i) {
                const auto sequence = static_cast<llama_seq_id>(i + 1);
                llama_memory_seq_rm(m_memory, sequence, -1, -1);
                llama_memory_seq_cp(m_memory, 0, sequence, -1, -1);
                last.push_back(add(prompt.candidates[first + i], static_cast<llama_pos>(prompt.prefix.size()), sequence, true));
            }
            run();
            for (const int at : last)
                scores.push_back(answer(at));
        }
        return scores;
    }

    // One whole prompt for each of the first candidates.
    std::vector<double> naive(std::size_t p, std::size_t count) {
        const Prompt& prompt = m_task.prompts.at(p);
        std::vector<double> scores;
        for (std::size_t i = 0; i < std::min(count, prompt.candidates.size()); ++i) {
            llama_memory_clear(m_memory, true);
            add(prompt.prefix, 0, 0, false);
            const int at = add(prompt.candidates[i], static_cast<llama_pos>(prompt.prefix.size()), 0, true);
            run();
            scores.push_back(answer(at));
        }
        return scores;
    }

    void prefill(std::size_t tokens) {
        llama_memory_clear(m_memory, true);
        Ids ids;
        for (std::size_t p = 0; ids.size() < tokens; p = (p + 1) % m_task.prompts.size())
            ids.insert(ids.end(), m_task.prompts[p].prefix.begin(), m_task.prompts[p].prefix.end());
        ids.resize(tokens);
        add(ids, 0, 0, true);
        run();
    }

    // Seconds of the greedy tokens alone, each of them chosen from all logits.
    double decode(std::size_t p, int tokens) {
        llama_memory_clear(m_memory, true);
        const Ids& prefix = m_task.prompts.at(p).prefix;
        int at = add(prefix, 0, 0, true);
        run();
        const double begin = now();
        for (int i = 0; i < tokens; ++i) {
            const float* logits = llama_get_logits_ith(m_context, at);
            const auto next = static_cast<llama_token>(std::max_element(logits, logits + m_vocabulary) - logits);
            at = add({next}, static_cast<llama_pos>(prefix.size()) + i, 0, true);
            run();
        }
        return now() - begin;
    }

    double loadSeconds = 0;

private:
    int add(const Ids& ids, llama_pos position, llama_seq_id sequence, bool lastLogits) { // place of the last token in the batch
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const int at = m_batch.n_tokens++;
            m_batch.token[at] = ids[i];
            m_batch.pos[at] = position + static_cast<llama_pos>(i);
            m_batch.n_seq_id[at] = 1;
            m_batch.seq_id[at][0] = sequence;
            m_batch.logits[at] = lastLogits && i + 1 == ids.size();
        }
        return m_batch.n_tokens - 1;
    }
    void run() {
        if (const int code = llama_decode(m_context, m_batch); code != 0)
            throw std::runtime_error("llama_decode gave " + std::to_string(code));
        m_batch.n_tokens = 0;
        llama_synchronize(m_context);
    }
    double answer(int at) {
        const float* logits = llama_get_logits_ith(m_context, at);
        return static_cast<double>(logits[m_task.answers[0]]) - static_cast<double>(logits[m_task.answers[1]]);
    }

    Task m_task;
    int m_group, m_vocabulary = 0;
    llama_model* m_model = nullptr;
    llama_context* m_context = nullptr;
    llama_memory_t m_memory = nullptr;
    llama_batch m_batch{};
};

void reply(double seconds, const std::vector<double>& scores) {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    std::printf("{\"seconds\": %.6f, \"peak_bytes\": %lld, \"scores\": [", seconds, static_cast<long long>(used.ru_maxrss) * 1024);
    for (std::size_t i = 0; i < scores.size(); ++i)
        std::printf("%s%.7g", i ? ", " : "", scores[i]);
    std::printf("]}\n");
    std::fflush(stdout);
}

int quantise(const char* from, const char* to, const std::string& type) {
    llama_model_quantize_params parameters = llama_model_quantize_default_params();
    parameters.allow_requantize = true;
    parameters.ftype = type == "bf16" ? LLAMA_FTYPE_MOSTLY_BF16 : type == "f32" ? LLAMA_FTYPE_ALL_F32 : LLAMA_FTYPE_MOSTLY_Q8_0;
    return llama_model_quantize(from, to, &parameters) == 0 ? 0 : 1;
}

int serve(char** arguments) {
    Engine engine(arguments[0], readTask(arguments[1]), std::atoi(arguments[2]), std::atoi(arguments[3]), std::atoi(arguments[4]));
    reply(engine.loadSeconds, {});
    for (std::string command; std::cin >> command;) {
        std::size_t first = 0, second = 0;
        std::cin >> first;
        if (command == "naive" || command == "decode")
            std::cin >> second;
        const double begin = now();
        std::vector<double> scores;
        double seconds = -1;
        if (command == "score")
            scores = engine.score(first);
        else if (command == "naive")
            scores = engine.naive(first, second);
        else if (command == "prefill")
            engine.prefill(first);
        else if (command == "decode")
            seconds = engine.decode(first, static_cast<int>(second));
        else
            throw std::runtime_error("unknown command " + command);
        reply(seconds < 0 ? now() - begin : seconds, scores);
    }
    return 0;
}

} // namespace

int main(int count, char** arguments) {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    llama_backend_init();
    try {
        const std::string mode = count > 1 ? arguments[1] : "";
        if (mode == "quantise" && count == 5)
            return quantise(arguments[2], arguments[3], arguments[4]);
        if (mode == "serve" && count == 7)
            return serve(arguments + 2);
        std::fprintf(stderr, "usage: peer_llama quantise FROM TO bf16|f32|q8_0 | peer_llama serve MODEL TASK THREADS GROUP UBATCH\n");
        return 2;
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "peer_llama: %s\n", thrown.what());
        return 1;
    }
}
