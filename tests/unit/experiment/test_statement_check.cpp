// SPDX-License-Identifier: GPL-3.0-or-later
// Sentences about the sample shop, labelled by hand, against the checker; and what our own writer may never do.
#include "base/random.h"
#include "data/import.h"
#include "experiment/statement_check.h"
#include "experiment/text_words.h"
#include <QTest>
#include <array>
#include <cstdlib>

using namespace carousel;

namespace {

constexpr auto N = StatementStatus::noClaim, S = StatementStatus::supported, U = StatementStatus::unsupported, C = StatementStatus::contradicted;

void addItem(Dataset& data, const char* id, const char* title, const char* description, const char* brand, double price) {
    data.items.ids.add(id);
    for (auto& column : data.items.attributes) {
        const auto token = [&](std::string_view text) { column.appendTokens(std::array{text}); };
        if (column.name() == "title")
            token(title);
        else if (column.name() == "description")
            token(description);
        else if (column.name() == "category")
            token("garden");
        else if (column.name() == "brand")
            token(brand);
        else if (column.name() == "price")
            column.appendNumbers(std::array{price});
        else
            column.appendMissing();
    }
}

// The sample shop with a few items and one customer of our own. Her last two likes are held out.
struct Shop {
    std::shared_ptr<Dataset> data;
    std::shared_ptr<const ExplanationGround> ground;
    Code user = noCode, item = noCode;
};
Shop makeShop() {
    Shop shop;
    auto imported = importSixOfHundreds(std::string(CAROUSEL_SOURCE_DIR) + "/sample_data/six_of_hundreds", {});
    if (!imported)
        return shop;
    shop.data = std::make_shared<Dataset>(*imported->dataset);
    auto& data = *shop.data;
    addItem(data, "x1", "Simple Watering Can", "A can that waters the simple way.", "Simple", 20);
    addItem(data, "x2", "Simple Watering Can Deluxe", "A larger can.", "Simple", 30);
    addItem(data, "x3", "7 Days of Seeds", "Seeds for a week.", "Café Jardín", 9.5);
    shop.user = data.users.ids.add("tester");
    for (auto& column : data.users.attributes)
        column.appendMissing();
    const auto kinds = data.interactions.kinds;
    const auto like = static_cast<std::uint8_t>(std::find(kinds.begin(), kinds.end(), "like") - kinds.begin());
    std::int64_t time = 1'900'000'000;
    for (const char* id : {"p002", "x1", "p010", "p005", "p006", "p004", "p008"}) { // oldest first; p004 validation, p008 test
        data.interactions.user.push_back(shop.user);
        data.interactions.item.push_back(data.items.ids.find(id));
        data.interactions.kind.push_back(like);
        data.interactions.value.push_back(1);
        data.interactions.time.push_back(time += 60);
    }
    data.digest = datasetDigest(data);
    const auto split = makeSplit(data, {}, {});
    auto training = TrainingView::make(shop.data, *split, *presetEventModel("combined"), false);
    if (training)
        shop.ground = std::make_shared<const ExplanationGround>(std::make_shared<const TrainingView>(std::move(*training)));
    shop.item = data.items.ids.find("p001"); // Dunmarrow Raised Bed Lark 2, Heirloom
    return shop;
}
const Shop& shop() {
    static const Shop made = makeShop();
    return made;
}

ExplanationFacts facts() {
    auto out = shop().ground->facts(shop().user, shop().item, 5);
    out.position = 3;
    out.strategy = "Sequence rules";
    return out;
}
StatementStatus worst(const CheckedText& checked) {
    auto out = N;
    for (const auto& statement : checked.statements)
        out = std::max(out, statement.status);
    return out;
}
StatementStatus statusOf(const std::string& text) { return worst(checkStatements(text, facts(), *shop().ground)); }
std::string spansOf(const std::string& text, const ExplanationFacts& of) {
    std::string out;
    for (const auto& statement : checkStatements(text, of, *shop().ground).statements)
        for (const auto& span : statement.spans)
            out += fmt::format(" [{}: {}, {}]", text.substr(span.begin, span.end - span.begin), name(span.status), span.reason);
    return out;
}

struct Labelled {
    const char* text;
    StatementStatus truth;
    bool outOfScope = false; // negation, synonyms: the header says that these are missed
};
const std::vector<Labelled> labelled{
    // nothing to look up
    {"Hello, here is something we think will suit you well.", N},
    {"We hope that it brings you joy for many years.", N},
    {"It is a simple idea that works.", N},              // "simple": a brand, but not written as a name
    {"Simple things are often the best.", N},            // the same at the beginning of a sentence
    {"It would make a great gift.", N},                  // a tag, said without meaning it
    {"One of the nicer ways to spend a day in May.", N}, // month, "one of"
    // the item
    {"This is the Dunmarrow Raised Bed Lark 2, Heirloom.", S},
    {"The brand is dunmarrow and the category is GARDEN.", S},
    {"Dunmarrow's raised beds come in sky.", S},
    {"The brand of this item is Tarnfell.", C},
    {"It is made by Hollin & Vey.", C},
    {"It is made by Hollin and Vey.", C},
    {"This is a lovely kitchen scale.", C},
    {"Its colour is burgundy.", C},
    {"Its colour is natural.", C},                       // an idiom, but the field is named
    {"It is sustainable and repairable.", S},
    {"It is waterproof.", U},
    {"This raised bed stands on a balcony without staining it.", S},
    {"It comes from Patagonia.", U},
    {"This is a Simple product, by Simple.", C},
    {"It was launched in 2024.", S},
    {"It was launched in 2019.", U},
    {"The Kestrel is the right one for your balcony.", C}, // a word of other titles only... and of one that was liked; the item is meant
    // the history
    {"You liked the Glimmerby Sable Compost Bin, Heirloom.", S},
    {"You liked the Glimmerby Sable Compost Bin, Heirloom and the Mossfoot Circular Down Jacket Hooded.", C}, // held out
    {"Recently you chose the Simple Watering Can.", S},
    {"Recently you chose the Simple Watering Can Deluxe.", C}, // the title that was liked is a prefix of this one
    {"You liked 7 Days of Seeds.", C},
    {"You liked the cafe jardin brand.", C},
    {"Your past choices include bedding from Aravelle.", S},
    {"It fits your interest in camping.", C},
    {"Because you liked Tarnfell tents, this is for you.", C},
    {"You bought the Dunmarrow Chopping Board Kestrel 5, Large.", U},
    // counts, prices, ranks
    {"2 of your 5 last choices have the category garden.", S},
    {"2 of your last 5 choices are garden items.", S},
    {"4 of your last 5 choices are garden items.", C},
    {"2 of your last 7 choices are garden items.", C},
    {"One of your last choices is from Dunmarrow, too.", S},
    {"It costs 148.", S},
    {"It costs $148.00, and your last choices cost 20 to 87.", S},
    {"It costs only $129.", C},
    {"At 148 euros it is more expensive than most of what you liked.", S},
    {"It is cheaper than what you usually choose.", C},
    {"It stands at position 3.", S},
    {"It stands at position 1.", C},
    {"1,000,000 customers like it.", C},
    {"It is rated 4.5 stars.", U},
    {"It is our best seller.", C},
    {"It is on sale with 20 % off.", U},
    {"Other customers also looked at it.", U},
    // known to be missed
    {"It is not on sale.", N, true},
    {"It is a planter made of steel.", U, true},
    {"It has won hearts in Paris and in kitchens.", C, true},
};

} // namespace

