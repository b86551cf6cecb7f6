// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/statistics/proportion.h"
#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace carousel {

Interval clopperPearson(double hits, double n, double confidence) {
    using boost::math::binomial;
    if (!(n > 0))
        return noInterval();
    const double tail = (1 - confidence) / 2;
    return {hits > 0 ? binomial::find_lower_bound_on_p(n, hits, tail) : 0, hits < n ? binomial::find_upper_bound_on_p(n, hits, tail) : 1};
}

Interval wilson(double hits, double n, double confidence) {
    if (!(n > 0))
        return noInterval();
    const double z = boost::math::quantile(boost::math::normal(), 0.5 + confidence / 2), share = hits / n, scale = 1 + z * z / n;
    const double middle = (share + z * z / (2 * n)) / scale, reach = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale;
    return {std::max(0.0, middle - reach), std::min(1.0, middle + reach)};
}

} // namespace carousel
