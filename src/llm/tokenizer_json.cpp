// SPDX-License-Identifier: GPL-3.0-or-later
// tokenizer.json of the Hugging Face `tokenizers` library, as far as byte-level BPE and WordPiece go. Every field that changes what
// encoding does is either understood or refused by its name; nothing is passed over in silence.
#include "base/text.h"
#include "llm/byte_level_bpe.h"
#include "llm/word_piece.h"
#include <nlohmann/json.hpp>

namespace carousel {

namespace {

using Json = nlohmann::json;
constexpr std::size_t largestVocabulary = std::size_t(1) << 24;

class TokenizerFile {
public:
    explicit TokenizerFile(const StrictJson& file) : m_file(file) {}

    tl::unexpected<Error> refuse(const std::string& field, const std::string& what) const {
        return fail(
            ErrorKind::input, "CL-2064", fmt::format("'{}': the field '{}' {}.", m_file.path(), field, what),
            "This program reads byte-level BPE (as GPT-2, SmolLM2, Llama 3 and Qwen2 have it) and BERT's WordPiece; choose another model, "
            "or a GGUF file of this one.");
    }
    static std::string shown(const Json& value) { return quotedForMessage(value.dump(-1, ' ', false, Json::error_handler_t::replace), 80); }
    // A member, or null when it is absent.
    static const Json& member(const Json& parent, const char* name) {
        static const Json none;
        if (!parent.is_object())
            return none;
        const auto found = parent.find(name);
        return found == parent.end() ? none : *found;
    }
    const Json& root(const char* name) const { return member(m_file.root(), name); }
    static std::string typeOf(const Json& part) {
        const Json& type = member(part, "type");
        return type.is_string() ? type.get<std::string>() : std::string();
    }
    // Fields of `part` beyond the known ones, or with values other than those given, are refused. `allowed`: name -> values as JSON text;
    // no values: any.
    Result<void> onlyKnown(const std::string& where, const Json& part, const std::map<std::string, std::vector<Json>>& allowed) const {
        for (const auto& [name, value] : part.items()) {
            const auto known = allowed.find(name);
            if (known == allowed.end())
                return refuse(where + "." + quotedForMessage(name), "is not known");
            if (!known->second.empty() && std::find(known->second.begin(), known->second.end(), value) == known->second.end())
                return refuse(where + "." + name, fmt::format("is {}", shown(value)));
        }
        return {};
    }

    struct Added {
        std::int64_t id;
        std::string content;
        bool special;
    };
    Result<std::vector<Added>> addedTokens() const {
        std::vector<Added> all;
        const Json& list = root("added_tokens");
        if (list.is_null())
            return all;
        if (!list.is_array() || list.size() > largestVocabulary)
            return refuse("added_tokens", "is not a list");
        for (const Json& one : list) {
            const Json &id = member(one, "id"), &content = member(one, "content"), &special = member(one, "special");
            if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= largestVocabulary || !content.is_string() || !special.is_boolean())
                return refuse("added_tokens",
                              fmt::format("has the entry {}; an id, a content and whether it is special are needed", shown(one)));
            Added added{id.get<std::int64_t>(), content.get<std::string>(), special.get<bool>()};
            if (!added.special) // special ones are never looked for in a text, so how to look for them does not matter
                for (const char* flag : {"single_word", "lstrip", "rstrip"})
                    if (member(one, flag) == Json(true))
                        return refuse("added_tokens", fmt::format("asks for {} of '{}'", flag, quotedForMessage(added.content)));
            all.push_back(std::move(added));
        }
        return all;
    }

    // model.vocab and the added tokens by id, without gaps.
    Result<std::vector<std::string>> vocabulary(const std::vector<Added>& added) const {
        const Json& vocab = member(root("model"), "vocab");
        if (!vocab.is_object() || vocab.empty() || vocab.size() > largestVocabulary)
            return refuse("model.vocab", "is not an object of tokens and ids");
        std::vector<std::string> tokens(vocab.size() + added.size());
        std::vector<bool> taken(tokens.size());
        std::size_t last = 0, count = 0;
        const auto place = [&](const std::string& token, std::uint64_t id) -> Result<void> {
            if (id >= tokens.size())
                return refuse("model.vocab", fmt::format("gives '{}' the id {}; ids have no gaps, and there are at most {}",
                                                         quotedForMessage(token), id, tokens.size()));
            if (taken[id] && tokens[id] != token)
                return refuse("model.vocab", fmt::format("gives the id {} to '{}' and to '{}'", id, quotedForMessage(tokens[id]),
                                                         quotedForMessage(token)));
            count += !taken[id];
            taken[id] = true;
            tokens[id] = token;
            last = std::max<std::size_t>(last, id);
            return {};
        };
        for (const auto& [token, id] : vocab.items()) {
            if (!id.is_number_unsigned())
                return refuse("model.vocab", fmt::format("gives '{}' the id {}", quotedForMessage(token), shown(id)));
            CAROUSEL_TRY(place(token, id.get<std::uint64_t>()));
        }
        for (const Added& one : added)
            CAROUSEL_TRY(place(one.content, static_cast<std::uint64_t>(one.id)));
        if (count != last + 1)
            return refuse("model.vocab", fmt::format("has {} tokens and ids up to {}", count, last));
        tokens.resize(count);
        return tokens;
    }

