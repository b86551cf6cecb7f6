// SPDX-License-Identifier: GPL-3.0-or-later
// Appends users to a run without end and prints "ACK user" after each commit, until it is killed. Used by test_store_crash.
#include "store_samples.h"
#include <algorithm>
#include <cstdio>

using namespace carousel;

int main(int argc, char** argv) {
    if (argc != 2)
        return 2;
    auto store = ProjectStore::open(argv[1]);
    if (!store) {
        std::fprintf(stderr, "%s\n", describe(store.error()).c_str());
        return exitCode(store.error().kind);
    }
    const auto runs = (*store)->runs();
    if (!runs || runs->empty())
        return 1;
    const auto run = runs->front().id;
    if (!(*store)->reopenRun(run))
        return 1;
    const auto finished = (*store)->finishedUsers(run);
    if (!finished)
        return 1;
    std::printf("READY\n");
    std::fflush(stdout);
    for (Code user = 0; user < 1000000; user += 3) {
        std::vector<UserResult> batch;
        for (Code u = user; u < user + 3; ++u)
            if (!std::binary_search(finished->begin(), finished->end(), u))
                batch.push_back(madeResult(u));
        if (batch.empty())
            continue;
        if (const auto saved = (*store)->appendUsers(run, batch); !saved) {
            std::fprintf(stderr, "%s\n", describe(saved.error()).c_str());
            return 1;
        }
        for (const auto& result : batch)
            std::printf("ACK %d\n", result.user);
        std::fflush(stdout);
    }
    return 0;
}
