# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict readers of GGUF and safetensors headers, written from the formats' descriptions alone and with nothing but the standard library: what
they refuse, the program must not accept. Each returns nothing and raises Refused."""
import json
import struct

# type: (elements, bytes) of a block; those that the format has given out and not taken back
GGUF_TYPES = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144),
              13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
              22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
              35: (256, 66), 39: (32, 17)}
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
HEADER_LIMIT, ARRAY_LIMIT = 128 << 20, 8 << 20


class Refused(Exception):
    pass


def need(condition, rule):
    if not condition:
        raise Refused(rule)


def read_gguf(data):
    at = 0
    end = min(len(data), HEADER_LIMIT)

    def take(count):
        nonlocal at
        need(count <= end - at, "inside the file")
        at += count
        return data[at - count:at]

    def u32():
        return struct.unpack("<I", take(4))[0]

    def u64():
        return struct.unpack("<Q", take(8))[0]

    def string(low, high):
        length = u64()
        need(low <= length <= high, "length of a text")
        return take(length)

    need(len(data) >= 24, "24 bytes")
    need(take(4) == b"GGUF", "magic")
    need(u32() in (2, 3), "version")
    tensors, keys = u64(), u64()
    need(tensors <= min(1 << 20, (len(data) - at) // 24), "tensor count")
    need(keys <= min(1 << 16, (len(data) - at) // 13), "key count")
    seen, alignment, elements = set(), 32, 0
    for _ in range(keys):
        key = string(1, 65535)
        need(key not in seen, "keys once")
        seen.add(key)
        kind = u32()
        need(kind <= 12, "key type")
        need(key != b"general.alignment" or kind == 4, "type of the alignment")
        if kind == 8:
            string(0, HEADER_LIMIT)
        elif kind == 9:
            inner, count = u32(), u64()
            need(inner in SCALARS or inner == 8, "element type")
            need(count * SCALARS.get(inner, 8) <= end - at, "array inside the file")
            elements += count
            need(elements <= ARRAY_LIMIT, "elements of all arrays")
            if inner == 8:
                for _ in range(count):
                    string(0, HEADER_LIMIT)
            else:
                values = take(count * SCALARS[inner])
                if inner == 10:
                    need(all(value < 1 << 63 for value in struct.unpack(f"<{count}Q", values)), "63 bits")
        else:
            value = take(SCALARS[kind])
            if key == b"general.alignment":
                alignment = struct.unpack("<I", value)[0]
    need(alignment >= 8 and alignment <= 1 << 20 and alignment & (alignment - 1) == 0, "alignment")
    names, placed = set(), []
    for _ in range(tensors):
        name = string(1, 63)
        need(name not in names, "tensors once")
        names.add(name)
        rank = u32()
        need(rank <= 4, "rank")
        dims, product = [], 1
        for _ in range(rank):
            extent = u64()
            need(extent < 1 << 63, "dimension")
            product *= extent
            need(product < 1 << 63, "elements")
            dims.append(extent)
        kind = u32()
        need(kind in GGUF_TYPES, "tensor type")
        block, size = GGUF_TYPES[kind]
        need((dims[0] if dims else 1) % block == 0, "whole blocks")
        bytes_needed = product // block * size
        need(bytes_needed + alignment - 1 < 1 << 63, "bytes")
        placed.append((u64(), bytes_needed))
    start = (at + alignment - 1) // alignment * alignment
    expected = 0
    for offset, size in placed:
        need(offset == expected, "offsets follow one another")
        need(start + offset + size <= len(data), "data inside the file")
        expected += (size + alignment - 1) // alignment * alignment
        need(start + expected < 1 << 63, "sum of sizes")


DTYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1}


def read_safetensors(data):
    need(len(data) >= 8, "8 bytes")
    length = struct.unpack("<Q", data[:8])[0]
    need(length <= 100_000_000 and length + 8 <= len(data), "header length")
    header = data[8:8 + length]
    need(header[:1] == b"{" and b"\0" not in header, "an object")

    def pairs(found):
        names = [name for name, _ in found]
        need(len(set(names)) == len(names), "keys once")
        for name in names:
            name.encode("utf-8")  # no half of a surrogate pair
        return dict(found)

    def integer(text):
        need(not text.startswith("-"), "not negative")
        need(int(text) < 1 << 64, "64 bits")
        return int(text)

    def refuse(_):
        raise Refused("a number that is no integer")

    try:
        root = json.loads(header.decode("utf-8"), object_pairs_hook=pairs, parse_int=integer, parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as problem:
        raise Refused(f"JSON: {problem}") from None
    spans = []
    for name, entry in root.items():
        need(isinstance(entry, dict), "entries are objects")
        if name == "__metadata__":
            for value in entry.values():
                need(isinstance(value, str), "metadata is text")
                try:
                    value.encode("utf-8")
                except UnicodeError:
                    raise Refused("half of a surrogate pair") from None
            continue
        need(set(entry) == {"dtype", "shape", "data_offsets"}, "fields of an entry")
        need(isinstance(entry["dtype"], str) and entry["dtype"] in DTYPES, "dtype")
        shape, offsets = entry["shape"], entry["data_offsets"]
        need(isinstance(shape, list) and len(shape) <= 64 and all(type(extent) is int for extent in shape), "shape")
        need(isinstance(offsets, list) and len(offsets) == 2 and all(type(offset) is int for offset in offsets), "offsets")
        product = 1
        for extent in shape:
            product *= extent
            need(product < 1 << 64, "elements")
        size = product * DTYPES[entry["dtype"]]
        need(size < 1 << 64, "bytes")
        need(offsets[0] <= offsets[1] and offsets[1] - offsets[0] == size, "span")
        spans.append(tuple(offsets))
    at = 0
    for begin, end in sorted(spans):
        need(begin == at, "no hole, no overlap")
        at = end
    need(at + 8 + length == len(data), "data end with the file")
