"""Writes hostile.json.gz: malformed and mutated safetensors files, each with the Rust reference's verdict.

Versions used: Python 3.11, safetensors 0.8.0 (its Python binding calls the Rust reader). Seed: 20250617.
Run in this directory: python hostile.py

A case is [name, file in base64, what the reference reads or null where it refuses, flags]. What it reads is a list of
[name, dtype, shape, first 12 digits of the bytes' sha-256], by name. Flags name the two reasons why we refuse what the reference
accepts: "duplicate" for a key twice in one object, "beyond" for a dimension that no int64 holds.
"""

import base64
import gzip
import hashlib
import json
import random
import struct
import sys

import safetensors

SEED = 20250617
rng = random.Random(SEED)
sys.set_int_max_str_digits(0)
cases = {}


def add(name, file):
    """Takes in a case unless the same bytes are there already."""
    cases.setdefault(bytes(file), name)


def pack(header, data=0, length=None):
    """A file of a header and its data: bytes, or how many to make."""
    header = header if isinstance(header, bytes) else header.encode("utf-8", "surrogatepass")
    data = bytes(i % 251 for i in range(data)) if isinstance(data, int) else data
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def one(fields, name="w"):
    return '{"%s":{%s}}' % (name, fields)


def tensor(dtype, shape, begin, end):
    return '{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}' % (dtype, str(shape).replace(" ", ""), begin, end)


W = '"w":' + tensor("U8", [2], 0, 2)
GOOD = ('{"__metadata__":{"format":"pt","note":"a \\"b\\" \\u00fc \U0001f3b5"},"a.weight":' + tensor("F32", [2, 3], 0, 24) + ',"b":'
        + tensor("BF16", [4], 24, 32) + ',"c":' + tensor("I64", [], 32, 40) + ',"empty":' + tensor("F16", [0, 7], 40, 40) + '}')

# The header's length, and the file's.
add("good", pack(GOOD, 40))
for n in range(8):
    add(f"only {n} bytes", b"\x02\0\0\0\0\0\0\0"[:n])
for length in (0, 1, 2, 3, 10, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 10**8 - 1, 10**8, 10**8 + 1, 2**63 - 1, 2**63, 2**64 - 9, 2**64 - 8, 2**64 - 1):
    add(f"header length {length}", pack("{}", 0, length))
for off in (-8, -2, -1, 1, 2, 8, 40, 41):
    add(f"header length off by {off}", pack(GOOD, 40, len(GOOD.encode()) + off))
for bit in range(64):
    add(f"header length, bit {bit}", pack(GOOD, 40, len(GOOD.encode()) ^ (1 << bit)))
whole = pack(GOOD, 40)
for n in sorted(rng.sample(range(8, len(whole)), 60)):
    add(f"cut at {n}", whole[:n])
for n in (1, 2, 8, 100):
    add(f"{n} bytes more", whole + b"\0" * n)
add("no header", pack("", 0))
add("twice", whole + whole)

# The header's text.
for name, text in {
    "null": "null", "array": "[]", "number": "1", "text": '"w"', "true": "true", "cut": '{"w"', "open": "{", "close": "}", "colon": '{"w":}', "comma": "{,}",
    "trailing comma": "{" + W + ",}", "no comma": "{" + W + " " + W.replace("w", "v") + "}", "wrong bracket": "{" + W + "]", "single quotes": "{'w':1}",
    "no quotes": "{w:1}", "comment": "{/**/" + W + "}", "number as key": "{1:" + tensor("U8", [2], 0, 2) + "}", "two objects": "{" + W + "}{}",
    "something after": "{" + W + "}x", "NUL after": "{" + W + "}\0", "comma after": "{" + W + "},",
}.items():
    add("header " + name, pack(text, 2))
for code in (0x20, 0x09, 0x0a, 0x0d, 0x0b, 0x0c, 0x00, 0x85, 0xa0, 0x2028, 0xfeff):
    for name, text in {"before": "%s{" + W + "}", "after": "{" + W + "}%s", "inside": "{%s" + W + "}", "in an array": "{" + W.replace("[2]", "[%s2]") + "}"}.items():
        add(f"U+{code:04x} {name}", pack(text % chr(code), 2))
