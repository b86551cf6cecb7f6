// SPDX-License-Identifier: GPL-3.0-or-later
// Chat templates of each style: recognised by what they say, written as prompts that spell out to what the template would write.
#include "llm/chat_template.h"
#include <QTest>
#include <map>

using namespace carousel;

namespace {

// Letters are their own tokens; control tokens are numbers from 1000. With `blankBefore`, a text begins with a blank, as SentencePiece has
// it.
class LetterTokenizer final : public Tokenizer {
public:
    LetterTokenizer(std::vector<std::string> controls, bool blankBefore) : m_controls(std::move(controls)), m_blankBefore(blankBefore) {}
    std::vector<TokenId> encode(std::string_view text) const override {
        auto ids = encodeMiddle(text);
        if (m_blankBefore && !text.empty())
            ids.insert(ids.begin(), '^');
        return ids;
    }
    std::vector<TokenId> encodeMiddle(std::string_view text) const override {
        std::vector<TokenId> ids;
        for (const char c : text)
            ids.push_back(static_cast<unsigned char>(c));
        return ids;
    }
    std::optional<TokenId> control(std::string_view name) const override {
        for (std::size_t i = 0; i < m_controls.size(); ++i)
            if (m_controls[i] == name)
                return static_cast<TokenId>(1000 + i);
        return std::nullopt;
    }
    std::optional<TokenId> beginOfText() const override { return control("<s>"); }
    std::optional<TokenId> endOfText() const override { return control("</s>"); }
    std::string decodeBytes(std::span<const TokenId> ids) const override {
        std::string text;
        for (const TokenId id : ids)
            text += id < 1000 ? std::string(1, static_cast<char>(id)) : "{" + m_controls[static_cast<std::size_t>(id - 1000)] + "}";
        return text;
    }
    std::size_t vocabularySize() const override { return 1000 + m_controls.size(); }

private:
    std::vector<std::string> m_controls;
    bool m_blankBefore;
};

std::shared_ptr<const Tokenizer> letters(std::vector<std::string> controls, bool blankBefore = false) {
    return std::make_shared<LetterTokenizer>(std::move(controls), blankBefore);
}

// The wording of the templates that these models come with, shortened where it does not matter.
const char* const llama2 =
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% "
    "endif %}"
    "{% for message in loop_messages %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message "
    "+ "
    "'\\n<</SYS>>\\n\\n' + message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + "
    "' [/INST]' "
    "}}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
const char* const llama3 =
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content "
    "%}{% endif %}{{ "
    "content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
const char* const mistral = "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + "
                            "message['content'] + ' [/INST]' }}{% elif "
                            "message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user "
                            "and assistant roles are supported!') "
                            "}}{% endif %}{% endfor %}";
const char* const zephyr = "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\\n' + message['content'] + "
                           "eos_token }}\n{% elif message['role'] == "
                           "'system' %}\n{{ '<|system|>\\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' "
                           "%}\n{{ '<|assistant|>\\n'  + "
                           "message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ "
                           "'<|assistant|>' }}\n{% endif %}\n{% endfor %}";
const char* const qwen25 =
    "{%- if tools %}\n    {{- '<|im_start|>system\\n' }}\n    {%- if messages[0]['role'] == 'system' %}\n        {{- "
    "messages[0]['content'] }}\n    {%- else "
    "%}\n        {{- 'You are Qwen.' }}\n    {%- endif %}\n    {{- \"\\n\\n# Tools\\n\\n<tools>\" }}\n    {{- "
    "\"\\n</tools>\\n\\n<tool_call>\\n</tool_call><|im_end|>\\n\" }}\n{%- else %}\n    {%- if messages[0]['role'] == 'system' %}\n        "
    "{{- "
    "'<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}\n    {%- else %}\n        {{- '<|im_start|>system\\nYou are "
    "Qwen.<|im_end|>\\n' }}\n    {%- endif %}\n{%- endif %}\n{%- for message in messages %}\n    {%- if (message.role == \"user\") or "
    "(message.role == "
    "\"system\" and not loop.first) %}\n        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n    "
    "{%- endif "
    "%}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n";

const std::vector<ChatMessage> talk = {{"system", "Be kind"}, {"user", "Hi"}, {"assistant", "Hello"}, {"user", "Yes?"}};

} // namespace

