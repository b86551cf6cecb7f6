// SPDX-License-Identifier: GPL-3.0-or-later
// Grammars: against QRegularExpression and nlohmann's JSON parser, which share nothing with them; against checking every token by itself.
#include "base/random.h"
#include "llm/generation/answer_writer.h"
#include "llm/generation/grammar_constraint.h"
#include "llm/generation/json_schema.h"
#include "llm/unicode.h"
#include "token_double.h"
#include <QRegularExpression>
#include <QTest>
#include <nlohmann/json.hpp>

using namespace carousel;

namespace {

const char* const jsonGrammar =
    "# JSON without exponents\n"
    "root   ::= object\n"
    "value  ::= object | array | string | number | \"true\" | \"false\" | \"null\"\n"
    "object ::= \"{\" ws ( pair (\",\" ws pair)* )? \"}\" ws\n"
    "pair   ::= string \":\" ws value\n"
    "array  ::= \"[\" ws ( value (\",\" ws value)* )? \"]\" ws\n"
    "string ::= \"\\\"\" ( [^\"\\\\\\x00-\\x1F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" [0-9a-fA-F]{4}) )* \"\\\"\" ws\n"
    "number ::= \"-\"? (\"0\" | [1-9] [0-9]*) (\".\" [0-9]+)? ws\n"
    "ws     ::= [ \\n]{0,2}\n";

GrammarMachine machineOf(std::string_view text) {
    auto grammar = Grammar::parse(text);
    if (!grammar)
        qWarning("%s", describe(grammar.error()).c_str());
    return GrammarMachine(grammar ? std::move(*grammar) : Grammar());
}
bool matches(GrammarMachine& machine, std::string_view text) {
    auto state = machine.start();
    for (const char byte : text)
        state = machine.after(state, static_cast<unsigned char>(byte));
    return machine.canEnd(state);
}
Error errorOf(std::string_view text) {
    auto grammar = Grammar::parse(text);
    return grammar ? Error() : grammar.error();
}

} // namespace

