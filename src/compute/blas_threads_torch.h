// SPDX-License-Identifier: GPL-3.0-or-later
// OpenBLAS, which LibTorch multiplies with on Debian, has one number of threads for the whole process, whatever OpenMP is told.
#pragma once

namespace carousel {

// While one of these lives, OpenBLAS multiplies with one thread; afterwards with as many as before. For work whose products are so small
// that threads would only wait for each other. Other work of the process then multiplies with one thread too. Without OpenBLAS nothing
// happens: other libraries go by OpenMP's number. From any thread.
class OneBlasThread {
public:
    explicit OneBlasThread(bool wanted = true);
    ~OneBlasThread();
    OneBlasThread(const OneBlasThread&) = delete;
    OneBlasThread& operator=(const OneBlasThread&) = delete;

private:
    bool m_counted;
};

} // namespace carousel