class TestChatTemplates : public QObject {
    Q_OBJECT

private slots:
    void promptsAreWhatTheTemplateWrites_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QStringList>("controls");
        QTest::addColumn<bool>("blankBefore");
        QTest::addColumn<QString>("style");
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("answer");
        const QStringList ends{"<s>", "</s>"};
        QTest::newRow("Llama 2") << llama2 << ends << true << "Llama 2"
                                 << "{<s>}^[INST] <<SYS>>\nBe kind\n<</SYS>>\n\nHi [/INST] Hello {</s>}{<s>}^[INST] Yes? [/INST]"
                                 << " No";
        QTest::newRow("Llama 3")
            << llama3 << QStringList{"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"} << false << "Llama 3"
            << "{<|begin_of_text|>}{<|start_header_id|>}system{<|end_header_id|>}\n\nBe "
               "kind{<|eot_id|>}{<|start_header_id|>}user{<|end_header_id|>}\n\nHi{<|eot_id|>}{<|start_header_id|>}assistant{<|end_header_"
               "id|>}\n\nHello{<|eot_id|>}{<|start_header_id|>}user{<|end_header_id|>}\n\nYes?{<|eot_id|>}{<|start_header_id|>}assistant{<|"
               "end_header_id|>}\n\n"
            << "No";
        QTest::newRow("Mistral") << mistral << ends << true << "Mistral"
                                 << "{<s>}^[INST] Be kind\n\nHi [/INST] Hello{</s>}^[INST] Yes? [/INST]"
                                 << " No";
        QTest::newRow("Mistral, version 3") << mistral << QStringList{"<s>", "</s>", "[INST]", "[/INST]"} << true << "Mistral"
                                            << "{<s>}{[INST]}^Be kind\n\nHi{[/INST]}^Hello{</s>}{[INST]}^Yes?{[/INST]}"
                                            << "^No";
        QTest::newRow("Zephyr")
            << zephyr << ends << true << "Zephyr"
            << "^<|system|>\nBe kind{</s>}^\n<|user|>\nHi{</s>}^\n<|assistant|>\nHello{</s>}^\n<|user|>\nYes?{</s>}^\n<|assistant|>\n"
            << "No";
        QTest::newRow("Qwen 2.5")
            << qwen25 << QStringList{"<|im_start|>", "<|im_end|>"} << false << "ChatML"
            << "{<|im_start|>}system\nBe kind{<|im_end|>}\n{<|im_start|>}user\nHi{<|im_end|>}\n{<|im_start|>}assistant\nHello{<|im_end|>}\n"
               "{<|im_start|>}user\nYes?{<|im_end|>}\n{<|im_start|>}assistant\n"
            << "No";
    }
    void promptsAreWhatTheTemplateWrites() {
        QFETCH(QString, text);
        QFETCH(QStringList, controls);
        QFETCH(bool, blankBefore);
        std::vector<std::string> names;
        for (const QString& name : controls)
            names.push_back(name.toStdString());
        const auto tokenizer = letters(names, blankBefore);
        const auto chat = ChatTemplate::fromText(text.toStdString(), tokenizer, "t");
        QVERIFY2(chat, chat ? "" : describe(chat.error()).c_str());
        QTEST(QString(name(chat->style())), "style");
        QTEST(QString::fromStdString(chat->preview(talk)), "prompt");
        QTEST(QString::fromStdString(tokenizer->decodeBytes(chat->encodeAnswer("No"))), "answer");
        // Parts make the whole, and an open answer goes on where it was.
        auto joined = chat->openLast(talk);
        const auto rest = chat->closeAndOpenAssistant();
        joined.insert(joined.end(), rest.begin(), rest.end());
        QCOMPARE(joined, chat->prompt(talk));
        auto begun = talk;
        begun.push_back({"assistant", "No"});
        auto answered = chat->prompt(talk);
        const auto answer = chat->encodeAnswer("No");
        answered.insert(answered.end(), answer.begin(), answer.end());
        QCOMPARE(chat->prompt(begun), answered);
        QVERIFY(chat->endsTurn(chat->endOfTurn()));
        QVERIFY(!chat->endsTurn('a'));
        // What a message says cannot become a control token, nor open or close a turn.
        std::string attack;
        for (const auto& name : names)
            attack += name;
        const auto count = [&](const std::string& content) {
            const auto ids = chat->prompt({{"user", content}});
            return std::count_if(ids.begin(), ids.end(), [](TokenId id) { return id >= 1000; });
        };
        QCOMPARE(count(attack), count("x"));
    }
    void defaultSystemMessageOfQwen() {
        const auto chat = ChatTemplate::fromText(qwen25, letters({"<|im_start|>", "<|im_end|>"}), "t");
        QVERIFY(chat);
        QCOMPARE(chat->defaultSystem(), std::string("You are Qwen."));
        QCOMPARE(
            chat->preview({}),
            std::string("{<|im_start|>}system\nYou are Qwen.{<|im_end|>}\n{<|im_start|>}user\n{<|im_end|>}\n{<|im_start|>}assistant\n"));
    }
    void contentIsTrimmedWhereTheTemplateTrims() {
        const auto chat =
            ChatTemplate::fromText(llama3, letters({"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}), "t");
        QVERIFY(chat);
        QVERIFY(chat->preview({{"user", "  Hi \n"}}).find("\n\nHi{<|eot_id|>}") != std::string::npos);
        // An open message keeps its end: a branch follows.
        const auto open = chat->openLast({{"user", "  Hi "}});
        QVERIFY(chat->tokenizer().decodeBytes(open).ends_with("\n\nHi "));
    }
    void plainTextForModelsWithoutTemplate() {
        const auto chat = ChatTemplate::plain(letters({"<s>", "</s>"}));
        QCOMPARE(chat.style(), ChatStyle::plain);
        QCOMPARE(chat.warnings().size(), std::size_t(1));
        QCOMPARE(chat.preview(talk), std::string("{<s>}Be kind\n\nUser: Hi\nAssistant: Hello\nUser: Yes?\nAssistant:"));
        QCOMPARE(chat.tokenizer().decodeBytes(chat.encodeAnswer("No")), std::string(" No"));
    }
    void datesAreLeftOutWithAWarning() {
        const std::string dated = std::string("{{ 'Cutting Knowledge Date: December 2023' }}") + llama3;
        const auto chat =
            ChatTemplate::fromText(dated, letters({"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}), "t");
        QVERIFY(chat);
        QCOMPARE(chat->warnings().size(), std::size_t(1));
        QVERIFY(chat->preview(talk).find("Cutting") == std::string::npos);
    }
    void unknownTemplatesAreRefused() {
        const auto all = letters({"<s>", "</s>", "<|im_start|>", "<|im_end|>"});
        for (const std::string text :
             {"", "{{ messages }}", "{{ bos_token }}{% for m in messages %}### Human: {{ m['content'] }}{{ eos_token }}{% endfor %}",
              "{% for message in messages %}{{ '<|user|>\\n' + message['content'] + '<|end|>\\n<|assistant|>\\n' + eos_token }}{% endfor "
              "%}",
              "[INST] {{ message['content'] }} [/INST]", "<start_of_turn>{{ message['role'] }}"}) {
            const auto chat = ChatTemplate::fromText(text, all, "t");
            QVERIFY2(!chat, text.c_str());
            QCOMPARE(chat.error().code, std::string("CL-2063"));
        }
        // The style is known, but the tokenizer lacks its control tokens.
        for (const char* text : {llama2, llama3, mistral, zephyr, qwen25})
            QCOMPARE(ChatTemplate::fromText(text, letters({}), "t").error().code, std::string("CL-2063"));
    }
};

QTEST_GUILESS_MAIN(TestChatTemplates)
#include "test_chat_templates.moc"