for name, raw in {"ff": b"\xff", "80": b"\x80", "overlong": b"\xc0\xaf", "overlong 3": b"\xe0\x80\xaf", "cut": b"\xc3", "surrogate": b"\xed\xa0\x80",
                  "pair": b"\xed\xa0\xbc\xed\xbe\xb5", "beyond": b"\xf4\x90\x80\x80", "f5": b"\xf5\x80\x80\x80", "fine": b"\xf0\x9f\x8e\xb5", "bom": b"\xef\xbb\xbf"}.items():
    add("UTF-8 in a name: " + name, pack(one('"dtype":"U8","shape":[2],"data_offsets":[0,2]').encode().replace(b'"w"', b'"' + raw + b'"'), 2))
    add("UTF-8 in metadata: " + name, pack(b'{"__metadata__":{"a":"' + raw + b'"}}', 0))
for escape in (r"\ud83c", r"\udfb5", r"\ud83c\udfb5", r"\udfb5\ud83c", r"\ud83cx", r"\ud83c\n", r"\ud83c\u0041", r"\ud83c\ud83c\udfb5", r"\\ud83c", r"\uD83C\uDFB5", r"\u00", r"\u00g0",
               r"\u0000", r"\x41", r"\a", r"\/", r"\"", r"\b\f\n\r\t", "\\", "\t", "\n", "\x01", "\x1f", "\x7f", r"\u005f_metadata__", r"\udc00", r"\udbff\udfff", r"\ud800\udc00", r"\U0001f3b5"):
    add(f"escape {escape!r} in a name", pack(one('"dtype":"U8","shape":[2],"data_offsets":[0,2]', escape), 2))
    add(f"escape {escape!r} in metadata", pack('{"__metadata__":{"a":"%s"}}' % escape, 0))
    add(f"escape {escape!r} in what is skipped", pack(one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":"%s"' % escape), 2))
for name in ("", "w" * 100, "w" * 5000, " ", ".", "/", "../w", "__metadata__ ", "__METADATA__", "dtype", "\u00e9", "e\u0301"):
    add(f"name {name[:20]!r} of {len(name)}", pack(one('"dtype":"U8","shape":[2],"data_offsets":[0,2]', name), 2))

# Values of another kind, in every place.
VALUES = ("null", "true", "0", "1", "-1", "-0", "2.0", "2e0", "1.5", "01", "+1", ".5", "1.", "1e", "0x2", "NaN", "Infinity", '"2"', '""', "[]", "{}", "[2]", "[[2]]", "[null]", '["2"]',
          '{"a":1}', "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e400", "9" * 400)
PLACES = {
    "dtype": one('"dtype":%s,"shape":[2],"data_offsets":[0,2]'), "shape": one('"dtype":"U8","shape":%s,"data_offsets":[0,2]'),
    "dimension": one('"dtype":"U8","shape":[%s],"data_offsets":[0,2]'), "dimension of none": one('"dtype":"U8","shape":[0,%s],"data_offsets":[0,0]'),
    "data_offsets": one('"dtype":"U8","shape":[2],"data_offsets":%s'),
    "begin": one('"dtype":"U8","shape":[2],"data_offsets":[%s,2]'), "end": one('"dtype":"U8","shape":[2],"data_offsets":[0,%s]'), "tensor": '{"w":%s}',
    "metadata": '{"__metadata__":%s,' + W + "}", "metadata value": '{"__metadata__":{"a":%s},' + W + "}", "unknown key": one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":%s'),
    "beside": "{" + W + ',"x":%s}',
}
for place, text in PLACES.items():
    for value in VALUES:
        add(f"{place} is {value[:30]}", pack(text % value, 0 if place.endswith("none") else 2))
for fields in ('"shape":[2],"data_offsets":[0,2]', '"dtype":"U8","data_offsets":[0,2]', '"dtype":"U8","shape":[2]', "", '"dtype":"U8"', '"Dtype":"U8","shape":[2],"data_offsets":[0,2]',
               '"data_offsets":[0,2],"shape":[2],"dtype":"U8"', '"dtype":"U8","shape":[2],"data_offsets":[0]', '"dtype":"U8","shape":[2],"data_offsets":[0,2,2]',
               '"dtype":"U8","shape":[2],"data_offsets":{"0":0,"1":2}', '"dtype":"U8","shape":{"0":2},"data_offsets":[0,2]'):
    add("fields " + fields, pack(one(fields), 2))
for entry in ('["U8",[2],[0,2]]', '["U8",[2],[0,2],1]', '["U8",[2]]', '["U8"]', '[{"U8":null},[2],[0,2]]', '["U8",[2],[0,2],]', '[[2],"U8",[0,2]]', '["U8",[2],[0,2]}'):
    add("tensor as array " + entry, pack('{"w":%s}' % entry, 2))
for dtype in ('{"U8":null}', '{"U8":{}}', '{"U8":[]}', '{"U8":1}', '{"U8":null,"I8":null}', '{"U8":null,"U8":null}', "{}", '{"u8":null}', '["U8"]', '{"U8":null'):
    add("dtype as object " + dtype, pack(one('"dtype":%s,"shape":[2],"data_offsets":[0,2]' % dtype), 2))

# Keys twice.
for text in ("{" + W + "," + W + "}", "{" + W + ',"\\u0077":' + tensor("U8", [2], 0, 2) + "}", "{" + W + ',"w":' + tensor("I8", [2], 0, 2) + "}", "{" + W + ',"w":1}', '{"w":1,' + W + "}",
             "{" + W + ',"w":' + tensor("U8", [4], 0, 4) + "}", '{"w":' + tensor("U8", [4], 0, 4) + "," + W + "}",
             one('"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]'), one('"dtype":"U8","shape":[2],"shape":[2],"data_offsets":[0,2]'),
             one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"data_offsets":[0,2]'), one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":1,"x":2'),
             one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":{"a":1,"a":1}'), one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":[{"a":1,"\\u0061":1}]'),
             '{"__metadata__":{"a":"1","a":"1"},' + W + "}", '{"__metadata__":{"a":"1"},"__metadata__":{"a":"1"},' + W + "}", '{"__metadata__":null,"__metadata__":null,' + W + "}"):
    add("twice " + text, pack(text, 2))

# Types, shapes and sizes.
BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16,
        "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64}
for dtype, bits in BITS.items():
    for n in (0, 1, 2, 3, 4):
        size = n * bits // 8
        add(f"{n} of {dtype}", pack(one('"dtype":"%s","shape":[%d],"data_offsets":[0,%d]' % (dtype, n, size)), size))
    add(f"{dtype} scalar", pack(one('"dtype":"%s","shape":[],"data_offsets":[0,%d]' % (dtype, bits // 8)), bits // 8))
    add(f"{dtype} and a byte", pack(one('"dtype":"%s","shape":[4],"data_offsets":[0,%d]' % (dtype, bits // 2 + 1)), bits // 2 + 1))
    add(f"{dtype} less a byte", pack(one('"dtype":"%s","shape":[4],"data_offsets":[0,%d]' % (dtype, bits // 2 - 1)), bits // 2 - 1))
for n in range(9):
    for dtype in ("F4", "F6_E2M3"):
        size = (n * BITS[dtype] + 7) // 8
        add(f"{n} of {dtype}, rounded up", pack(one('"dtype":"%s","shape":[%d],"data_offsets":[0,%d]' % (dtype, n, size)), size))
for dtype in ("", "f32", "F32 ", " F32", "FLOAT32", "float32", "F8", "F8_E4M3FN", "F8_E3M4", "F6", "F4_E2M1", "U1", "I4", "I128", "BF32", "BF8", "C32", "C128", "E8M0", "STRING", "F\\u00332", "bool", "F32\\u0000"):
    add(f"type {dtype!r}", pack(one('"dtype":"%s","shape":[1],"data_offsets":[0,4]' % dtype), 4))
BIG = (0, 1, 2, 2**31, 2**32, 2**61, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
for dtype, shape in [("U8", [a, b]) for a in BIG for b in BIG] + [("F4", [2**62]), ("F4", [2**62, 0]), ("F4", [2**61, 2, 0]), ("F6_E2M3", [2**61, 0]), ("F64", [2**58, 0]), ("F64", [2**58]),
                                                             ("F64", [2**61]), ("U8", [2**61, 0]), ("U8", [2**60, 0]), ("U8", [0] * 500), ("U8", [1] * 500), ("U8", [2**32, 2**32, 0]), ("U8", [0, 2**32, 2**32])]:
    n = 1
    for d in shape:
        n *= d
    size = n * BITS[dtype] // 8
    size = size if size <= 8 else 0
    add(f"{dtype} of {str(shape)[:60]}", pack(one('"dtype":"%s","shape":%s,"data_offsets":[0,%d]' % (dtype, json.dumps(shape), size)), size))

# Where tensors lie.
for i in range(90):
    spans = []
    at = 0
    for _ in range(rng.randint(1, 4)):
        n = rng.choice((0, 1, 2, 4))
        spans.append([at, at + n])
        at += n
    if i % 3:
        for _ in range(rng.randint(1, 2)):
            span = rng.choice(spans)
            span[rng.randint(0, 1)] = rng.randint(0, at + 1)
    rng.shuffle(spans)
    text = ",".join('"t%d":%s' % (k, tensor("U8", [abs(e - b)], b, e)) for k, (b, e) in enumerate(spans))
    add(f"spans {spans} of {at}", pack("{" + text + "}", at))
add("200 empty tensors", pack("{" + ",".join('"%d":%s' % (i, tensor("F32", [0], 0, 0)) for i in range(200)) + "}", 0))
add("no tensors, data", pack("{}", 3))
add("no tensors", pack("{}", 0))
add("padded", pack("{}      ", 0))

# Depth.
for n in (1, 60, 100, 120, 123, 124, 125, 126, 127, 128, 129, 1000, 20000):
    for start, stop in (("[", "]"), ('{"a":', "}")):
        deep = start * n + ("" if start == "[" else "1") + stop * n
        add(f"{n} deep with {start} in an unknown key", pack(one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":' + deep), 2))
    add(f"{n} deep, not closed", pack(one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":' + "[" * n)[:-2], 2))
    add(f"{n} deep as tensor", pack('{"w":' + "[" * n + "]" * n + "}", 2))
for number in ("1e308", "1.7976931348623157e308", "1.8e308", "-1.8e308", "1e309", "1e-400", "0e999999999999", "1e-999999999999", "1e999999999999", "9" * 300, "9" * 308, "9" * 310, "-" + "9" * 400, "0." + "0" * 400 + "1",
               "1" + "0" * 400 + "e-400", "1E5", "1e+5", "1e-5", "--1", "1e5.5", "1_000", "00", "-01", "-", "1e+", "1ee5", "1.e5", "\u0661"):
    add(f"skipped number {number[:30]} of {len(number)}", pack(one('"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":[' + number + "]"), 2))

# Accidents: bits, bytes and pieces of a good file.
header_end = 8 + len(GOOD.encode())
for i in rng.sample(range(8 * 8, 8 * header_end), 160):
    file = bytearray(whole)
    file[i // 8] ^= 1 << (i % 8)
    add(f"bit {i} turned", file)
for i in rng.sample(range(header_end, len(whole)), 4):
    file = bytearray(whole)
    file[i] ^= 0xff
    add(f"byte {i} of the data turned", file)
for i in range(60):
    text = bytearray(GOOD.encode())
    at = rng.randrange(len(text))
    kind = i % 4
    if kind == 0:
        text[at] = rng.choice(b'{}[]",:0123456789-.eE\\ \tntfu')
    elif kind == 1:
        text.insert(at, rng.choice(b'{}[]",:0123456789-.eE\\ \tntfu'))
    elif kind == 2:
        del text[at:at + rng.randint(1, 4)]
    else:
        text[at:at] = text[at:at + rng.randint(1, 30)]
    add(f"edit {i} at {at}", pack(bytes(text), 40))


def twice(text):
    """Tells whether any object of the JSON has a key twice."""
    found = []

    def pairs(items):
        keys = [k for k, _ in items]
        found.extend(k for k in keys if keys.count(k) > 1)
        return dict(items)

    json.loads(text, object_pairs_hook=pairs)
    return bool(found)


out = []
for file, name in cases.items():
    read, flags = None, []
    try:
        read = sorted([n, t["dtype"], t["shape"], hashlib.sha256(t["data"]).hexdigest()[:12]] for n, t in safetensors.deserialize(file))
    except safetensors.SafetensorError:
        pass
    if read is not None:
        if twice(file[8:8 + struct.unpack("<Q", file[:8])[0]]):
            flags.append("duplicate")
        if any(d >= 2**63 for _, _, shape, _ in read for d in shape):
            flags.append("beyond")
            for entry in read:
                entry[2] = []
    out.append([name, base64.b64encode(file).decode(), read, flags])
text = json.dumps({"reference": "safetensors " + safetensors.__version__, "seed": SEED, "cases": out}, ensure_ascii=True, separators=(",", ":"))
with open("hostile.json.gz", "wb") as f:
    f.write(gzip.compress(text.encode(), 9, mtime=0))
accepted = sum(c[2] is not None for c in out)
print(len(out), "cases,", accepted, "accepted,", sum(bool(c[3]) for c in out), "with flags,", len(text), "bytes of JSON")
