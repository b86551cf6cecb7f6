# SPDX-License-Identifier: GPL-3.0-or-later
"""Malformed GGUF files: every rule of the reader from several sides, each with the code of the error that must come of it."""
import struct

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMATS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}
HUGE = (1 << 64) - 1


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text(value, length=None):
    value = value.encode() if isinstance(value, str) else value
    return u64(len(value) if length is None else length) + value


def key(name, kind, value=b""):
    return text(name) + u32(kind) + value


def array(name, kind, count, data=b""):
    return key(name, ARRAY, u32(kind) + u64(count) + data)


def tensor(name, dims, kind, offset, rank=None):
    return text(name) + u32(len(dims) if rank is None else rank) + b"".join(u64(extent) for extent in dims) + u32(kind) + u64(offset)


class Gguf:
    """A sound file of two tensors and seven keys; change a part before asking for the bytes."""

    def __init__(self):
        self.magic, self.version, self.tensor_count, self.key_count, self.alignment = b"GGUF", 3, None, None, 32
        self.keys = [key("general.architecture", STRING, text("llama")), key("general.alignment", U32, u32(32)), key("a.real", F32, struct.pack("<f", 1.5)),
                     array("a.list", I32, 3, struct.pack("<3i", -1, 2, 3)), array("some.texts", STRING, 2, text("one") + text("two")),
                     key("a.switch", BOOL, b"\1"), key("a.large", U64, u64(1 << 40))]
        self.tensors = [tensor("first", [64], 0, 0), tensor("second", [32, 2], 8, 256)]
        self.data = struct.pack("<64f", *(i / 4 for i in range(64))) + b"\x00\x38" + bytes(32) + b"\x00\x38" + bytes(range(32))

    def bytes(self):
        head = self.magic + u32(self.version) + u64(len(self.tensors) if self.tensor_count is None else self.tensor_count)
        head += u64(len(self.keys) if self.key_count is None else self.key_count) + b"".join(self.keys) + b"".join(self.tensors)
        return head + bytes(-len(head) % self.alignment) + self.data


def changed(change):
    file = Gguf()
    change(file)
    return file.bytes()


