// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/signals.h"
#include <atomic>
#include <csignal>
#include <unistd.h>

namespace carousel::cli {

namespace {
std::stop_source* source = nullptr; // set before the handlers are installed, never freed
std::atomic<int> received = 0;

// request_stop() is an atomic exchange as long as no stop_callback is registered, and the headless program registers none.
void onSignal(int number) {
    int none = 0;
    if (!received.compare_exchange_strong(none, number))
        ::_exit(128 + number);
    constexpr char note[] = "\nStopping after this batch; once more to leave at once.\n";
    (void)!::write(STDERR_FILENO, note, sizeof note - 1);
    source->request_stop();
}
} // namespace

std::stop_token stopOnSignals() {
    if (!source) {
        source = new std::stop_source;
        struct sigaction action {};
        action.sa_handler = onSignal;
        sigemptyset(&action.sa_mask);
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGINT, &action, nullptr);
        ::sigaction(SIGTERM, &action, nullptr);
    }
    return source->get_token();
}

int stopSignal() { return received.load(); }

} // namespace carousel::cli
