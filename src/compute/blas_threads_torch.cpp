// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/blas_threads_torch.h"
#include <mutex>

// Absent where the BLAS is another one.
extern "C" {
__attribute__((weak)) void openblas_set_num_threads(int);
__attribute__((weak)) int openblas_get_num_threads();
}

namespace carousel {

namespace {
std::mutex mutex;
int wanting = 0, before = 1;
} // namespace

OneBlasThread::OneBlasThread(bool wanted) : m_counted(wanted && openblas_set_num_threads && openblas_get_num_threads) {
    if (!m_counted)
        return;
    const std::scoped_lock lock(mutex);
    if (wanting++ == 0) {
        before = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
}

OneBlasThread::~OneBlasThread() {
    if (!m_counted)
        return;
    const std::scoped_lock lock(mutex);
    if (--wanting == 0)
        openblas_set_num_threads(before);
}

} // namespace carousel