def cases():
    found = []

    def add(title, change, code):
        found.append((title, changed(change) if callable(change) else change, code))

    def setting(**values):
        return lambda file: [setattr(file, name, value) for name, value in values.items()]

    def with_key(data):
        return lambda file: file.keys.__setitem__(2, data)

    def with_tensor(place, *parts, **more):
        return lambda file: file.tensors.__setitem__(place, tensor(*parts, **more))

    good = Gguf().bytes()
    # 1 size and magic
    for size in (0, 1, 4, 8, 16, 23):
        add(f"{size} bytes", good[:size], "CL-2011")
    for magic in (b"GGUX", b"FUGG", b"gguf", b"\0\0\0\0", b"GGML", b"PK\3\4"):
        add(f"magic {magic!r}", setting(magic=magic), "CL-2011")
    # 2 version
    for version in (0, 1, 4, 255, 1 << 16, 1 << 31, (1 << 32) - 1):
        add(f"version {version}", setting(version=version), "CL-2012")
    for version in (2, 3):
        add(f"big endian {version}", setting(version=version << 24), "CL-2012")
    # 3 counts
    left = (len(good) - 24) // 24
    for count in (left + 1, (1 << 20) + 1, 1 << 31, 1 << 32, 1 << 60, 1 << 63, HUGE):
        add(f"{count} tensors", setting(tensor_count=count), "CL-2013")
    left = (len(good) - 24) // 13
    for count in (left + 1, (1 << 16) + 1, 1 << 32, 1 << 61, 1 << 63, HUGE):
        add(f"{count} keys", setting(key_count=count), "CL-2013")
    add("2^20 + 1 tensors in a file long enough", setting(tensor_count=(1 << 20) + 1, data=bytes(25 << 20)), "CL-2013")
    add("2^16 + 1 keys in a file long enough", setting(key_count=(1 << 16) + 1, data=bytes(1 << 20)), "CL-2013")
    # 4 lengths of texts
    for length in (HUGE, 1 << 63, 1 << 32, len(good)):
        add(f"key of {length} bytes", with_key(text("a.real", length) + u32(F32) + bytes(4)), "CL-2014")
    add("key without letters", with_key(key("", U32, u32(1))), "CL-2014")
    add("key of 65536 bytes", with_key(key("k" * 65536, U32, u32(1))), "CL-2014")
    for length in (HUGE, HUGE - 7, 1 << 63, 1 << 40, 1 << 20):
        add(f"text of {length} bytes", with_key(key("long", STRING, u64(length))), "CL-2014")
    add("tensor name without letters", with_tensor(0, "", [64], 0, 0), "CL-2014")
    add("tensor name of 64 bytes", with_tensor(0, "t" * 64, [64], 0, 0), "CL-2014")
    add("tensor name of 2^64 - 1 bytes", lambda file: file.tensors.__setitem__(0, text("first", HUGE) + u32(1) + u64(64) + u32(0) + u64(0)), "CL-2014")
    add("cut within a value", good[:24] + key("a.key.of.some.length", F64, bytes(3)), "CL-2013")
    only = Gguf()
    only.keys, only.tensors, only.data, only.alignment = [key("a.key.of.some.length", F64, bytes(8))], [], b"", 1
    add("cut within the last value", only.bytes()[:-5], "CL-2014")
    add("cut within the last type", only.bytes()[:-9], "CL-2014")
    add("cut within a name", only.bytes()[:-20], "CL-2014")
    # 5 names twice
    for place in (0, 2, 4, 5):
        add(f"key {place} twice", lambda file, place=place: file.keys.append(file.keys[place]), "CL-2015")
    add("key twice with another type", lambda file: file.keys.append(key("a.real", U32, u32(1))), "CL-2015")
    add("alignment twice", lambda file: file.keys.append(key("general.alignment", U32, u32(64))), "CL-2015")
    add("tensor twice", with_tensor(1, "first", [32, 2], 8, 256), "CL-2015")
    add("tensor three times", lambda file: file.tensors.extend([tensor("second", [32, 2], 8, 352)] * 2), "CL-2015")
    # 6 types of keys
    for kind in (13, 14, 255, 256, 1 << 16, 1 << 31, (1 << 32) - 1):
        add(f"key type {kind}", with_key(key("odd", kind, bytes(8))), "CL-2016")
    for kind in (13, 99, 1 << 31, (1 << 32) - 1):
        add(f"array of type {kind}", with_key(array("odd", kind, 1, bytes(16))), "CL-2016")
    add("array of arrays", with_key(array("odd", ARRAY, 1, u32(U8) + u64(1) + b"\0")), "CL-2016")
    add("array of no arrays", with_key(array("odd", ARRAY, 0)), "CL-2016")
    # 7 lengths of arrays
    for kind, count in ((U32, HUGE), (U8, HUGE), (STRING, HUGE), (F64, (1 << 61) + 1), (U32, (1 << 62) + 1), (U16, (1 << 63) + 1), (STRING, (1 << 61) + 1),
                        (I64, 1 << 40), (U8, 1 << 20), (STRING, 1000), (BOOL, 1 << 63), (F32, 1 << 32)):
        add(f"array of {count} of type {kind}", with_key(array("odd", kind, count)), "CL-2017")
    add("array of 2^23 + 1", with_key(array("odd", U8, (8 << 20) + 1, bytes((8 << 20) + 1))), "CL-2017")
    add("arrays of 2^23 + 1 together", lambda file: file.keys.extend([array("x", U8, 4 << 20, bytes(4 << 20)), array("y", I8, (4 << 20) - 4, bytes((4 << 20) - 4))]), "CL-2017")
    add("element of 2^63", with_key(array("odd", U64, 2, u64(1) + u64(1 << 63))), "CL-2017")
    add("text of an array beyond the file", with_key(array("odd", STRING, 1, u64(1 << 30))), "CL-2014")
    add("second text of an array of 2^64 - 1 bytes", with_key(array("odd", STRING, 2, text("a") + u64(HUGE))), "CL-2014")
    # 9 alignment
    for kind, value in ((STRING, text("32")), (U64, u64(32)), (I32, u32(32)), (U8, b"\x20"), (F32, struct.pack("<f", 32)), (BOOL, b"\1"), (ARRAY, u32(U32) + u64(1) + u32(32))):
        add(f"alignment of type {kind}", lambda file, kind=kind, value=value: file.keys.__setitem__(1, key("general.alignment", kind, value)), "CL-2018")
    for value in (0, 1, 2, 4, 7, 9, 24, 33, 48, (1 << 20) + 1, 1 << 21, 1 << 31, (1 << 32) - 1):
        add(f"alignment {value}", lambda file, value=value: file.keys.__setitem__(1, key("general.alignment", U32, u32(value))), "CL-2018")
    # 10, 11 dimensions
    for rank in (5, 6, 64, 255, 1 << 31, (1 << 32) - 1):
        add(f"{rank} dimensions", with_tensor(0, "first", [1] * min(rank, 8), 0, 0, rank=rank), "CL-2019")
    for dims in ([HUGE], [1 << 63], [64, HUGE], [64, 1, 1 << 63], [1 << 32, 1 << 32], [(1 << 63) - 1, 2], [1 << 31, 1 << 31, 2], [1 << 16] * 4, [3, 1 << 62],
                 [1 << 62, 2, 0], [HUGE, 0]):
        add(f"dimensions {dims}", with_tensor(0, "first", dims, 0, 0), "CL-2019")
    # 12 types of tensors
    for kind in (4, 5, 31, 32, 33, 36, 37, 38, 40, 100, 1000, 1 << 31, (1 << 32) - 1):
        add(f"tensor type {kind}", with_tensor(0, "first", [64], kind, 0), "CL-2020")
    # 13 whole blocks
    for kind, dims in ((8, [33, 2]), (8, [31]), (2, [16]), (3, [1]), (6, [48]), (7, [8, 32]), (12, [128]), (14, [255]), (14, [257]), (12, []), (8, [])):
        add(f"rows {dims} of type {kind}", with_tensor(1, "second", dims, kind, 256), "CL-2021")
    # 14, 15, 18 sizes that wrap
    for kind, dims in ((0, [1 << 62]), (27, [1 << 60]), (0, [1 << 61, 1]), (28, [4, 1 << 58]), (24, [(1 << 63) - 1]), (24, [(1 << 63) - 31]), (0, [4, (1 << 30) - 1, (1 << 30) + 1])):
        add(f"bytes of {dims} of type {kind}", with_tensor(0, "first", dims, kind, 0), "CL-2022")
    add("sum of two sizes wraps", lambda file: setattr(file, "tensors", [tensor("a", [1 << 62], 24, 0), tensor("b", [1 << 62], 24, 1 << 62)]), "CL-2022")
    # 16 offsets
    for offset in (0, 1, 31, 32, 224, 255, 257, 264, 288, 512, 1 << 32, 1 << 63, HUGE - 31, HUGE):
        add(f"second tensor at {offset}", with_tensor(1, "second", [32, 2], 8, offset), "CL-2023")
    for offset in (1, 32, HUGE):
        add(f"first tensor at {offset}", with_tensor(0, "first", [64], 0, offset), "CL-2023")
    add("tensors in another order", lambda file: file.tensors.reverse(), "CL-2023")
    add("offsets for another alignment", lambda file: file.keys.__setitem__(1, key("general.alignment", U32, u32(512))), "CL-2023")
    # 17 data within the file
    for size in (len(good) - 1, len(good) - 33, len(good) - 68, len(good) - 69, len(good) - 324):
        add(f"cut to {size} bytes", good[:size], "CL-2024")
    add("exabytes announced", with_tensor(1, "second", [32, 1 << 52], 8, 256), "CL-2024")
    add("one row more than there is", with_tensor(1, "second", [32, 3], 8, 256), "CL-2024")
    add("data of 2^40 bytes", lambda file: setattr(file, "tensors", [tensor("a", [1 << 40], 24, 0)]), "CL-2024")
    return found


