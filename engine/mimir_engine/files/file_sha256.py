"""Compute the SHA-256 of a file."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import BinaryIO


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hexadecimal.

    Raises:
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        return stream_sha256(file)


def stream_sha256(file: BinaryIO) -> str:
    """Return the SHA-256 of the rest of an open file, in lower-case hexadecimal."""
    digest = sha256()
    for block in iter(lambda: file.read(1 << 20), b""):
        digest.update(block)
    return digest.hexdigest()
