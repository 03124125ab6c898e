"""Damage files, the same way for the same random numbers.

Most of what happens to a file is blind: bits flip, pieces are lost, doubled or exchanged. The rest
knows the format, so that the damage gets past the first check: elements of DICOM, values of JSON,
numbers in text, headers of archives.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from random import Random
from typing import Any

#: Numbers at which programs go wrong.
NUMBERS = (
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    255,
    256,
    4096,
    32767,
    32768,
    65535,
    1 << 20,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    -1,
    1 << 63,
    10**30,
)
TEXTS = (
    "",
    " ",
    "0",
    "-0",
    "-1",
    "1e400",
    "-1e400",
    "nan",
    "inf",
    "1e-320",
    "9" * 400,
    "1\\2\\3",
    "1\\2\\3\\4\\5\\6\\7",
    "\\\\\\",
    "A" * 1000,
    "A" * 70_000,
    "9" * 5000,
    " " * 30_000 + "1_W",
    "a" + " " * 20_000 + "1",
    "\x1b[31m<b>bold</b>",
    "../../../escaped",
    "/etc/passwd",
    "\0",
    "é" * 64,
    "20200230",
    "256199",
    "99999999999999",
    "1.2." * 40,
    "(" * 500,
    "\u202egnp",
    "DIXON\\W\\F",
)
JSON_TEXTS = ("null", "true", "[]", "{}", '""', "0", "-1", "1e999", "NaN", "-Infinity", "1" * 5000,
              "[" * 2000 + "]" * 2000, "[" * 100_000, '{"a":' * 3000 + "1" + "}" * 3000,
              '"\\ud800"', '"\\u0000"', "1e-400", "123456789012345678901234567890", '"x"',
              "[1,[2]]", "false",
              "9007199254740993", '"' + "x" * 70_000 + '"', '"../../escaped"')  # fmt: skip


def flip(rng: Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def set_byte(rng: Random, data: bytearray) -> None:
    data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def cut(rng: Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


def lose(rng: Random, data: bytearray) -> None:
    begin, end = _piece(rng, data)
    del data[begin:end]


def double(rng: Random, data: bytearray) -> None:
    begin, end = _piece(rng, data)
    data[end:end] = data[begin:end] * rng.choice((1, 1, 2, 50))


def exchange(rng: Random, data: bytearray) -> None:
    a, b = _piece(rng, data)
    c, d = _piece(rng, data)
    one, other = data[a:b], data[c:d]
    data[a:b] = other
    data[c:d] = one


def clear(rng: Random, data: bytearray) -> None:
    begin, end = _piece(rng, data)
    data[begin:end] = bytes((rng.choice((0, 0, 0xFF)),)) * (end - begin)


def insert(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice((rng.randbytes(rng.choice((1, 4, 100))), odd_text(rng)))


def set_number(rng: Random, data: bytearray) -> None:
    """Overwrite two, four or eight bytes by a number, as a length or a count is stored."""
    size = rng.choice((2, 4, 4, 8))
    at = rng.randrange(max(len(data) - size, 1))
    data[at : at + size] = odd_bytes(rng, size)


BLIND: tuple[Callable[[Random, bytearray], None], ...] = (
    flip,
    set_byte,
    cut,
    lose,
    double,
    exchange,
    clear,
    insert,
    set_number,
    set_number,
    flip,
)


def _piece(rng: Random, data: bytearray) -> tuple[int, int]:
    begin = rng.randrange(len(data) + 1)
    return begin, begin + rng.choice((1, 2, 4, 16, 100, 512, len(data)))


def blindly(rng: Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if data:
            rng.choice(BLIND)(rng, data)
    return bytes(data)


def odd_bytes(rng: Random, size: int) -> bytes:
    number = rng.choice(NUMBERS) % (1 << 8 * size)
    return number.to_bytes(size, rng.choice(("little", "little", "big")))


def odd_text(rng: Random) -> bytes:
    return rng.choice(TEXTS).encode("utf-8")


def in_text(rng: Random, content: bytes) -> bytes:
    """Change numbers, words or lines of a text."""
    form = rng.choice(
        (rb"-?[0-9][0-9.eE+-]*", rb"[A-Za-z_]+", rb"[^\n]*\n", rb"[^,\n]+", rb"[,;:]")
    )
    found = list(re.finditer(form, content))
    if not found:
        return blindly(rng, content)
    one, other = rng.choice(found), rng.choice(found)
    new = rng.choice((odd_text(rng), odd_text(rng), other[0], one[0] * 2, b""))
    return content[: one.start()] + new + content[one.end() :]


def in_json(rng: Random, content: bytes) -> bytes:
    """Change, remove or double one value of a JSON text."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return in_text(rng, content)
    places: list[tuple[Any, Any]] = []
    _collect(value, places)
    if not places:
        return in_text(rng, content)
    parent, key = rng.choice(places)
    mark = "MUTATED-VALUE"
    raw = rng.choice(
        (*JSON_TEXTS, json.dumps(rng.choice(places)[0]), json.dumps(rng.choice(TEXTS)))
    )
    action = rng.randrange(8)
    if action == 0:
        del parent[key]
    elif action == 1 and isinstance(parent, list):
        parent[key:key] = [parent[key]] * rng.choice((1, 2, 300))
    elif action == 1:
        parent[rng.choice(("", "unknown", "__class__", str(key).upper(), "é"))] = parent[key]
    else:
        parent[key] = mark
    return json.dumps(value).replace(f'"{mark}"', raw).encode("utf-8")


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    if isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            places.append((value, key))
            _collect(child, places)


