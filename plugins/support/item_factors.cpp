// SPDX-License-Identifier: GPL-3.0-or-later
// The singular vectors come as eigenvectors of R~^T R~ (items x items), which is never written down for a large catalogue: Lanczos with
// restarts needs its product with a vector alone.
#include "support/item_factors.h"
#include "base/random.h"
#include <Eigen/Dense>
#include <Spectra/SymEigsSolver.h>
#include <algorithm>
#include <cmath>

namespace carousel::plugin {

namespace {

constexpr std::size_t denseItems = 96; // as many and fewer: all eigenvectors at once
constexpr double leastSquare = 1e-8;   // smaller eigenvalues are taken for 0

struct Stopped {};

// What the users met, each item once, and how often each item was met.
struct Meetings {
    std::vector<std::size_t> start{0};
    std::vector<Code> items;
    std::vector<double> itemUsers;
    double entry(std::size_t user, Code item) const {
        return 1 / std::sqrt(static_cast<double>(start[user + 1] - start[user]) * itemUsers[static_cast<std::size_t>(item)]);
    }
};

// R~^T R~ as Spectra wants it.
class Operator {
public:
    using Scalar = double;
    Operator(const Meetings& met, const RunControl& control) : m_met(met), m_control(control) {}
    Eigen::Index rows() const { return static_cast<Eigen::Index>(m_met.itemUsers.size()); }
    Eigen::Index cols() const { return rows(); }
    void perform_op(const double* in, double* out) const {
        if (m_control.stopRequested())
            throw Stopped{};
        std::fill(out, out + rows(), 0.0);
        for (std::size_t user = 0; user + 1 < m_met.start.size(); ++user) {
            double sum = 0;
            for (auto at = m_met.start[user]; at < m_met.start[user + 1]; ++at)
                sum += m_met.entry(user, m_met.items[at]) * in[m_met.items[at]];
            for (auto at = m_met.start[user]; at < m_met.start[user + 1]; ++at)
                out[m_met.items[at]] += m_met.entry(user, m_met.items[at]) * sum;
        }
    }

private:
    const Meetings& m_met;
    const RunControl& m_control;
};

struct Eigenpairs { // falling values
    std::vector<double> values;
    Eigen::MatrixXd vectors;
};

Eigenpairs allOf(const Meetings& met) {
    const auto n = static_cast<Eigen::Index>(met.itemUsers.size());
    Eigen::MatrixXd square = Eigen::MatrixXd::Zero(n, n);
    for (std::size_t user = 0; user + 1 < met.start.size(); ++user)
        for (auto a = met.start[user]; a < met.start[user + 1]; ++a)
            for (auto b = met.start[user]; b < met.start[user + 1]; ++b)
                square(met.items[a], met.items[b]) += met.entry(user, met.items[a]) * met.entry(user, met.items[b]);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(square); // rising values
    Eigenpairs out;
    out.vectors = solved.eigenvectors().rowwise().reverse();
    for (Eigen::Index k = n; k-- > 0;)
        out.values.push_back(solved.eigenvalues()[k]);
    return out;
}

Result<Eigenpairs> leading(const Meetings& met, std::size_t width, std::uint64_t seed, const RunControl& control) {
    const auto n = static_cast<Eigen::Index>(met.itemUsers.size()), wanted = static_cast<Eigen::Index>(width);
    Operator product(met, control);
    Spectra::SymEigsSolver<Operator> solver(product, wanted, std::min(n, std::max<Eigen::Index>(2 * wanted + 10, 32)));
    RandomStream random(seed, "item factors");
    std::vector<double> start(met.itemUsers.size());
    for (double& value : start)
        value = random.uniform() - 0.5;
    solver.init(start.data());
    solver.compute(Spectra::SortRule::LargestAlge, 300, 1e-9);
    if (solver.info() != Spectra::CompInfo::Successful)
        return fail(ErrorKind::internal, "CL-6076",
                    fmt::format("The {} leading factors of {} items did not settle within 300 restarts.", width, n),
                    "Ask for fewer factors.");
    const auto values = solver.eigenvalues();
    return Eigenpairs{{values.begin(), values.end()}, solver.eigenvectors()};
}

} // namespace

Result<ItemFactors> ItemFactors::build(const TrainingView& training, EventChoice events, std::size_t width, std::uint64_t seed,
                                       const RunControl& control) {
    ItemFactors out;
    out.events = events;
    Meetings met;
    met.itemUsers.assign(training.itemCount(), 0);
    for (Code user = 0; user < static_cast<Code>(training.userCount()); ++user) {
        if (user % 1024 == 0 && control.stopRequested())
            return fail(RunControl::cancelled("Reading histories"));
        const auto items = sequenceOf(training, user, events, 0, true);
        for (const auto item : items)
            met.itemUsers[static_cast<std::size_t>(item)] += 1;
        met.items.insert(met.items.end(), items.begin(), items.end());
        met.start.push_back(met.items.size());
    }
    const auto n = training.itemCount();
    Eigenpairs pairs;
    try {
        if (n <= std::max(denseItems, 2 * width)) {
            pairs = allOf(met);
        } else {
            CAROUSEL_ASSIGN(pairs, leading(met, width, seed, control));
        }
    } catch (const Stopped&) {
        return fail(RunControl::cancelled("Finding factors"));
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal, "CL-6076", fmt::format("The leading factors of {} items cannot be found: {}.", n, error.what()),
                    "Ask for fewer factors.");
    }
    while (out.singular.size() < std::min(width, pairs.values.size()) && pairs.values[out.singular.size()] > leastSquare)
        out.singular.push_back(std::sqrt(pairs.values[out.singular.size()]));
    out.items = Matrix(n, out.singular.size());
    for (std::size_t k = 0; k < out.singular.size(); ++k) {
        const auto column = pairs.vectors.col(static_cast<Eigen::Index>(k));
        Eigen::Index largest = 0;
        column.cwiseAbs().maxCoeff(&largest);
        const double scale = (column[largest] < 0 ? -1 : 1) * std::sqrt(out.singular[k]);
        for (std::size_t i = 0; i < n; ++i)
            out.items.row(i)[k] = static_cast<float>(met.itemUsers[i] > 0 ? scale * column[static_cast<Eigen::Index>(i)] : 0);
    }
    out.itemUsers = std::move(met.itemUsers);
    return out;
}

std::vector<float> ItemFactors::vectorOf(std::span<const Code> met) const {
    std::vector<double> sum(width(), 0);
    for (const auto item : met) {
        const auto i = static_cast<std::size_t>(item);
        if (!(itemUsers[i] > 0))
            continue;
        const double entry = 1 / std::sqrt(static_cast<double>(met.size()) * itemUsers[i]);
        for (std::size_t k = 0; k < sum.size(); ++k)
            sum[k] += entry * items.row(i)[k] / singular[k];
    }
    return {sum.begin(), sum.end()};
}

std::vector<float> ItemFactors::userVector(const TrainingView& training, Code user, std::size_t before) const {
    std::vector<Code> met;
    std::vector<std::size_t> places = placesOf(training, user, events, 0, false);
    for (const auto place : places)
        if (place < before)
            met.push_back(training.historyItems(user)[place]);
    std::sort(met.begin(), met.end());
    met.erase(std::unique(met.begin(), met.end()), met.end());
    return vectorOf(met);
}

} // namespace carousel::plugin