class TestStatementCheck : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QVERIFY(shop().ground); }

    void wordsAreFolded() {
        const auto words = textWords("Chef's CAFÉ & 1,240.50 Straße 3rd 12,95 x2");
        QCOMPARE(words.size(), std::size_t(8));
        QCOMPARE(words[0].folded, std::string("chefs"));
        QCOMPARE(words[0].owner, std::string("chef"));
        QCOMPARE(words[1].folded, std::string("cafe"));
        QCOMPARE(words[2].folded, std::string("and"));
        QVERIFY(words[3].number && words[3].value == 1240.5);
        QCOMPARE(words[4].folded, std::string("strasse"));
        QVERIFY(words[5].number && words[5].ordinal && words[5].value == 3);
        QVERIFY(words[6].number && words[6].value == 12.95);
        QVERIFY(!words[7].number);
        QVERIFY(textWords("It costs 3.50. Good.")[3].breakBefore);
        QVERIFY(!textWords("It costs 3.50. Good.")[2].breakBefore);
        QCOMPARE(textWords("a\xFF\xC3 b").size(), std::size_t(2)); // bytes that are no text
        QCOMPARE(joinedWords(""), std::string(" "));
    }

    void factsAreThoseOfTheTrainingPart() {
        const auto f = facts();
        QCOMPARE(f.title, std::string("Dunmarrow Raised Bed Lark 2, Heirloom"));
        QCOMPARE(f.likedKnown, 5);
        QCOMPARE(f.likedTitles.front(), std::string("Dunmarrow Chopping Board Kestrel 5, Large"));
        QCOMPARE(f.likedTitles.back(), std::string("Aravelle Linen Sheet Badger 3, Washed Cotton"));
        QCOMPARE(*f.price, 148.0);
        QCOMPARE(f.usualPrices->low, 20.0);
        QCOMPARE(f.usualPrices->middle, 37.9);
        QCOMPARE(f.usualPrices->high, 87.0);
        const auto garden = std::find_if(f.shared.begin(), f.shared.end(), [](const auto& s) { return s.field == "category"; });
        QVERIFY(garden != f.shared.end());
        QCOMPARE(garden->count, 2);
        QVERIFY(f.popularityRank >= 1 && f.popularityRank <= f.items);
        const auto two = shop().ground->facts(shop().user, shop().item, 2);
        QCOMPARE(two.liked.size(), std::size_t(2));
        QCOMPARE(two.likedKnown, 5);
        const auto lines = factLines(f);
        QVERIFY(lines.find("category garden: 2 of 5") != std::string::npos);
        QVERIFY2(lines.find("Down Jacket") == std::string::npos && lines.find("Duvet Cover") == std::string::npos, lines.c_str());
        QVERIFY(explanationPrompt(f, "Say {{facts}} now")->find(lines) == 4);
        QCOMPARE(explanationPrompt(f, "Say something").error().code, std::string("CL-3070"));
    }

    void sentencesLabelledByHand() {
        std::array<std::array<int, 4>, 4> confusion{};
        int right = 0, falseAlarms = 0, inScope = 0;
        QString wrong;
        for (const auto& [text, truth, outOfScope] : labelled) {
            const auto got = statusOf(text);
            ++confusion[static_cast<std::size_t>(truth)][static_cast<std::size_t>(got)];
            falseAlarms += truth <= S && got >= U && !outOfScope;
            if (outOfScope)
                continue;
            ++inScope;
            right += got == truth;
            if (got != truth)
                wrong += QStringLiteral("\n%1: labelled %2, found %3%4").arg(QString::fromUtf8(text), QString::fromUtf8(name(truth)), QString::fromUtf8(name(got)), QString::fromStdString(spansOf(text, facts())));
        }
        qInfo("labelled (rows) / found:  no claim  supported  unsupported  contradicted");
        for (std::size_t row = 0; row < 4; ++row)
            qInfo("%-24s %9d %10d %12d %13d", name(static_cast<StatementStatus>(row)), confusion[row][0], confusion[row][1], confusion[row][2], confusion[row][3]);
        QVERIFY2(right == inScope, qPrintable(wrong));
        QCOMPARE(falseAlarms, 0);
    }

    void statementsAreCut() {
        const std::string text = "It costs 148 and it is by Tarnfell; you liked bedding. Mr. Brown says: 12.50 is too much!\n- Two lines";
        const auto checked = checkStatements(text, facts(), *shop().ground);
        std::vector<std::string> cut;
        for (const auto& s : checked.statements)
            cut.push_back(text.substr(s.begin, s.end - s.begin));
        QCOMPARE(cut, (std::vector<std::string>{"It costs 148", "and it is by Tarnfell", "you liked bedding", "Mr. Brown says: 12.50 is too much", "Two lines"}));
        QCOMPARE(checked.statements[0].status, S);
        QCOMPARE(checked.statements[1].status, C);
        QCOMPARE(checked.statements[2].status, S);
        QCOMPARE(checked.statements[1].spans.size(), std::size_t(1));
        QCOMPARE(text.substr(checked.statements[1].spans[0].begin, 8), std::string("Tarnfell"));
        QVERIFY(checked.statements[1].spans[0].reason.find("Dunmarrow") != std::string::npos);
        QVERIFY(checkStatements("", facts(), *shop().ground).statements.empty());
        QVERIFY(checkStatements("\xFF\xFE ...", facts(), *shop().ground).statements.empty());
    }

    void plainExplanationsAreAlwaysSupported() {
        const auto& ground = *shop().ground;
        RandomStream random(5, "pairs");
        const auto users = ground.training().userCount(), items = ground.items().size();
        for (int i = 0; i < 2000; ++i) {
            auto f = ground.facts(static_cast<Code>(random.below(users)), static_cast<Code>(random.below(items)), 1 + static_cast<int>(random.below(8)));
            f.position = static_cast<int>(random.below(30));
            f.strategy = "Sequence rules";
            const auto text = plainExplanation(f);
            const auto checked = checkStatements(text, f, ground);
            for (const auto& statement : checked.statements)
                for (const auto& span : statement.spans)
                    QVERIFY2(span.status == S, (text + "\n" + text.substr(span.begin, span.end - span.begin) + ": " + span.reason).c_str());
            QVERIFY(checked.statements.size() >= 3);
            QCOMPARE(checked.unsupported(), 0);
        }
    }

    void wrongBrandsAndPricesAreFound() {
        const auto& ground = *shop().ground;
        const auto* brands = ground.items().attribute("brand");
        QVERIFY(brands);
        RandomStream random(6, "pairs");
        for (int i = 0; i < 1000; ++i) {
            const auto f = ground.facts(static_cast<Code>(random.below(ground.training().userCount())), static_cast<Code>(random.below(ground.items().size())), 5);
            const auto text = plainExplanation(f);
            const auto own = brands->text(static_cast<std::size_t>(f.item));
            std::string other;
            do
                other = brands->dictionary()[static_cast<std::size_t>(random.below(brands->dictionary().size()))];
            while (other == own);
            auto wrong = text;
            const auto at = wrong.find("brand " + own);
            QVERIFY2(at != std::string::npos, text.c_str());
            wrong.replace(at + 6, own.size(), other);
            QVERIFY2(checkStatements(wrong, f, ground).unsupported() == 1, (wrong + spansOf(wrong, f)).c_str());

            const auto price = moneyText(*f.price), otherPrice = moneyText(*f.price * (random.below(2) ? 1.3 : 0.7) + 2);
            wrong = text;
            wrong.replace(wrong.find("It costs " + price) + 9, price.size(), otherPrice);
            QVERIFY2(price == otherPrice || checkStatements(wrong, f, ground).unsupported() == 1, wrong.c_str());
        }
    }

    void anythingCanBeChecked() { // no text may break it
        RandomStream random(7, "noise");
        const std::string pieces[] = {"It ", "costs ", "$", "3.5", ". ", "Tarnfell", "'s ", "\xC3", "\xFF", "of ", "2 ", "your ", "last ", "choices", "\n", "# ", "and it ", "Hollin & Vey ", "\"", "\u20AC", "number ", "x"};
        for (int i = 0; i < 500; ++i) {
            std::string text;
            for (int p = 0; p < 30; ++p)
                text += pieces[random.below(std::size(pieces))];
            const auto checked = checkStatements(text, facts(), *shop().ground);
            std::size_t end = 0;
            for (const auto& statement : checked.statements) {
                QVERIFY(statement.begin >= end && statement.end > statement.begin && statement.end <= text.size());
                end = statement.end;
                for (const auto& span : statement.spans)
                    QVERIFY(span.begin >= statement.begin && span.end <= statement.end && span.begin < span.end);
            }
        }
    }

    void filmsHaveNoPrices() {
        const char* home = std::getenv("HOME");
        auto imported = importRecBole(std::string(home ? home : "") + "/.local/share/carousel-lab/data/ml-100k", {}, {});
        if (!imported)
            QSKIP("ml-100k is not on this machine");
        const auto split = makeSplit(*imported->dataset, {}, {});
        QVERIFY(split);
        auto training = TrainingView::make(imported->dataset, *split, *presetEventModel("combined"), false);
        QVERIFY(training);
        const ExplanationGround ground(std::make_shared<const TrainingView>(std::move(*training)));
        RandomStream random(8, "pairs");
        for (int i = 0; i < 500; ++i) {
            const auto f = ground.facts(static_cast<Code>(random.below(ground.training().userCount())), static_cast<Code>(random.below(ground.items().size())), 5);
            QVERIFY(!f.price);
            const auto text = plainExplanation(f);
            const auto checked = checkStatements(text, f, ground);
            for (const auto& statement : checked.statements)
                for (const auto& span : statement.spans)
                    QVERIFY2(span.status == S, (text + "\n" + text.substr(span.begin, span.end - span.begin) + ": " + span.reason).c_str());
            QCOMPARE(checkStatements("It costs 20 dollars.", f, ground).unsupported(), 1);
        }
    }
};

QTEST_APPLESS_MAIN(TestStatementCheck)
#include "test_statement_check.moc"