    Result<std::vector<std::string>> merges() const {
        const Json& list = member(root("model"), "merges");
        if (!list.is_array() || list.size() > largestVocabulary)
            return refuse("model.merges", "is not a list");
        std::vector<std::string> all;
        for (const Json& one : list) {
            if (one.is_string())
                all.push_back(one.get<std::string>());
            else if (one.is_array() && one.size() == 2 && one[0].is_string() && one[1].is_string())
                all.push_back(one[0].get<std::string>() + " " + one[1].get<std::string>());
            else
                return refuse("model.merges", fmt::format("has the entry {}", shown(one)));
        }
        return all;
    }

    Result<PreTokenizer> rule() const {
        const Json& part = root("pre_tokenizer");
        std::vector<Json> steps{part};
        if (typeOf(part) == "Sequence") {
            const Json& list = member(part, "pretokenizers");
            if (!list.is_array() || list.size() != 2)
                return refuse("pre_tokenizer.pretokenizers", "is not a list of two steps");
            steps.assign(list.begin(), list.end());
        }
        const Json& bytes = steps.back();
        const std::string where = "pre_tokenizer";
        if (typeOf(bytes) != "ByteLevel")
            return refuse(where, fmt::format("ends with '{}', not with 'ByteLevel'", quotedForMessage(typeOf(bytes))));
        CAROUSEL_TRY(onlyKnown(where + " (ByteLevel)", bytes,
                               {{"type", {}}, {"add_prefix_space", {false}}, {"trim_offsets", {}}, {"use_regex", {true, false}}}));
        const Json& useRegex = member(bytes, "use_regex");
        const bool cuts = useRegex.is_null() || useRegex == Json(true);
        if (steps.size() == 1)
            return cuts ? Result<PreTokenizer>(PreTokenizer::gpt2) : Result<PreTokenizer>(refuse(where, "does not cut the text"));
        const Json& first = steps.front();
        if (typeOf(first) == "Digits" && cuts) {
            CAROUSEL_TRY(onlyKnown(where + " (Digits)", first, {{"type", {}}, {"individual_digits", {true}}}));
            if (member(first, "individual_digits") != Json(true))
                return refuse(where + " (Digits)", "keeps digits together");
            return PreTokenizer::smollm;
        }
        if (typeOf(first) == "Split" && !cuts) {
            CAROUSEL_TRY(
                onlyKnown(where + " (Split)", first, {{"type", {}}, {"pattern", {}}, {"behavior", {"Isolated"}}, {"invert", {false}}}));
            const Json& expression = member(member(first, "pattern"), "Regex");
            const auto found = expression.is_string() ? preTokenizerOfExpression(expression.get<std::string>()) : std::nullopt;
            if (!found)
                return refuse(where + ".pattern",
                              fmt::format("is {}, not the expression of Llama 3 or Qwen2", shown(member(first, "pattern"))));
            return *found;
        }
        return refuse(where, fmt::format("begins with '{}'", quotedForMessage(typeOf(first))));
    }

    // The special token before a text, when the post-processor puts one there.
    Result<std::optional<std::string>> firstSpecial() const {
        const Json& part = root("post_processor");
        std::vector<Json> steps{part};
        if (typeOf(part) == "Sequence") {
            const Json& list = member(part, "processors");
            if (!list.is_array())
                return refuse("post_processor.processors", "is not a list");
            steps.assign(list.begin(), list.end());
        }
        std::optional<std::string> found;
        for (const Json& step : steps) {
            const std::string type = typeOf(step);
            if (step.is_null() || type == "ByteLevel")
                continue;
            if (type != "TemplateProcessing")
                return refuse("post_processor", fmt::format("has the step '{}'", quotedForMessage(type)));
            const Json& single = member(step, "single");
            if (!single.is_array() || single.empty())
                return refuse("post_processor.single", "is not a list");
            const Json& name = member(member(single[0], "SpecialToken"), "id");
            if (name.is_string())
                found = name.get<std::string>();
        }
        return found;
    }

    Result<bool> composes() const {
        const Json& part = root("normalizer");
        if (part.is_null())
            return false;
        if (typeOf(part) == "NFC")
            return true;
        return refuse("normalizer", fmt::format("is '{}'; none and 'NFC' are known", quotedForMessage(typeOf(part))));
    }

    const StrictJson& file() const { return m_file; }

private:
    const StrictJson& m_file;
};

} // namespace

