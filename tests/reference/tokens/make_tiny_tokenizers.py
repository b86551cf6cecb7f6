# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains tokenizers of a few hundred tokens, one of each kind that src/llm reads, and writes them with the ids that their own libraries give.

usage: make_tiny_tokenizers.py      (needs the packages tokenizers, sentencepiece and regex)

Into tiny/: NAME.json (tokenizer.json) or NAME.model (SentencePiece), NAME.tsv (a text as an ASCII JSON string, a tab, the ids), and for
SentencePiece NAME.pieces.tsv (piece, score, type: what a GGUF file would hold) and NAME.middle.tsv (ids without a blank before the text).
"""
import json
import os
import random

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from make_token_goldens import HAND, PIECES, WORDPIECE

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiny")
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CORPUS = [text for text in HAND if len(text) < 100] + [
    "The movie was shown in 1995 and again in 2003.", "Toy Story (1995): Animation, Children's, Comedy", "It's what we'd have said; they'll say it's there's.",
    "for (int i = 0; i < n; ++i) {\n    total += values[i];\n}\n", "  two blanks,   three,\n\n\nand\tlines\r\n", "The capital of France is Paris. The capital of Italy is Rome.",
] * 6


def texts():
    source = random.Random(4)
    made = ["".join(source.choice(PIECES) for _ in range(source.randint(2, 24))) for _ in range(80)]
    extra = ["IT'S HE'LL We'Re", "it'\u017f", "\u00a0word", "\u2003\u2003word", "a\n\n b", " \n \n x", "x \r\n\r\ny", "...\n\n!", "  ...", "\n...", "12345678", "1\u00bd2\u0663", "tab\tword", "(word", " (word", "_word_", "<tool>call</tool>x <tool> y"]
    return [text for text in dict.fromkeys(HAND + extra + made) if len(text) < 220]


def write(name, rows):
    with open(os.path.join(HERE, name), "w", encoding="ascii", newline="\n") as stream:
        for text, ids in rows:
            stream.write(json.dumps(text) + "\t" + " ".join(map(str, ids)) + "\n")


def byte_level(name, pre, specials, size, normalizer=None, begin=None, ignore_merges=False, old_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    if begin:
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, tokenizer.token_to_id(begin))])])
    content = json.loads(tokenizer.to_str())
    if old_merges:
        content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    if ignore_merges:  # a token that no merges lead to, as Llama 3 has them
        content["model"]["vocab"]["unmergeable"] = len(content["model"]["vocab"])
        content["added_tokens"][-1]["id"] += 1  # <tool>, which follows the vocabulary
    path = os.path.join(HERE, name + ".json")
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        json.dump(content, stream, ensure_ascii=False, separators=(",", ":"))
        stream.write("\n")
    again = Tokenizer.from_file(path)
    again.encode_special_tokens = True
    more = ["unmergeable", " unmergeable", "unmergeable unmergeable"] if ignore_merges else []
    write(name + ".tsv", [(text, again.encode(text, add_special_tokens=False).ids) for text in texts() + more])


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS + WORDPIECE, trainer)
    path = os.path.join(HERE, "wordpiece_cased.json")
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
    again = Tokenizer.from_file(path)
    again.encode_special_tokens = True
    write("wordpiece_cased.tsv", [(text, again.encode(text, add_special_tokens=False).ids) for text in dict.fromkeys(WORDPIECE)])


def sentence_piece(name, **options):
    os.chdir(HERE)  # the trainer writes the paths that it is given into the model: names alone
    corpus = "corpus.txt"
    with open(corpus, "w", encoding="utf-8") as stream:
        for text in CORPUS:
            stream.write(text.replace("\n", " ").replace("\r", " ").replace("\0", "") + "\n")
    path = name
    sentencepiece.SentencePieceTrainer.train(input=corpus, model_prefix=path, num_threads=1, minloglevel=2, **options)
    os.remove(corpus), os.remove(path + ".vocab")
    processor = sentencepiece.SentencePieceProcessor(model_file=path + ".model")
    keep = [text for text in texts() if "\0" not in text]
    write(name + ".tsv", [(text, processor.encode(text)) for text in keep])
    kinds = [(processor.is_unknown, 2), (processor.is_control, 3), (processor.is_unused, 5), (processor.is_byte, 6)]
    defined = options.get("user_defined_symbols", [])
    with open(path + ".pieces.tsv", "w", encoding="ascii", newline="\n") as stream:
        for i in range(processor.get_piece_size()):
            piece = processor.id_to_piece(i)
            kind = next((kind for test, kind in kinds if test(i)), 4 if piece in defined else 1)
            stream.write(f"{json.dumps(piece)}\t{processor.get_score(i)!r}\t{kind}\n")
    middle = sentencepiece.SentencePieceProcessor()
    with open(path + ".model", "rb") as stream:
        middle.load_from_serialized_proto(stream.read() + b"\x1a\x02\x18\x00")
    write(name + ".middle.tsv", [(text, middle.encode(text)) for text in keep[:120]])


def main():
    os.makedirs(HERE, exist_ok=True)
    parts, split = pre_tokenizers, lambda expression: pre_tokenizers.Split(Regex(expression), "isolated")
    plain, cutting = (lambda: parts.ByteLevel(add_prefix_space=False, use_regex=False)), (lambda: parts.ByteLevel(add_prefix_space=False, use_regex=True))
    byte_level("gpt2", cutting(), ["<|endoftext|>"], 420, old_merges=True)
    byte_level("smollm", parts.Sequence([parts.Digits(individual_digits=True), cutting()]), ["<|im_start|>", "<|im_end|>"], 420)
    byte_level("llama3", parts.Sequence([split(LLAMA3), plain()]), ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"], 440, begin="<|begin_of_text|>", ignore_merges=True)
    byte_level("qwen2", parts.Sequence([split(QWEN2), plain()]), ["<|im_start|>", "<|im_end|>"], 420, normalizer=normalizers.NFC())
    word_piece()
    sentence_piece("llama2", model_type="bpe", vocab_size=620, byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
                   split_digits=True, allow_whitespace_only_pieces=True, user_defined_symbols=["<tool>"], character_coverage=0.98)
    rules = "rules.tsv"
    with open(os.path.join(HERE, rules), "w", encoding="ascii") as stream:  # a small map: two wide letters, a ligature, a composed letter, ends of lines
        stream.write("FF21\t41\nFF22\t42\nFB01\t66 69\n65 301\tE9\nA\t20\nD\t20\n9\t20\n")
    sentence_piece("t5", model_type="unigram", vocab_size=300, normalization_rule_tsv=rules, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    os.remove(os.path.join(HERE, rules))


if __name__ == "__main__":
    main()
