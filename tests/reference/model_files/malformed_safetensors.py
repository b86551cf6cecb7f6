# SPDX-License-Identifier: GPL-3.0-or-later
"""Malformed safetensors files: every rule of the reader from several sides, each with the code of the error that must come of it."""
import struct

GOOD = '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"n":{"dtype":"I64","shape":[1],"data_offsets":[16,24]}}'
DATA = struct.pack("<4fq", 1, -2, 0.5, 4, 7)


def file(header, data=b"", length=None):
    header = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def one(entry, data=b"abcd"):
    return file('{"w":' + entry + "}", data)


def entry(dtype='"U8"', shape="[4]", offsets="[0,4]"):
    return f'{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}'


def two(first, second, data):
    return file(f'{{"a":{entry(shape=first[0], offsets=first[1])},"b":{entry(shape=second[0], offsets=second[1])}}}', data)


def cases():
    found = []

    def add(title, data, code):
        found.append((title, data, code))

    good = file(GOOD, DATA)
    # 1, 2, 3 lengths
    for size in (0, 1, 7):
        add(f"{size} bytes", good[:size], "CL-2041")
    for length in (100_000_001, 1 << 32, 1 << 63, (1 << 64) - 8, (1 << 64) - 1):
        add(f"header of {length} bytes", file("{}" + " " * 64, length=length), "CL-2042")
    for length in (3, 10, 1000, 100_000_000):
        add(f"header of {length} bytes in a file of 10", file("{}", length=length), "CL-2043")
    # 4 UTF-8
    for name, text in (("a stray byte", b"\xff"), ("a cut character", b"\xe2\x82"), ("an overlong slash", b"\xc0\xaf"), ("half a pair", b"\xed\xa0\x80"), ("beyond Unicode", b"\xf4\x90\x80\x80")):
        add(f"header with {name}", file(b'{"' + text + b'":1}'), "CL-2044")
    # 5, 6 JSON
    for name, header in (("a blank first", " " + GOOD), ("a list", "[]"), ("nothing", ""), ("a byte order mark", "\ufeff{}"), ("cut", GOOD[:60]), ("without its end", GOOD[:-1]), ("two objects", "{}{}"),
                         ("a comma too many", '{"w":' + entry() + ",}"), ("a comment", "{/**/}"), ("single quotes", "{'w':1}"), ("words after it", "{} x"),
                         ("a NUL after it", "{}\0"), ("a NUL within", '{"\0":1}'), ("NaN", '{"w":NaN}'), ("a line end in a text", '{"a\nb":1}'), ("half a pair escaped", '{"\\ud800":1}')):
        add(f"header: {name}", file(header, DATA), "CL-2045")
    # keys twice
    add("tensor twice", file(f'{{"w":{entry()},"w":{entry()}}}', b"abcd"), "CL-2046")
    add("tensor twice, once escaped", file(f'{{"w":{entry()},"\\u0077":{entry()}}}', b"abcd"), "CL-2046")
    add("dtype twice", one('{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}'), "CL-2046")
    add("shape twice", one('{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}'), "CL-2046")
    add("metadata twice", file('{"__metadata__":{},"__metadata__":{}}'), "CL-2046")
    add("metadata key twice", file('{"__metadata__":{"a":"1","a":"2"}}'), "CL-2046")
    # 8 metadata
    for name, value in (("a number", "1"), ("true", "true"), ("null", "null"), ("a list", "[]"), ("an object", '{"b":"c"}'), ("a fraction", "1.5")):
        add(f"metadata with {name}", file(f'{{"__metadata__":{{"a":{value}}}}}'), "CL-2048")
    # 9 entries
    add("metadata is a text", file('{"__metadata__":"x"}'), "CL-2049")
    for name, value in (("a number", "3"), ("null", "null"), ("a text", '"F32"'), ("a list", "[]"), ("nothing", "{}")):
        add(f"entry is {name}", one(value), "CL-2049")
    add("entry without dtype", one('{"shape":[4],"data_offsets":[0,4]}'), "CL-2049")
    add("entry without shape", one('{"dtype":"U8","data_offsets":[0,4]}'), "CL-2049")
    add("entry without offsets", one('{"dtype":"U8","shape":[4]}'), "CL-2049")
    add("entry with more", one('{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}'), "CL-2049")
    add("entry with Dtype", one('{"Dtype":"U8","shape":[4],"data_offsets":[0,4]}'), "CL-2049")
    add("dtype is a number", one(entry(dtype="8")), "CL-2049")
    add("shape is a number", one(entry(shape="4")), "CL-2049")
    add("offsets are an object", one(entry(offsets='{"0":4}')), "CL-2049")
    add("one offset", one(entry(offsets="[4]")), "CL-2049")
    add("no offsets", one(entry(offsets="[]")), "CL-2049")
    for dtype in ("F7", "f32", "", "Q4_0", "F32 ", "C64"):
        add(f"dtype '{dtype}'", one(entry(dtype=f'"{dtype}"')), "CL-2051")
    # 7, 10, 14 shapes and numbers
    for shape in ("[-4]", "[-0]", "[4.0]", "[4e0]", "[0.5]", '["4"]', "[true]", "[null]", "[[4]]", "[{}]", "[18446744073709551616]", "[99999999999999999999]",
                  "[4294967296,4294967296]", "[9223372036854775808,2]", "[3,6148914691236517206]"):
        add(f"shape {shape}", one(entry(shape=shape)), "CL-2050")
    add("shape beyond any number", one(entry(shape="[1e400]")), "CL-2045")
    add("bytes that wrap", one(entry(dtype='"F64"', shape="[2305843009213693952]", offsets="[0,0]"), b""), "CL-2050")
    add("65 dimensions", one(entry(shape="[" + ",".join(["1"] * 65) + "]", offsets="[0,1]"), b"a"), "CL-2050")
    add("nested 200,000 deep", one('{"shape":' + "[" * 200000 + "}"), "CL-2050")
    for offsets in ("[0,4,4]", "[0,-4]", "[0,4.0]", '["0","4"]', "[0,18446744073709551620]"):
        add(f"offsets {offsets}", one(entry(offsets=offsets)), "CL-2050")
    # 11 spans
    for offsets in ("[4,0]", "[0,3]", "[0,5]", "[1,4]", "[0,18446744073709551615]", "[18446744073709551612,18446744073709551615]"):
        add(f"four bytes from {offsets}", one(entry(offsets=offsets)), "CL-2052")
    add("beyond 2^53 is not rounded", one(entry(shape="[9007199254740993]", offsets="[0,9007199254740992]")), "CL-2052")
    add("no elements in four bytes", one(entry(shape="[0]")), "CL-2052")
    # 12 cover
    add("first not at 0", one(entry(offsets="[1,5]"), b"abcde"), "CL-2053")
    add("near the end of 64 bits", one(entry(offsets="[18446744073709551600,18446744073709551604]")), "CL-2053")
    add("a hole", two(("[2]", "[0,2]"), ("[1]", "[3,4]"), b"abcd"), "CL-2053")
    add("an overlap", two(("[2]", "[0,2]"), ("[2]", "[1,3]"), b"abc"), "CL-2053")
    add("the same place twice", two(("[2]", "[0,2]"), ("[2]", "[0,2]"), b"ab"), "CL-2053")
    # 13 end
    for size in (1, 8, 23, 24):
        add(f"{size} bytes of data cut", good[:-size], "CL-2054")
    for more in (1, 8, 4096):
        add(f"{more} bytes more", good + bytes(more), "CL-2054")
    add("data without tensors", file("{}", b"abcd"), "CL-2054")
    return found


def sound():
    """Files that must be accepted: the limits from inside."""
    yield "good", file(GOOD, DATA)
    yield "no tensors", file("{}")
    yield "blanks after the object", file(GOOD + "   ", DATA)
    yield "64 dimensions", one(entry(shape="[" + ",".join(["1"] * 63 + ["4"]) + "]"))
    yield "no dimensions", one(entry(shape="[]", offsets="[0,1]"), b"a")
    yield "no elements", two(("[0,9]", "[0,0]"), ("[2]", "[0,2]"), b"ab")
    yield "name escaped", file(f'{{"\\u00e9\\n":{entry()}}}', b"abcd")
