"""Name the files that a user exports after the study."""

from __future__ import annotations

import re

#: Names of devices, which Windows does not accept as files' names, whatever follows the dot.
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
#: Longest name in bytes of UTF-8; disks allow 255 with the suffix.
MAX_BYTES = 200


def file_stem(label: str) -> str:
    """Return a study's label as a file's name without suffix that every system accepts.

    Examples:
        >>> file_stem("Doe, Jane, 2020-02-29, neck/knee")
        'Doe, Jane, 2020-02-29, neck_knee'
    """
    name = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else "_" for c in label)
    name = name.encode("utf-8", "replace")[:MAX_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"_{name}" if not name or DEVICES.fullmatch(name) else name
