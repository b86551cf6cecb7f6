// SPDX-License-Identifier: GPL-3.0-or-later
// A tree of groups of items that occur in the same histories: normalised spectral clustering (Ng, Jordan, Weiss, NIPS 2001) with groups
// assigned by pivoted QR (Damle, Minden, Ying, Information and Inference 2019), group by group until each is small.
#include "base/random.h"
#include "tasks/item_identifiers.h"
#include <Eigen/Dense>
#include <Eigen/SparseCore>
#include <Spectra/MatOp/SparseSymMatProd.h>
#include <Spectra/SymEigsSolver.h>
#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>

namespace carousel {

namespace {

using Counts = std::map<std::pair<Code, Code>, double>; // first < second

Counts occurTogether(std::span<const std::vector<Code>> histories) {
    Counts out;
    for (const auto& history : histories) {
        std::vector<Code> items(history);
        std::sort(items.begin(), items.end());
        items.erase(std::unique(items.begin(), items.end()), items.end());
        for (std::size_t i = 0; i < items.size(); ++i)
            for (std::size_t j = i + 1; j < items.size(); ++j)
                out[{items[i], items[j]}] += 1;
    }
    return out;
}

// Cut anywhere into `groups` equal parts: for items that nothing connects.
std::vector<int> evenParts(std::size_t n, int groups) {
    std::vector<int> out(n);
    for (std::size_t i = 0; i < n; ++i)
        out[i] = static_cast<int>(i * static_cast<std::size_t>(groups) / n);
    return out;
}

// The group of each of `items`, 0 .. groups-1.
std::vector<int> spectralGroups(const std::vector<Code>& items, const Counts& together, int groups, std::uint64_t seed) {
    const auto n = static_cast<Eigen::Index>(items.size());
    std::map<Code, int> place;
    for (std::size_t i = 0; i < items.size(); ++i)
        place[items[i]] = static_cast<int>(i);
    Eigen::VectorXd degree = Eigen::VectorXd::Constant(n, 1e-6); // an item that is connected with none of the others still has a row
    std::vector<Eigen::Triplet<double>> entries;
    for (const auto& [pair, count] : together) {
        const auto a = place.find(pair.first), b = place.find(pair.second);
        if (a == place.end() || b == place.end())
            continue;
        degree[a->second] += count;
        degree[b->second] += count;
        entries.emplace_back(a->second, b->second, count);
        entries.emplace_back(b->second, a->second, count);
    }
    if (entries.empty() || n <= groups + 1)
        return evenParts(items.size(), groups);
    for (auto& entry : entries)
        entry = {entry.row(), entry.col(), entry.value() / std::sqrt(degree[entry.row()] * degree[entry.col()])};
    for (Eigen::Index i = 0; i < n; ++i) // eigenvalues from 0 to 2: the largest are then those of largest magnitude
        entries.emplace_back(static_cast<int>(i), static_cast<int>(i), 1.0);
    Eigen::SparseMatrix<double> affinity(n, n);
    affinity.setFromTriplets(entries.begin(), entries.end());

    Spectra::SparseSymMatProd<double> product(affinity);
    const auto basis = std::min<Eigen::Index>(n, std::max<Eigen::Index>(2 * groups + 1, 40));
    Spectra::SymEigsSolver<Spectra::SparseSymMatProd<double>> solver(product, groups, basis);
    Eigen::VectorXd start(n);
    RandomStream random(seed, "tasks/spectral start", static_cast<std::uint64_t>(items.front()));
    for (Eigen::Index i = 0; i < n; ++i)
        start[i] = random.normal();
    solver.init(start.data());
    solver.compute(Spectra::SortRule::LargestAlge, 1000, 1e-8);
    if (solver.info() != Spectra::CompInfo::Successful)
        return evenParts(items.size(), groups);
    Eigen::MatrixXd vectors = solver.eigenvectors(groups); // n x groups
    // Items that stand for the groups are the first pivots; a rotation brings each group to one axis.
    const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> pivots(vectors.transpose());
    Eigen::MatrixXd chosen(groups, groups);
    for (int g = 0; g < groups; ++g)
        chosen.col(g) = vectors.row(pivots.colsPermutation().indices()[g]).transpose();
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(chosen, Eigen::ComputeFullU | Eigen::ComputeFullV);
    const Eigen::MatrixXd turned = (vectors * (svd.matrixU() * svd.matrixV().transpose())).cwiseAbs();
    std::vector<int> out(items.size());
    for (Eigen::Index i = 0; i < n; ++i) {
        Eigen::Index best = 0;
        turned.row(i).maxCoeff(&best);
        out[static_cast<std::size_t>(i)] = static_cast<int>(best);
    }
    if (std::set<int>(out.begin(), out.end()).size() < 2) // it must get smaller
        return evenParts(items.size(), groups);
    return out;
}

} // namespace

Result<ItemIdentifiers> collaborativeIdentifiers(std::size_t items, std::span<const std::vector<Code>> histories, int groups, int leaf,
                                                 std::uint64_t seed) {
    if (groups < 2 || leaf < groups)
        return fail(ErrorKind::usage, "CL-3112", fmt::format("{} branches with leaves of {} items make no tree.", groups, leaf),
                    "Use at least 2 branches, and leaves of at least as many items.");
    const Counts together = occurTogether(histories);
    std::vector<std::uint8_t> known(items, 0);
    for (const auto& history : histories)
        for (const Code item : history)
            known[static_cast<std::size_t>(item)] = 1;

    std::vector<std::string> path(items);
    std::set<int> used;
    int next = 0; // groups take symbols in turn, so that neighbours in the tree differ and all are used alike (OpenP5's scheme)
    const auto symbol = [&](int number) {
        used.insert(number % leaf);
        return fmt::format("<c{}>", number % leaf);
    };
    std::vector<Code> all, cold;
    for (std::size_t item = 0; item < items; ++item)
        (known[item] ? all : cold).push_back(static_cast<Code>(item));
    std::deque<std::vector<Code>> open;
    if (!all.empty())
        open.push_back(std::move(all));
    while (!open.empty()) {
        const std::vector<Code> group = std::move(open.front());
        open.pop_front();
        if (static_cast<int>(group.size()) <= leaf) {
            for (std::size_t i = 0; i < group.size(); ++i)
                path[static_cast<std::size_t>(group[i])] += symbol(static_cast<int>(i));
            continue;
        }
        const std::vector<int> part = spectralGroups(group, together, groups, seed);
        std::map<int, std::vector<Code>> parts;
        for (std::size_t i = 0; i < group.size(); ++i)
            parts[part[i]].push_back(group[i]);
        for (auto& [number, members] : parts) {
            const std::string own = symbol(next++);
            for (const Code item : members)
                path[static_cast<std::size_t>(item)] += own;
            open.push_back(std::move(members));
        }
    }
    std::vector<std::string> symbols;
    for (std::size_t i = 0; i < cold.size(); ++i) {
        std::string& own = path[static_cast<std::size_t>(cold[i])];
        own = "<cold>";
        for (std::size_t rest = i, digits = 0; digits == 0 || rest > 0; ++digits, rest /= static_cast<std::size_t>(leaf))
            own += symbol(static_cast<int>(rest % static_cast<std::size_t>(leaf)));
        own += "<end>"; // numbers of different length would else begin with each other
    }
    for (const int number : used)
        symbols.push_back(fmt::format("<c{}>", number));
    if (!cold.empty())
        symbols.insert(symbols.end(), {"<cold>", "<end>"});
    return ItemIdentifiers(std::move(path), std::move(symbols));
}

} // namespace carousel