def sound():
    """Files that must be accepted: the limits from inside."""
    yield "good", Gguf().bytes()
    for version in (2, 3):
        yield f"version {version}", changed(lambda file: setattr(file, "version", version))
    yield "key of 65535 bytes", changed(lambda file: file.keys.append(key("k" * 65535, U8, b"\0")))
    yield "tensor name of 63 bytes", changed(lambda file: file.tensors.__setitem__(0, tensor("t" * 63, [64], 0, 0)))
    yield "alignment 8", changed(lambda file: file.keys.__setitem__(1, key("general.alignment", U32, u32(8))))
    yield "four dimensions and a zero", changed(lambda file: [file.tensors.append(tensor("none", [32, 0, 1 << 40, 2], 8, 352)), setattr(file, "data", file.data + bytes(28))])
    yield "a number without dimensions", changed(lambda file: [file.tensors.append(tensor("one", [], 0, 352)), setattr(file, "data", file.data + bytes(40))])
    yield "boolean 7", changed(lambda file: file.keys.__setitem__(5, key("a.switch", BOOL, b"\7")))
    yield "no keys, no tensors", Gguf().magic + u32(3) + u64(0) + u64(0)
    yield "key that is not UTF-8", changed(lambda file: file.keys.append(key(b"\xff\xfe", U8, b"\0")))


