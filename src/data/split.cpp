// SPDX-License-Identifier: GPL-3.0-or-later
// Splits by time. Every method ends with the same promise: a target is liked, is not among the items the user is known to have met, and
// appears once. What an earlier neutral event (a view) would give away about a target is set aside rather than trained on.
#include "data/split.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/event_order.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace carousel {

const char* name(SplitMethod method) {
    switch (method) {
    case SplitMethod::leaveOneOut:
        return "leave-one-out";
    case SplitMethod::ratioByTimeGlobal:
        return "ratio-global";
    case SplitMethod::ratioByTimePerUser:
        return "ratio-user";
    }
    return "leave-one-out";
}

Result<SplitMethod> splitMethod(const std::string& text) {
    for (const auto method : {SplitMethod::leaveOneOut, SplitMethod::ratioByTimeGlobal, SplitMethod::ratioByTimePerUser})
        if (text == name(method))
            return method;
    return fail(ErrorKind::usage, "CL-3011",
                fmt::format("There is no split method '{}'. Known: leave-one-out, ratio-global, ratio-user.", text),
                "Name one of the known methods.");
}

namespace {

// What an event says about its item, as far as targets are concerned.
enum class Stance : std::uint8_t { neutral, liked, disliked };

struct Splitter {
    const Dataset& dataset;
    const SplitSpec& spec;
    Split& split;
    std::vector<Stance> stance;
    std::size_t setAside = 0, shortUsers = 0;

    const InteractionTable& events() const { return dataset.interactions; }
    Code item(std::size_t row) const { return events().item[row]; }

    void setAsideNeutral(std::span<const std::size_t> rows, Code wanted) {
        for (const auto row : rows)
            if (item(row) == wanted && split.part[row] != Part::unused) {
                split.part[row] = Part::unused;
                ++setAside;
            }
    }
    std::size_t trainCount(std::span<const std::size_t> rows) const {
        return static_cast<std::size_t>(
            std::count_if(rows.begin(), rows.end(), [&](std::size_t row) { return split.part[row] == Part::train; }));
    }

    // Position of the first event with an opinion about each item: a liked event is fresh when it is that event.
    std::unordered_map<Code, std::size_t> firstJudged;
    void judge(std::span<const std::size_t> rows) {
        firstJudged.clear();
        for (std::size_t p = 0; p < rows.size(); ++p)
            if (stance[rows[p]] != Stance::neutral)
                firstJudged.emplace(item(rows[p]), p);
    }
    // Newest fresh liked row before `end`; `end` when there is none. Repeats passed over are counted.
    std::size_t lastFresh(std::span<const std::size_t> rows, std::size_t end) {
        for (std::size_t p = end; p-- > 0;) {
            if (stance[rows[p]] != Stance::liked)
                continue;
            if (firstJudged.at(item(rows[p])) == p)
                return p;
            ++split.repeatTargetsDropped;
        }
        return end;
    }

    void leaveOneOut(std::size_t user, std::span<const std::size_t> rows) {
        const auto repeatsBefore = split.repeatTargetsDropped;
        const auto minimum = static_cast<std::size_t>(std::max(spec.minimumHistory, 0));
        judge(rows);
        const auto p = lastFresh(rows, rows.size());
        if (p == rows.size()) {
            split.repeatTargetsDropped = repeatsBefore;
            return;
        }
        const auto repeats = split.repeatTargetsDropped;
        for (const auto row : rows.subspan(p))
            split.part[row] = Part::unused;
        const auto asideBefore = setAside;
        setAsideNeutral(rows.first(p), item(rows[p]));
        if (trainCount(rows.first(p)) < minimum) { // too little to learn from: the user trains, but is not tested
            for (const auto row : rows)
                split.part[row] = Part::train;
            setAside = asideBefore;
            split.repeatTargetsDropped = repeatsBefore;
            ++shortUsers;
            return;
        }
        split.part[rows[p]] = Part::test;
        split.testTargets[user] = {item(rows[p])};

        auto q = lastFresh(rows, p);
        // Rows with the test item are set aside already, so a fresh liked row here has another item.
        if (q == p) {
            split.repeatTargetsDropped = repeats;
            return;
        }
        std::vector<std::size_t> aside;
        for (const auto row : rows.first(q))
            if (item(row) == item(rows[q]) && split.part[row] == Part::train)
                aside.push_back(row);
        if (trainCount(rows.first(q)) - aside.size() < minimum) {
            split.repeatTargetsDropped = repeats;
            return;
        }
        setAside += aside.size();
        for (const auto row : aside)
            split.part[row] = Part::unused;
        for (const auto row : rows.subspan(q, p - q)) // everything between the two targets is known only when refitting
            if (split.part[row] == Part::train)
                split.part[row] = Part::validation;
        split.validationTargets[user] = {item(rows[q])};
    }

