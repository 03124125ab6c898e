"""Compute the SHA-256 of a file."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from mimir_engine.files.regular_file import open_regular


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file's bytes, in lower-case hexadecimal.

    Raises:
        OSError: The file cannot be read, or is a device or a pipe.
    """
    digest = sha256()
    with open_regular(path) as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