def at_signatures(rng: Random, content: bytes) -> bytes:
    """Change bytes close to where a zip archive's structures begin."""
    places = [m.start() for m in re.finditer(rb"PK[\x01-\x08]", content)]
    if not places:
        return blindly(rng, content)
    data, at = bytearray(content), rng.choice(places)
    size = rng.choice((1, 2, 2, 4, 4, 8))
    at += rng.randrange(4, 46)
    data[at : at + size] = odd_bytes(rng, size)
    return bytes(data)


def in_tar_header(rng: Random, content: bytes) -> bytes:
    """Change a member's header, mostly with the sum that fits."""
    data = bytearray(content)
    blocks = [at for at in range(0, len(data) - 511, 512) if data[at + 257 : at + 262] == b"ustar"]
    if not blocks:
        return blindly(rng, content)
    at = rng.choice(blocks)
    field, size = rng.choice(
        ((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (345, 155))
    )
    new = rng.choice(
        (odd_text(rng), b"7" * size, rng.randbytes(size), bytes((rng.choice(b"0123456LKxgSD"),)))
    )
    data[at + field : at + field + size] = new[:size].ljust(size, b"\0")
    if rng.random() < 0.8:
        data[at + 148 : at + 156] = b" " * 8
        data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)


# ---- volumes ----------------------------------------------------------------------------------

#: Numbers at which programs that read geometry go wrong.
FRACTIONS = (0.0, 1.0, -1.0, 0.5, 1e-40, 1e-6, 353.5, 1e30, 3e38, math.inf, -math.inf, math.nan)
#: Begin and size of fields in the headers of NIfTI-1 and NIfTI-2 that matter.
NIFTI_1 = ((0, 4), *((at, 2) for at in range(40, 56, 2)), (70, 2), (72, 2), (123, 1), (252, 2),
           (254, 2), (344, 4), *((at, 4) for at in (*range(76, 120, 4), *range(256, 328, 4))),
           *((at, 4) for at in (348, 352, 356)))  # fmt: skip
NIFTI_2 = ((0, 4), (4, 8), (12, 2), (14, 2), (344, 4), (348, 4), (500, 4), (540, 4), (544, 4),
           *((at, 8) for at in (*range(16, 80, 8), *range(104, 192, 8), *range(352, 496, 8))),
           (548, 4))  # fmt: skip


