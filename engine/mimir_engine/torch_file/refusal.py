"""The two errors of a file of ``torch.save``: it is unsafe, or it cannot be read."""

from __future__ import annotations

from mimir_engine.errors import MimirError


def unsafe(what: str) -> MimirError:
    """The file asks for more than weights need, as an attack would."""
    return MimirError(
        "SNAPSHOT_UNSAFE",
        f"the snapshot contains more than weights ({what[:80]}); nothing in it was run",
        "Do not trust this file.",
    )


def unreadable(why: str) -> MimirError:
    """The file is damaged, of another kind, or beyond a limit."""
    return MimirError(
        "SNAPSHOT_UNREADABLE",
        f"the snapshot is not a readable file of PyTorch: {why}",
        "Download it again.",
    )
