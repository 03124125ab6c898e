"""Turn names of studies into names of files that every platform takes and that never collide."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

#: Bytes of a name that stay readable, in UTF-8: study UIDs, which have up to 64, stay whole, and
#: paths stay below the 260 characters of Windows.
MAX_READABLE = 80
#: Digits of the hash.
HASH_DIGITS = 8
#: Names that Windows keeps for devices, with any extension.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\.|$)")


def safe_file_name(name: str) -> str:
    """Return a name unchanged if every platform takes it, else as `distinct_file_name`.

    >>> safe_file_name("1000000_20201_2_0"), safe_file_name("a:b")
    ('1000000_20201_2_0', 'a_b-6783a31e')
    """
    return name if _readable(name) == name else distinct_file_name(name)


def distinct_file_name(name: str) -> str:
    """Return a name that people recognise and that no other name gets: it ends in a hash.

    It has no separators, so it cannot lead to another folder. Names that differ only in case, in
    their Unicode form or in characters that file names cannot have differ in their hashes.

    >>> distinct_file_name("scan (1)"), distinct_file_name("scan [1]")
    ('scan _1_-05003914', 'scan _1_-2feee0bf')
    """
    return f"{_readable(name)}-{name_hash(name)}"


def name_hash(name: str) -> str:
    """Return a few digits that differ between names, whatever characters they have."""
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]


def _readable(name: str) -> str:
    composed = unicodedata.normalize("NFC", name[:MAX_READABLE])
    text = "".join(c if c.isalnum() or c in "._- " else "_" for c in composed).lstrip(". ")
    text = text.encode("utf-8")[:MAX_READABLE].decode("utf-8", "ignore").rstrip(". ")
    return f"_{text}" if _RESERVED.match(text) else text or "study"