    // rows[0, a) train, [a, b) validation, [b, end) test.
    void ratio(std::size_t user, std::span<const std::size_t> rows, std::size_t a, std::size_t b) {
        for (std::size_t p = 0; p < rows.size(); ++p)
            split.part[rows[p]] = p < a ? Part::train : (p < b ? Part::validation : Part::unused);
        struct State {
            bool judged = false, target = false;
            std::vector<std::size_t> neutral;
        };
        std::unordered_map<Code, State> states;
        std::vector<std::pair<std::size_t, bool>> fresh; // row, is test
        for (std::size_t p = 0; p < rows.size(); ++p) {
            auto& state = states[item(rows[p])];
            const auto row = rows[p];
            if (p >= a && stance[row] == Stance::liked) {
                if (state.judged)
                    ++split.repeatTargetsDropped;
                else
                    fresh.emplace_back(row, p >= b);
            }
            if (stance[row] == Stance::neutral && p < b)
                state.neutral.push_back(row);
            state.judged = state.judged || stance[row] != Stance::neutral;
        }
        if (fresh.empty())
            return;
        const auto asideBefore = setAside;
        std::vector<std::pair<std::size_t, Part>> undo;
        for (const auto& [row, isTest] : fresh)
            for (const auto neutral : states[item(row)].neutral)
                if (neutral != row && (isTest || split.part[neutral] == Part::train) && split.part[neutral] != Part::unused) {
                    undo.emplace_back(neutral, split.part[neutral]);
                    split.part[neutral] = Part::unused;
                    ++setAside;
                }
        if (trainCount(rows.first(a)) < static_cast<std::size_t>(std::max(spec.minimumHistory, 0))) {
            for (const auto& [row, part] : undo)
                split.part[row] = part;
            setAside = asideBefore;
            ++shortUsers;
            return;
        }
        for (const auto& [row, isTest] : fresh) {
            split.part[row] = isTest ? Part::test : Part::validation;
            (isTest ? split.testTargets : split.validationTargets)[user].push_back(item(row));
        }
    }
};

std::string digestOf(const Split& split) {
    Sha256 hash;
    hash.addField("carousel split 1").addField(name(split.spec.method)).addField(split.spec.targetModel);
    hash.addField(fmt::format("{} {} {} {}", split.spec.testShare, split.spec.validationShare, split.spec.minimumHistory, split.spec.seed));
    hash.addValues(std::span<const Part>(split.part));
    for (const auto* targets : {&split.validationTargets, &split.testTargets}) {
        hash.add("|");
        for (const auto& items : *targets)
            hash.add(std::to_string(items.size())).add(";").addValues(std::span<const Code>(items));
    }
    return hash.hex();
}

Result<void> checkSpec(const SplitSpec& spec) {
    if (spec.method == SplitMethod::leaveOneOut)
        return {};
    if (!(spec.testShare > 0) || !(spec.validationShare >= 0) || !(spec.testShare + spec.validationShare < 1))
        return fail(ErrorKind::usage, "CL-1032",
                    fmt::format("Shares of {} for the test and {} for the validation part leave no training part.", spec.testShare,
                                spec.validationShare),
                    "Give a test share above 0 and a sum below 1, for example 0.1 and 0.1.");
    return {};
}

// Leave-one-out can hold out a random event when nothing has a time; a ratio by time cannot.
Result<bool> checkTimes(const Dataset& dataset, const SplitSpec& spec) {
    const auto& times = dataset.interactions.time;
    const auto without = std::count(times.begin(), times.end(), noTime);
    const bool none = static_cast<std::size_t>(without) == times.size();
    if (without == 0 || (none && spec.method == SplitMethod::leaveOneOut))
        return without == 0;
    return fail(ErrorKind::input, "CL-1030",
                fmt::format("{} of the {} interactions of data set '{}' have no time, and the split '{}' needs times.",
                            withThousands(without), withThousands(static_cast<std::int64_t>(times.size())), dataset.name,
                            name(spec.method)),
                none ? "Use leave-one-out, which holds out a random liked interaction when there are no times."
                     : "Import the file with its time column, or leave out the rows without a time.");
}

void audit(const Dataset& dataset, Split& split, const UserOrder& order) {
    const auto& events = dataset.interactions;
    std::int64_t earliestTest = std::numeric_limits<std::int64_t>::max();
    for (std::size_t row = 0; row < events.size(); ++row) {
        split.trainRows += split.part[row] == Part::train;
        split.validationRows += split.part[row] == Part::validation;
        split.testRows += split.part[row] == Part::test;
        if (split.part[row] == Part::test)
            earliestTest = std::min(earliestTest, events.time[row]);
    }
    std::size_t later = 0;
    for (std::size_t row = 0; row < events.size(); ++row)
        later += split.part[row] == Part::train && events.time[row] > earliestTest;
    split.globalLeakShare = split.trainRows > 0 ? static_cast<double>(later) / static_cast<double>(split.trainRows) : 0;
    for (std::size_t u = 0; u + 1 < order.offsets.size(); ++u) {
        const auto rows = order.of(u);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto time = events.time[rows[i]];
            split.tiedTimes += (i > 0 && events.time[rows[i - 1]] == time) || (i + 1 < rows.size() && events.time[rows[i + 1]] == time);
        }
    }
    for (const auto& targets : split.testTargets)
        split.usersWithTarget += !targets.empty();
}