def tiny_llama():
    """A whole decoder of one block with its tokenizer, so that mutants reach what reads shapes and tokens."""
    file = Gguf()
    letters = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100), *range(0x100, 0x144)]
    tokens = ["<|a|>", "<|b|>"] + [chr(code) for code in letters] + ["ab", "abc"]
    while len(tokens) % 2:
        tokens.append(f"x{len(tokens)}")
    vocabulary, width, inner = len(tokens), 32, 32
    numbers = {"block_count": 1, "embedding_length": width, "feed_forward_length": inner, "attention.head_count": 2, "attention.head_count_kv": 1, "context_length": 64,
               "rope.dimension_count": 16, "vocab_size": vocabulary}
    file.keys = [key("general.architecture", STRING, text("llama"))] + [key("llama." + name, U32, u32(value)) for name, value in numbers.items()]
    file.keys += [key("llama.attention.layer_norm_rms_epsilon", F32, struct.pack("<f", 1e-5)), key("llama.rope.freq_base", F32, struct.pack("<f", 10000)),
                  key("tokenizer.ggml.model", STRING, text("gpt2")), key("tokenizer.ggml.pre", STRING, text("smollm")),
                  array("tokenizer.ggml.tokens", STRING, vocabulary, b"".join(text(token) for token in tokens)),
                  array("tokenizer.ggml.token_type", I32, vocabulary, b"".join(struct.pack("<i", 3 if i < 2 else 1) for i in range(vocabulary))),
                  array("tokenizer.ggml.scores", F32, vocabulary, bytes(4 * vocabulary)),
                  array("tokenizer.ggml.merges", STRING, 2, text("a b") + text("ab c")), key("tokenizer.ggml.bos_token_id", U32, u32(0)),
                  key("tokenizer.ggml.eos_token_id", U32, u32(1))]
    shapes = {"token_embd": (width, vocabulary), "output_norm": (width,), "blk.0.attn_norm": (width,), "blk.0.attn_q": (width, width), "blk.0.attn_k": (width, 16),
              "blk.0.attn_v": (width, 16), "blk.0.attn_output": (width, width), "blk.0.ffn_norm": (width,), "blk.0.ffn_gate": (width, inner),
              "blk.0.ffn_up": (width, inner), "blk.0.ffn_down": (inner, width)}
    file.tensors, offset = [], 0
    for name, dims in shapes.items():
        kind, size = (0, 4 * dims[0]) if len(dims) == 1 else (3, dims[0] // 32 * 20 * dims[1])
        file.tensors.append(tensor(name + ".weight", dims, kind, offset))
        offset += size + -size % 32
    file.data = bytes(offset)
    return file.bytes()