class TestGrammar : public QObject {
    Q_OBJECT
private slots:
    void matchesWhatTheRegularExpressionMatches_data() {
        QTest::addColumn<QString>("grammar");
        QTest::addColumn<QString>("expression");
        QTest::newRow("text") << "root ::= \"ab\" \"c\""
                              << "abc";
        QTest::newRow("choice") << "root ::= \"ab\" | \"c\" | "
                                << "ab|c|";
        QTest::newRow("star") << "root ::= (\"a\" | \"bc\")*"
                              << "(a|bc)*";
        QTest::newRow("plus and optional") << "root ::= \"a\"+ \"b\"? [c]*"
                                           << "a+b?c*";
        QTest::newRow("counted") << "root ::= \"a\"{2} [bc]{1,3} (\"a\" \"b\"){0,2} \"c\"{1,}"
                                 << "a{2}[bc]{1,3}(ab){0,2}c{1,}";
        QTest::newRow("sets") << "root ::= [a-b]+ [^a]"
                              << "[ab]+[^a]";
        QTest::newRow("any") << "root ::= . [^\\x00-a] ."
                             << "(.|\\n)[^\\x00-a](.|\\n)";
        QTest::newRow("empty inside star") << "root ::= (\"a\"* \"b\"?)* \"c\""
                                           << "(a*b?)*c";
        QTest::newRow("rules") << "root ::= item (\",\" item)*\nitem ::= \"a\" | tail\ntail ::= \"b\" \"c\"*"
                               << "(a|bc*)(,(a|bc*))*";
        QTest::newRow("right recursion") << "root ::= \"a\" root | \"b\""
                                         << "a*b";
        QTest::newRow("characters of several bytes") << "root ::= [ü-€]+ \"c\"?"
                                                     << "[ü-€]+c?";
        QTest::newRow("nothing") << "root ::= \"\""
                                 << "";
    }
    void matchesWhatTheRegularExpressionMatches() {
        QFETCH(QString, grammar);
        QFETCH(QString, expression);
        auto machine = machineOf(grammar.toStdString());
        const QRegularExpression peer("\\A(?:" + expression + ")\\z", QRegularExpression::UseUnicodePropertiesOption);
        QVERIFY(peer.isValid());
        const QString alphabet[] = {"a", "b", "c", ",", "ü", "€", "𝄞"};
        int accepted = 0;
        for (std::uint64_t round = 0; round < 4000; ++round) {
            RandomStream random(round, "strings");
            QString text;
            const std::uint64_t letters = random.below(3) == 0 ? 7 : 4;
            for (auto left = random.below(9); left-- > 0;)
                text += alphabet[random.below(letters)];
            const bool expected = peer.match(text).hasMatch();
            accepted += expected;
            QVERIFY2(matches(machine, text.toStdString()) == expected, qPrintable(text));
        }
        QVERIFY(accepted > 0);
    }
    void nestedBracketsAreCounted() {
        auto machine = machineOf("root ::= pair+\npair ::= \"(\" pair* \")\" | \"[\" pair* \"]\"");
        for (std::uint64_t round = 0; round < 4000; ++round) {
            RandomStream random(round, "brackets");
            std::string text, open;
            bool sound = true;
            for (auto left = 1 + random.below(10); left-- > 0;) {
                const char c = "([)]"[random.below(4)];
                text += c;
                if (c == '(' || c == '[')
                    open += c;
                else if (open.empty() || open.back() != (c == ')' ? '(' : '['))
                    sound = false;
                else
                    open.pop_back();
            }
            QCOMPARE(matches(machine, text), sound && open.empty());
        }
        QVERIFY(matches(machine, std::string(2000, '(') + std::string(2000, ')')));
    }
    void everyCharacterIsInItsSet() {
        auto set = machineOf("root ::= [\\u07F0-\\u0805\\uD7F0-\\uD7FF\\uE000-\\U00010005]"),
             rest = machineOf("root ::= [^\\u07F0-\\u0805\\uD7F0-\\uD7FF\\uE000-\\U00010005]");
        for (std::int32_t code = 0; code <= 0x10FFFF; code += code > 0x12000 ? 97 : 1) {
            if (code >= 0xD800 && code <= 0xDFFF)
                continue;
            std::string text;
            appendUtf8(text, code);
            const bool inside =
                (code >= 0x7F0 && code <= 0x805) || (code >= 0xD7F0 && code <= 0xD7FF) || (code >= 0xE000 && code <= 0x10005);
            QVERIFY(matches(set, text) == inside && matches(rest, text) != inside);
        }
        QVERIFY(!matches(rest, "\xED\xA0\x80") && !matches(rest, "\xC0\x80") && !matches(rest, "\xFF") && !matches(rest, ""));
    }
    void mistakesAreToldWithTheirPlace_data() {
        QTest::addColumn<QString>("grammar");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("says");
        QTest::newRow("empty") << ""
                               << "CL-2163"
                               << "'root'";
        QTest::newRow("no root") << "a ::= \"b\""
                                 << "CL-2163"
                                 << "'root'";
        QTest::newRow("unknown rule") << "root ::= \"a\"\n  item"
                                      << "CL-2163"
                                      << "line 2, column 3: there is no rule 'item'";
        QTest::newRow("begins with itself") << "root ::= \"x\"? root \"a\" | \"b\""
                                            << "CL-2163"
                                            << "line 1, column 15: the rule 'root' begins with itself";
        QTest::newRow("by way of another") << "root ::= a\na ::= b \"x\"\nb ::= a | \"y\""
                                           << "CL-2163"
                                           << "begins with itself";
        QTest::newRow("never ends") << "root ::= \"a\" root"
                                    << "CL-2163"
                                    << "never ends";
        QTest::newRow("twice") << "root ::= \"a\"\nroot ::= \"b\""
                               << "CL-2162"
                               << "line 2, column 1: the rule 'root' is defined twice";
        QTest::newRow("no arrow") << "root = \"a\""
                                  << "CL-2162"
                                  << "line 1, column 6: '='";
        QTest::newRow("open text") << "root ::= \"ab"
                                   << "CL-2162"
                                   << "ends inside \"text\"";
        QTest::newRow("open set") << "root ::= [ab"
                                  << "CL-2162"
                                  << "ends inside [a set]";
        QTest::newRow("empty set") << "root ::= []"
                                   << "CL-2162"
                                   << "line 1, column 10: a set without characters";
        QTest::newRow("backward range") << "root ::= [z-a]"
                                        << "CL-2162"
                                        << "line 1, column 11: the range";
        QTest::newRow("bracket") << "root ::= (\"a\""
                                 << "CL-2162"
                                 << "line 1, column 14: 'end of text' where ')' is missing";
        QTest::newRow("closed too often") << "root ::= \"a\")"
                                          << "CL-2162"
                                          << "line 1, column 13: unexpected ')'";
        QTest::newRow("mark alone") << "root ::= * \"a\""
                                    << "CL-2162"
                                    << "line 1, column 10: unexpected '*'";
        QTest::newRow("escape") << "root ::= \"\\q\""
                                << "CL-2162"
                                << "line 1, column 11: the escape '\\q'";
        QTest::newRow("surrogate") << "root ::= \"\\uD800\""
                                   << "CL-2162"
                                   << "U+D800 is not a character";
        QTest::newRow("count") << "root ::= \"a\"{3,2}"
                               << "CL-2162"
                               << "from 3 to 2";
        QTest::newRow("large count") << "root ::= \"a\"{5000}"
                                     << "CL-2162"
                                     << "more than 1000";
        QTest::newRow("many nodes") << "root ::= ((\"ab\"){1000}){1000}"
                                    << "CL-2164"
                                    << "nodes";
        QTest::newRow("repetitions of nothing") << "root ::= (((\"\"{1000}){1000}){1000}){1000}"
                                                << "CL-2164"
                                                << "nodes";
        QTest::newRow("deep") << "root ::= " + QString(200, '(') + "\"a\"" + QString(200, ')') << "CL-2162"
                              << "too deep";
        QTest::newRow("marks") << "root ::= \"a\"" + QString(1000, '*') << "CL-2162"
                               << "too many repetition marks";
        QTest::newRow("long") << "root ::= \"" + QString(70000, 'a') + "\""
                              << "CL-2164"
                              << "65536";
        QTest::newRow("line ends count") << "# remark\n\nroot ::= \"ü\" ä"
                                         << "CL-2162"
                                         << "line 3, column 14: unexpected 'ä'";
    }
    void mistakesAreToldWithTheirPlace() {
        QFETCH(QString, grammar);
        QFETCH(QString, code);
        QFETCH(QString, says);
        const Error error = errorOf(grammar.toStdString());
        QCOMPARE(QString::fromStdString(error.code), code);
        QVERIFY2(QString::fromStdString(error.message).contains(says), error.message.c_str());
        QVERIFY(!error.hint.empty());
    }
    void anyTextIsParsedOrRefused() {
        const char* const pieces[] = {"root", "::=", "\"a\"", "[a-z]", "[^", "]", "(",  ")", "|", "*", "+",
                                      "?",    "{2}", "{1,",   "}",     "\n", "#", "\\", ".", " ", "b", "\xFF"};
        for (std::uint64_t round = 0; round < 5000; ++round) {
            RandomStream random(round, "grammars");
            std::string text = random.below(2) ? "root ::= " : "";
            for (auto left = random.below(15); left-- > 0;)
                text += pieces[random.below(22)];
            auto grammar = Grammar::parse(text);
            QVERIFY(grammar || startsWithCode(grammar.error()));
            if (grammar) { // and works
                GrammarMachine machine(std::move(*grammar));
                matches(machine, "aab");
            }
        }
    }
    void allowedTokensAreThoseThatFitOneByOne() {
        const TokenDouble tokens = TokenDouble::ofBytesAnd(
            {"{\"", "\":", "\": ", "true", "tru", "12", "1.5", "\"}", "\",", " \"", "},", "ü", "\\u00", "[[", "ab\"", "\n\n", "}}"});
        const auto vocabulary = std::make_shared<const Vocabulary>(tokens);
        GrammarConstraint constraint(*Grammar::parse(jsonGrammar), vocabulary);
        auto alone = machineOf(jsonGrammar);
        for (std::uint64_t round = 0; round < 40; ++round) {
            RandomStream random(round, "walk");
            auto state = constraint.start();
            std::string text;
            for (int step = 0; step < 25; ++step) {
                const auto allowed = constraint.allowed(state, 100);
                const std::vector<TokenId> list(allowed.begin(), allowed.end());
                std::vector<TokenId> expected;
                for (TokenId id = 0; id < tokens.end(); ++id) { // never the control token
                    auto at = alone.start();
                    for (const char byte : text + tokens.tokens[static_cast<std::size_t>(id)])
                        at = alone.after(at, static_cast<unsigned char>(byte));
                    if (at != GrammarMachine::dead)
                        expected.push_back(id);
                }
                QVERIFY(list == expected);
                if (list.empty())
                    break;
                const TokenId token = list[random.below(list.size())];
                text += tokens.tokens[static_cast<std::size_t>(token)];
                state = constraint.after(state, token);
            }
        }
    }
    void whatIsWrittenParses() {
        const auto tokens = std::make_shared<TokenDouble>(TokenDouble::ofBytesAnd(
            {"{\"", "\":", "\": ", "true", "12", "1.5", "\"}", "\",", " \"", "},", "ü", "\\u00", "ab\"", "}}", "€"}));
        AnswerWriter writer(tokens);
        GenerateOptions options;
        options.grammar = jsonGrammar;
        int whole = 0;
        for (std::uint64_t seed = 1; seed <= 120; ++seed) {
            options.seed = seed;
            options.temperature = seed % 4 == 0 ? 0 : 1;
            options.beams = seed % 4 == 0 ? 3 : 1;
            const auto written = writer.write(options, {{tokens->end()}, 60}, hashedModel(seed, tokens->vocabularySize()), {});
            QVERIFY2(written.has_value(), written ? "" : describe(written.error()).c_str());
            if (!written->reachedLimit) {
                ++whole;
                QVERIFY2(nlohmann::json::accept(written->text), written->text.c_str());
            }
        }
        qInfo("%d of 120 answers whole within 60 tokens", whole);
        QVERIFY(whole > 12);
    }
    void aJsonSchemaBecomesAGrammar_data() {
        QTest::addColumn<QString>("schema");
        QTest::addColumn<QStringList>("valid");
        QTest::addColumn<QStringList>("invalid");
        QTest::newRow("plan") << "{\"type\":\"object\",\"properties\":{\"step\":{\"enum\":[\"filter\",\"rank\"]},\"count\":{\"type\":"
                                 "\"integer\"},\"why\":{\"type\":\"string\"}},\"required\":[\"step\"]}"
                              << QStringList{"{\"step\": \"rank\"}", "{\"step\": \"filter\", \"count\": -3}",
                                             "{\"step\": \"rank\", \"count\": 0, \"why\": \"a \\\"b\\\" ü\"}",
                                             "{\"step\": \"rank\", \"why\": \"\"}"}
                              << QStringList{"{}",
                                             "{\"count\": 3}",
                                             "{\"step\": \"other\"}",
                                             "{\"count\": 1, \"step\": \"rank\"}",
                                             "{\"step\": \"rank\", \"count\": 01}",
                                             "{\"step\": \"rank\",}"};
        QTest::newRow("optional first") << "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"type\":\"boolean\"}}}"
                                        << QStringList{"{}", "{\"a\": null}", "{\"b\": true}", "{\"a\": null, \"b\": false}"}
                                        << QStringList{"{\"b\": true, \"a\": null}", "{, \"b\": true}"};
        QTest::newRow("optional before required")
            << "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":1},\"b\":{\"const\":\"x\"}},\"required\":[\"b\"]}"
            << QStringList{"{\"b\": \"x\"}", "{\"a\": 1, \"b\": \"x\"}"} << QStringList{"{}", "{\"a\": 1}"};
        QTest::newRow("list") << "{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"minItems\":1,\"maxItems\":3}"
                              << QStringList{"[1]", "[1.5, -2e3, 0]"} << QStringList{"[]", "[1, 2, 3, 4]", "[1,2]"};
        QTest::newRow("any list") << "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":2}}"
                                  << QStringList{"[]", "[\"a\", \"ü€\"]"} << QStringList{"[\"\"]", "[\"abc\"]"};
        QTest::newRow("tree")
            << "{\"$ref\":\"#/$defs/node\",\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{\"left\":{\"anyOf\":[{\"$ref\":\"#/"
               "$defs/node\"},{\"type\":\"null\"}]}},\"required\":[\"left\"]}}}"
            << QStringList{"{\"left\": null}", "{\"left\": {\"left\": {\"left\": null}}}"} << QStringList{"{}", "{\"left\": {}}"};
        QTest::newRow("two types") << "{\"type\":[\"integer\",\"null\"]}" << QStringList{"7", "null"} << QStringList{"7.5", "true"};
    }
    void aJsonSchemaBecomesAGrammar() {
        QFETCH(QString, schema);
        QFETCH(QStringList, valid);
        QFETCH(QStringList, invalid);
        const auto text = grammarOfJsonSchema(schema.toStdString());
        QVERIFY2(text.has_value(), text ? "" : text.error().message.c_str());
        auto machine = machineOf(*text);
        for (const QString& one : valid) {
            QVERIFY(nlohmann::json::accept(one.toStdString()));
            QVERIFY2(matches(machine, one.toStdString()), qPrintable(one));
        }
        for (const QString& one : invalid)
            QVERIFY2(!matches(machine, one.toStdString()), qPrintable(one));
    }
    void aSchemaThatCannotBeKeptIsRefused() {
        const auto refused = [](const char* schema) {
            const auto text = grammarOfJsonSchema(schema);
            return text ? std::string() : text.error().code + " " + text.error().message;
        };
        QVERIFY(refused("{").find("CL-2165") == 0);
        QVERIFY(refused("{\"type\":\"string\",\"pattern\":\"a\"}").find("'pattern' is not known") != std::string::npos);
        QVERIFY(refused("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"thing\"}}}").find("#/properties/a: 'type'") !=
                std::string::npos);
        QVERIFY(refused("{\"type\":\"array\"}").find("without 'items'") != std::string::npos);
        QVERIFY(refused("{\"$ref\":\"#/$defs/x\"}").find("'$ref'") != std::string::npos);
        QVERIFY(refused("{\"type\":\"object\",\"required\":[\"a\"]}").find("'a' is required") != std::string::npos);
        QVERIFY(refused("true").find("any value") != std::string::npos);
        QVERIFY(refused("7").find("a schema should be") != std::string::npos);
        const auto itself = grammarOfJsonSchema("{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}");
        QCOMPARE(Grammar::parse(*itself).error().code, std::string("CL-2163"));
    }
    void aVocabularyThatCannotSpellItIsTold() {
        const auto tokens = std::make_shared<TokenDouble>(std::vector<std::string>{"a", "b"});
        GenerateOptions options;
        options.grammar = "root ::= \"ab\" \"{\"";
        for (const int beams : {1, 2}) {
            options.beams = beams;
            const auto refused = AnswerWriter(tokens).write(options, {{tokens->end()}, 9}, hashedModel(1, 3), {});
            QCOMPARE(refused.error().code, std::string("CL-2167"));
            QVERIFY(refused.error().message.find("2 tokens") != std::string::npos);
        }
    }
    void anAmbiguousGrammarStaysSmall() {
        auto machine = machineOf("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"d\"");
        const std::string text = std::string(40, 'a') + "d" + std::string(40, 'b');
        auto state = machine.start();
        for (const char byte : text)
            state = machine.after(state, static_cast<unsigned char>(byte));
        QVERIFY(machine.states() < 200);
    }

private:
    static bool startsWithCode(const Error& error) { return error.code == "CL-2162" || error.code == "CL-2163" || error.code == "CL-2164"; }
};

QTEST_APPLESS_MAIN(TestGrammar)
#include "test_grammar.moc"