void addNotes(Split& split, const Splitter& splitter, bool timed) {
    auto count = [](std::size_t n) { return withThousands(static_cast<std::int64_t>(n)); };
    if (!timed)
        split.notes.push_back("No times: a random liked interaction of each user is held out, drawn from the seed.");
    else if (split.tiedTimes > 0)
        split.notes.push_back(fmt::format(
            "{} interactions share their time with another of the same user; their order is drawn from the seed.", count(split.tiedTimes)));
    if (split.repeatTargetsDropped > 0)
        split.notes.push_back(fmt::format("{} liked interactions repeat an item the user had judged before and are no targets.",
                                          count(split.repeatTargetsDropped)));
    if (splitter.setAside > 0)
        split.notes.push_back(fmt::format(
            "{} earlier neutral events (such as views) with a target item are set aside, so that the target is new to the user.",
            count(splitter.setAside)));
    if (splitter.shortUsers > 0)
        split.notes.push_back(fmt::format("{} users have fewer than {} training interactions and are not tested.",
                                          count(splitter.shortUsers), split.spec.minimumHistory));
    if (split.globalLeakShare > 0)
        split.notes.push_back(fmt::format(
            "{}% of the training interactions are later than the earliest test interaction: a split per user, not a replay of history.",
            threeFigures(100 * split.globalLeakShare)));
}

} // namespace

Result<Split> makeSplit(const Dataset& dataset, const SplitSpec& spec, const RunControl& control) {
    CAROUSEL_TRY(checkSpec(spec));
    CAROUSEL_ASSIGN(const EventModel model, presetEventModel(spec.targetModel));
    CAROUSEL_ASSIGN(const Feedback feedback, applyEventModel(dataset, model));
    CAROUSEL_ASSIGN(const bool timed, checkTimes(dataset, spec));
    const auto& events = dataset.interactions;
    Split split;
    split.spec = spec;
    split.part.assign(events.size(), Part::train);
    split.validationTargets.resize(dataset.users.size());
    split.testTargets.resize(dataset.users.size());
    Splitter splitter{dataset, spec, split, std::vector<Stance>(events.size(), Stance::neutral)};
    for (std::size_t i = 0; i < feedback.size(); ++i) {
        auto& stance = splitter.stance[static_cast<std::size_t>(feedback.row[i])];
        if (feedback.preference[i] >= model.positiveFrom)
            stance = Stance::liked;
        else if (feedback.preference[i] <= model.negativeUpTo)
            stance = Stance::disliked;
    }
    const auto keys = tieKeys(spec.seed, events.size());
    const auto order = orderByUser(dataset, keys);

    std::vector<std::uint8_t> range; // ratio-global: 0 train, 1 validation, 2 test, per row
    auto share = [](std::size_t n, double part) { return static_cast<std::size_t>(std::llround(static_cast<double>(n) * part)); };
    if (spec.method == SplitMethod::ratioByTimeGlobal) {
        std::vector<std::size_t> all(events.size());
        std::iota(all.begin(), all.end(), std::size_t(0));
        std::sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
            return events.time[a] != events.time[b] ? events.time[a] < events.time[b] : (keys[a] != keys[b] ? keys[a] < keys[b] : a < b);
        });
        const auto test = share(all.size(), spec.testShare),
                   validation = std::min(share(all.size(), spec.validationShare), all.size() - test);
        range.assign(all.size(), 0);
        for (std::size_t i = all.size() - test - validation; i < all.size(); ++i)
            range[all[i]] = i < all.size() - test ? 1 : 2;
    }
    for (std::size_t u = 0; u < dataset.users.size(); ++u) {
        if (u % 1024 == 0) {
            if (control.stopRequested())
                return fail(RunControl::cancelled("The split"));
            control.report("Splitting", static_cast<double>(u), static_cast<double>(dataset.users.size()), "users");
        }
        const auto rows = order.of(u);
        if (rows.empty())
            continue;
        if (spec.method == SplitMethod::leaveOneOut) {
            splitter.leaveOneOut(u, rows);
        } else if (spec.method == SplitMethod::ratioByTimePerUser) {
            const auto test = share(rows.size(), spec.testShare),
                       validation = std::min(share(rows.size(), spec.validationShare), rows.size() - test);
            splitter.ratio(u, rows, rows.size() - test - validation, rows.size() - test);
        } else {
            auto count = [&](int upTo) {
                return static_cast<std::size_t>(
                    std::count_if(rows.begin(), rows.end(), [&](std::size_t row) { return range[row] <= upTo; }));
            };
            splitter.ratio(u, rows, count(0), count(1));
        }
    }
    audit(dataset, split, order);
    if (split.usersWithTarget == 0)
        return fail(ErrorKind::input, "CL-1031",
                    fmt::format("Nothing is left to test in data set '{}': no user has a liked interaction (event model '{}') with a new "
                                "item after at least {} training interactions.",
                                dataset.name, spec.targetModel, spec.minimumHistory),
                    "Choose another event model for the targets, a smaller minimum history or larger shares.");
    addNotes(split, splitter, timed);
    split.digest = digestOf(split);
    return split;
}

} // namespace carousel
