// SPDX-License-Identifier: GPL-3.0-or-later
// Our side of compare_texts.py.
//   text_reference make FILE             writes random and edge texts: answer TAB reference TAB feature, one pair a line
//   text_reference evaluate FILE OUT     tokens and figures of each pair, then corpus figures of blocks of pairs and of all, as TSV
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "evaluation/metrics/text/text_metrics.h"
#include <algorithm>
#include <cstdio>

using namespace carousel;

namespace {
constexpr std::size_t block = 20;
const std::vector<std::string> features{"zip", "price", "seams", "toe box", "Ärmel", "never used"};

std::string randomText(RandomStream& random, std::size_t words) {
    static const std::vector<std::string> vocabulary{"the", "zip", "Zip", "price", "was", "good", "bad", "seams", "toe", "box", "it's", "Ärmel", "ärmel,", "très", "don't", "20", "3.5",
                                                     "(really)", "—", "end.", "end", "I", "cafe\u0301", "café", "naïve!", "50", "€", "x-ray", "日本", "THE"};
    std::string text;
    for (std::size_t i = 0; i < words; ++i)
        text += (text.empty() ? "" : random.below(15) == 0 ? "  " : " ") + vocabulary[random.below(vocabulary.size())];
    return text;
}

Result<void> make(const std::string& file) {
    std::string out = "\tthe zip was good\tzip\nzip\tzip\tzip\nzip\tthe zip was good\tprice\nthe the the the the the the\tthe cat is on the mat. The mat is there\tseams\n"
                      "good good\tgood\tgood\n...\tthe end.\t\nbad\tgood\tzip\nThe zip was good.\tthe ZIP was good .\tzip\na b c\ta b c d e f g h i j k l\t\n"
                      "a b c d e f g h i j k l\tk l\ttoe box\nthe toe box was bad\tbad toe box\ttoe box\n \tend\tzip\n";
    for (std::uint64_t i = 0; i < 400; ++i) {
        RandomStream random(30, "text reference", i);
        const std::string reference = randomText(random, 1 + random.below(30));
        std::string answer = randomText(random, random.below(30));
        if (i % 3 == 0) // a piece of the reference inside
            answer += (answer.empty() ? "" : " ") + reference.substr(0, reference.find(' ', reference.size() / 2));
        if (i % 17 == 0)
            answer = reference;
        out += answer + '\t' + reference + '\t' + features[random.below(features.size() - 1)] + '\n';
    }
    return atomicWrite(file, out);
}

std::string joined(const TextTokens& tokens) {
    std::string out;
    for (const auto& token : tokens)
        out += (out.empty() ? "" : " ") + token;
    return out;
}

Result<void> evaluate(const std::string& file, const std::string& out) {
    CAROUSEL_ASSIGN(const auto text, readFile(file));
    std::vector<WrittenAnswer> answers;
    for (const auto line : split(text, '\n'))
        if (const auto fields = split(line, '\t'); fields.size() == 3)
            answers.push_back({std::string(fields[0]), std::string(fields[1]), std::string(fields[2])});
    const TextOptions options{.bootstrap = 0};
    CAROUSEL_ASSIGN(const auto all, evaluateTexts(answers, features, options, {}));
    const auto& definitions = textMetricDefinitions();
    std::string made = "answer\treference";
    for (const auto& definition : definitions)
        if (definition.perAnswer)
            made += '\t' + definition.id;
    made += '\n';
    for (std::size_t i = 0; i < answers.size(); ++i) {
        made += joined(textTokens(answers[i].answer)) + '\t' + joined(textTokens(answers[i].reference));
        for (std::size_t m = 0; m < definitions.size(); ++m)
            if (definitions[m].perAnswer)
                made += fmt::format("\t{:.9g}", all[m].perAnswer[i]);
        made += '\n';
    }
    for (std::size_t first = 0; first < answers.size() + block; first += block) { // the last is all of them
        const bool whole = first >= answers.size();
        const std::span<const WrittenAnswer> part = whole ? std::span<const WrittenAnswer>(answers) : std::span(answers).subspan(first, std::min(block, answers.size() - first));
        CAROUSEL_ASSIGN(const auto values, evaluateTexts(part, features, options, {}));
        for (std::size_t m = 0; m < definitions.size(); ++m)
            made += fmt::format("corpus\t{}\t{}\t{}\t{:.17g}\n", whole ? 0 : first, whole ? answers.size() : first + part.size(), definitions[m].id, values[m].value);
    }
    return atomicWrite(out, made);
}
} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    Result<void> done = fail(ErrorKind::usage, "CL-0001", "usage: text_reference make FILE | evaluate FILE OUT", "");
    if (words.size() == 2 && words[0] == "make")
        done = make(words[1]);
    else if (words.size() == 3 && words[0] == "evaluate")
        done = evaluate(words[1], words[2]);
    if (!done)
        std::fprintf(stderr, "%s\n", describe(done.error()).c_str());
    return done ? 0 : 1;
}