def in_nifti(rng: Random, content: bytes) -> bytes:
    """Change fields of a header, or bytes of header and extensions."""
    is_second = content[4:7] == b"n+2"
    size = 544 if is_second else 352
    if rng.random() < 0.3:
        end = size + rng.choice((0, 16, 64))
        return blindly(rng, content[:end]) + content[end:]
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        begin, length = rng.choice(NIFTI_2 if is_second else NIFTI_1)
        new = odd_bytes(rng, length)
        if length >= 4 and rng.random() < 0.5:
            order = rng.choice("<<>")
            new = struct.pack(order + ("f" if length == 4 else "d"), rng.choice(FRACTIONS))
        data[begin : begin + length] = new
    return bytes(data)


def in_nrrd(rng: Random, content: bytes) -> bytes:
    """Change the text of a header."""
    header, blank, voxels = content.partition(b"\n\n")
    return rng.choice((in_text, in_text, in_text, blindly))(rng, header) + blank + voxels


# ---- DICOM -------------------------------------------------------------------------------------

#: Value representations whose length has four bytes after two that are reserved.
_LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV")
_VRS = (
    b"CS",
    b"DS",
    b"IS",
    b"LO",
    b"LT",
    b"SH",
    b"US",
    b"UL",
    b"FD",
    b"FL",
    b"UI",
    b"SQ",
    b"OB",
    b"UN",
    b"UT",
    b"AT",
    b"PN",
    b"DA",
    b"TM",
    b"SS",
    b"zz",
)


def elements(content: bytes) -> list[tuple[int, int, int]]:
    """Return begin, begin of the value and end of each element, those inside sequences too."""
    found, at = [], 132
    explicit = True
    while at + 8 <= len(content):
        group = int.from_bytes(content[at : at + 2], "little")
        if group != 2 and at > 132 and not found[-1][3]:  # the first element of the data set
            explicit = content[at + 4 : at + 6].isalpha()
        vr = content[at + 4 : at + 6]
        if group == 0xFFFE or not (explicit or group == 2):
            value, length = at + 8, int.from_bytes(content[at + 4 : at + 8], "little")
        elif vr in _LONG:
            value, length = at + 12, int.from_bytes(content[at + 8 : at + 12], "little")
        else:
            value, length = at + 8, int.from_bytes(content[at + 6 : at + 8], "little")
        inside = group == 0xFFFE or vr == b"SQ" or length == 0xFFFFFFFF
        end = value if inside else value + length
        if end > len(content):
            break
        found.append((at, value, end, group != 2))
        at = end
    return [place[:3] for place in found]


def in_dicom(rng: Random, contents: list[bytes]) -> list[bytes]:
    """Change the same element of one or more files in the same way."""
    places = elements(contents[0])
    if len(places) < 2:
        return [blindly(rng, content) for content in contents]
    at, value, end = rng.choice(places)
    _, other_value, other_end = rng.choice(places)
    tag, action = contents[0][at : at + 4], rng.randrange(10)
    text, number = odd_text(rng)[:65_534], odd_bytes(rng, rng.choice((2, 4, 8)))
    graft, vr = contents[0][other_value:other_end][:65_534], rng.choice(_VRS)
    odd_length = odd_bytes(rng, 4)
    changed = []
    for content in contents:
        for at, value, end in elements(content):  # noqa: B007
            if content[at : at + 4] == tag:
                break
        else:
            changed.append(content)
            continue
        element, new = content[at:end], content[at:value]
        if action == 0:
            element = b""
        elif action == 1:
            element += element
        elif action == 2:
            element = new[:4] + vr + new[6:] + content[value:end]
        elif action == 3:
            element = new[: value - at - 4] + odd_length + content[value:end]
        elif action == 4 and value - at == 8:
            element = new[:6] + odd_length[:2] + content[value:end]
        else:
            given = (text, number, graft, text, number, graft)[action - 4]
            given += b" " * (len(given) % 2)
            is_short = value - at == 8 and new[4:6].isalpha()
            size = 2 if is_short else 4
            element = new[: value - at - size] + len(given).to_bytes(size, "little") + given
        changed.append(content[:at] + element + content[end:])
    return changed
