"""Bound what the archives of one study may make of memory and time."""

from __future__ import annotations

from dataclasses import dataclass

from mimir_engine.errors import MimirError

#: Number of files in one study, those in its archives included, and of images in them; UK Biobank's
#: have 1,328.
MAX_FILES = 100_000
#: Bytes of archives kept in memory for one study: archives inside archives, and inflated tar
#: archives. UK Biobank's studies have some 110 MB. A reader has 2 GB: 0.2 for its libraries, these,
#: 0.25 for one file (``MAX_FILE_BYTES``) and as much for its decoded frames
#: (``MAX_DECODED_BYTES``), 0.6 for the images of all stations (``MAX_STATION_BYTES``).
MAX_HELD_BYTES = 512 * 2**20
#: Archives inside each other; ``.tar.gz`` counts as two.
MAX_DEPTH = 3


@dataclass
class ReadingLimits:
    """Counts the files and the bytes of one study.

    Attributes:
        files: Files counted so far.
        held_bytes: Bytes kept in memory so far.
    """

    files: int = 0
    held_bytes: int = 0

    @property
    def bytes_left(self) -> int:
        """Bytes that may still be kept in memory."""
        return MAX_HELD_BYTES - self.held_bytes

    def count(self, files: int) -> None:
        """Count files of the study.

        Raises:
            MimirError: ``STUDY_TOO_LARGE``.
        """
        self.files += files
        if self.files > MAX_FILES:
            raise MimirError(
                "STUDY_TOO_LARGE",
                f"the source contains more than {MAX_FILES:,} files or images",
                "Give one study at a time.",
            )

    def hold(self, name: str, size: int) -> None:
        """Count bytes that are kept in memory.

        Args:
            name: Name of the archive.
            size: Number of bytes.

        Raises:
            MimirError: ``STUDY_TOO_LARGE``.
        """
        self.check_left(name, size)
        self.held_bytes += size

    def check_left(self, name: str, size: int) -> None:
        """Check that bytes may be kept in memory, without counting them.

        Raises:
            MimirError: ``STUDY_TOO_LARGE``.
        """
        if size > self.bytes_left:
            raise MimirError(
                "STUDY_TOO_LARGE",
                f"archive '{name}' is too large: compressed tar archives, and archives inside"
                f" archives, are read into memory, up to {MAX_HELD_BYTES // 2**20} MB per study",
                "Unpack it, and give the folder.",
            )