Result<std::shared_ptr<const ByteLevelBpe>> ByteLevelBpe::fromTokenizerJson(const StrictJson& json, std::optional<TokenId> endOfText) {
    const TokenizerFile file(json);
    const Json& model = file.root("model");
    // Files of old have no type for BPE; that they have merges tells it.
    const std::string type = TokenizerFile::typeOf(model);
    if (type != "BPE" && !(type.empty() && TokenizerFile::member(model, "merges").is_array()))
        return file.refuse("model.type", fmt::format("is '{}'", quotedForMessage(type)));
    CAROUSEL_TRY(file.onlyKnown("model", model,
                                {{"type", {}},
                                 {"vocab", {}},
                                 {"merges", {}},
                                 {"dropout", {nullptr}},
                                 {"unk_token", {}},
                                 {"continuing_subword_prefix", {nullptr, ""}},
                                 {"end_of_word_suffix", {nullptr, ""}},
                                 {"fuse_unk", {false}},
                                 {"byte_fallback", {false}},
                                 {"ignore_merges", {true, false}}}));
    if (const std::string decoder = TokenizerFile::typeOf(file.root("decoder")); decoder != "ByteLevel" && !decoder.empty())
        return file.refuse("decoder", fmt::format("is '{}'; 'ByteLevel' is known", quotedForMessage(decoder)));
    Tables tables;
    tables.endOfText = endOfText;
    CAROUSEL_ASSIGN(tables.rule, file.rule());
    CAROUSEL_ASSIGN(tables.composes, file.composes());
    tables.wholePieces = TokenizerFile::member(model, "ignore_merges") == Json(true);
    CAROUSEL_ASSIGN(const auto added, file.addedTokens());
    CAROUSEL_ASSIGN(tables.tokens, file.vocabulary(added));
    CAROUSEL_ASSIGN(tables.merges, file.merges());
    tables.kinds.assign(tables.tokens.size(), TokenKind::ordinary);
    for (const auto& one : added)
        tables.kinds[static_cast<std::size_t>(one.id)] = one.special ? TokenKind::control : TokenKind::userDefined;
    CAROUSEL_ASSIGN(const auto first, file.firstSpecial());
    if (first) {
        const auto found = std::find_if(added.begin(), added.end(), [&](const auto& one) { return one.content == *first; });
        if (found == added.end())
            return file.refuse("post_processor", fmt::format("puts '{}' first, which is no added token", quotedForMessage(*first)));
        tables.beginOfText = static_cast<TokenId>(found->id);
    }
    return fromTables(std::move(tables), json.path());
}

Result<std::shared_ptr<const WordPiece>> WordPiece::fromTokenizerJson(const StrictJson& json) {
    const TokenizerFile file(json);
    const Json &model = file.root("model"), &normalizer = file.root("normalizer");
    if (const std::string type = TokenizerFile::typeOf(model); type != "WordPiece")
        return file.refuse("model.type", fmt::format("is '{}'", quotedForMessage(type)));
    CAROUSEL_TRY(file.onlyKnown("model", model,
                                {{"type", {}},
                                 {"vocab", {}},
                                 {"unk_token", {"[UNK]"}},
                                 {"continuing_subword_prefix", {"##"}},
                                 {"max_input_chars_per_word", {100}}}));
    if (const std::string type = TokenizerFile::typeOf(normalizer); type != "BertNormalizer")
        return file.refuse("normalizer", fmt::format("is '{}'; 'BertNormalizer' is known", quotedForMessage(type)));
    CAROUSEL_TRY(file.onlyKnown("normalizer", normalizer,
                                {{"type", {}},
                                 {"clean_text", {true}},
                                 {"handle_chinese_chars", {true, false}},
                                 {"strip_accents", {nullptr, true, false}},
                                 {"lowercase", {true, false}}}));
    if (const std::string type = TokenizerFile::typeOf(file.root("pre_tokenizer")); type != "BertPreTokenizer")
        return file.refuse("pre_tokenizer", fmt::format("is '{}'; 'BertPreTokenizer' is known", quotedForMessage(type)));
    Options options;
    options.lowerCase = TokenizerFile::member(normalizer, "lowercase") != Json(false);
    const Json& accents = TokenizerFile::member(normalizer, "strip_accents");
    options.stripAccents = accents.is_boolean() ? accents.get<bool>() : options.lowerCase;
    options.spaceIdeographs = TokenizerFile::member(normalizer, "handle_chinese_chars") != Json(false);
    CAROUSEL_ASSIGN(const auto added, file.addedTokens());
    for (const auto& one : added)
        if (!one.special)
            return file.refuse("added_tokens", fmt::format("has '{}', which is not special", quotedForMessage(one.content)));
    CAROUSEL_ASSIGN(auto tokens, file.vocabulary(added));
    return fromTokens(std::move(tokens), options, json.path());
}

} // namespace carousel
