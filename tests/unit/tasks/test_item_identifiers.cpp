// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.h"
#include "tasks/item_identifiers.h"
#include <QTest>
#include <algorithm>
#include <map>
#include <set>

using namespace carousel;

namespace {

// Customers of five tastes choose within their taste; the last items are in no history.
std::vector<std::vector<Code>> tastes(int users, int items, int cold) {
    std::vector<std::vector<Code>> out;
    const int known = items - cold, each = known / 5;
    for (int u = 0; u < users; ++u) {
        RandomStream random(7, "test", static_cast<std::uint64_t>(u));
        std::vector<Code> history;
        for (int i = 0; i < 8; ++i) {
            const Code item = static_cast<Code>((u % 5) * each + static_cast<int>(random.below(static_cast<std::uint64_t>(each))));
            if (std::find(history.begin(), history.end(), item) == history.end())
                history.push_back(item);
        }
        out.push_back(history);
    }
    return out;
}

std::vector<std::string> symbolsOf(const std::string& path) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = path.find('>', at) + 1;
        out.push_back(path.substr(at, end - at));
        at = end;
    }
    return out;
}

void checkUnique(const ItemIdentifiers& ids, std::size_t items) {
    QCOMPARE(ids.names.size(), items);
    QCOMPARE(std::set<std::string>(ids.names.begin(), ids.names.end()).size(), items);
    for (std::size_t i = 0; i < items; ++i)
        QCOMPARE(ids.find(ids.names[i]), static_cast<Code>(i));
    QCOMPARE(ids.find("nobody"), noCode);
}

} // namespace

class TestItemIdentifiers : public QObject {
    Q_OBJECT
private slots:
    void numbersAreDistinctAndEquallyLong() {
        for (const auto& ids : {randomIdentifiers(300, 3), sequentialIdentifiers(300, tastes(50, 300, 20), 3)}) {
            checkUnique(ids, 300);
            for (const auto& each : ids.names)
                QCOMPARE(each.size(), ids.names[0].size());
        }
        QVERIFY(randomIdentifiers(300, 3).names != randomIdentifiers(300, 4).names);
    }
    void sequentialNumbersFollowTheHistories() {
        const std::vector<std::vector<Code>> histories{{5, 2, 9}, {2, 7}};
        const auto ids = sequentialIdentifiers(10, histories, 1);
        QCOMPARE(ids.names[5], std::string("item_1001"));
        QCOMPARE(ids.names[2], std::string("item_1002"));
        QCOMPARE(ids.names[9], std::string("item_1003"));
        QCOMPARE(ids.names[7], std::string("item_1004"));
    }
    void collaborativeGroupsArePlantedOnes() {
        const std::size_t items = 200;
        const auto histories = tastes(400, static_cast<int>(items), 0);
        const auto ids = collaborativeIdentifiers(items, histories, 5, 45, 1);
        QVERIFY(ids.has_value());
        checkUnique(*ids, items);
        // Within a taste the first symbol agrees: 40 items of each taste, 5 groups.
        std::map<std::pair<std::size_t, std::string>, int> count;
        for (std::size_t i = 0; i < items; ++i)
            ++count[{i / 40, symbolsOf(ids->names[i]).front()}];
        int agreeing = 0;
        for (std::size_t taste = 0; taste < 5; ++taste) {
            int most = 0;
            for (const auto& [key, n] : count)
                if (key.first == taste)
                    most = std::max(most, n);
            agreeing += most;
        }
        QVERIFY2(agreeing >= 190, std::to_string(agreeing).c_str());
        // The same words for the same data, and every symbol is declared.
        QCOMPARE(collaborativeIdentifiers(items, histories, 5, 45, 1)->names, ids->names);
        const std::set<std::string> declared(ids->symbols.begin(), ids->symbols.end());
        for (const auto& each : ids->names)
            for (const auto& symbol : symbolsOf(each))
                QVERIFY(declared.count(symbol));
    }
    void unknownItemsNeverShareABeginningWithKnownOnes() {
        const std::size_t items = 160;
        const auto ids = collaborativeIdentifiers(items, tastes(300, static_cast<int>(items), 60), 4, 12, 1);
        QVERIFY(ids.has_value());
        checkUnique(*ids, items); // more unknown items than a leaf holds
        for (std::size_t i = 0; i < items; ++i)
            QCOMPARE(symbolsOf(ids->names[i]).front() == "<cold>", i >= 100);
        for (const auto& a : ids->names) // no path is the beginning of another
            for (const auto& b : ids->names)
                QVERIFY(&a == &b || a == b || b.compare(0, a.size(), a) != 0);
    }
    void itemsThatNothingConnectsStillHaveNames() {
        const std::vector<std::vector<Code>> alone{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}};
        const auto ids = collaborativeIdentifiers(10, alone, 2, 3, 1);
        QVERIFY(ids.has_value());
        checkUnique(*ids, 10);
        QCOMPARE(collaborativeIdentifiers(10, alone, 1, 3, 1).error().code, std::string("CL-3112"));
    }
    void titlesThatRepeatGetANumber() {
        EntityTable items;
        AttributeColumn title("title", FieldType::token);
        for (const char* text : {"Cup", "Cup", "Cup (2)", "Cup and saucer"}) {
            items.ids.add("i" + std::to_string(items.size()));
            const std::string_view value = text;
            title.appendTokens({&value, 1});
        }
        title.appendMissing();
        items.ids.add("last");
        items.attributes.push_back(std::move(title));
        const auto ids = titleIdentifiers(items);
        checkUnique(ids, 5);
        QCOMPARE(ids.names[0], std::string("Cup"));
        QCOMPARE(ids.names[1], std::string("Cup (2)"));
        QCOMPARE(ids.names[2], std::string("Cup (2) (2)"));
        QCOMPARE(ids.names[4], std::string("last"));
    }
    void codesBecomeSymbolsByPlace() {
        const auto ids = codeIdentifiers(std::vector<std::vector<int>>{{1, 0, 2}, {1, 3, 0}});
        checkUnique(ids, 2);
        QCOMPARE(ids.names[0], std::string("<a1><b0><c2>"));
        QCOMPARE(ids.symbols, (std::vector<std::string>{"<a1>", "<b0>", "<b3>", "<c0>", "<c2>"}));
    }
};

QTEST_GUILESS_MAIN(TestItemIdentifiers)
#include "test_item_identifiers.moc"
