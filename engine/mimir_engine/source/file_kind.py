"""Tell what a file is by its first bytes: DICOM, an archive, or something else."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes:
        name: With its article, e.g. ``a zip archive``.
        is_archive: True if other files may lie inside.
    """

    name: str
    is_archive: bool = False


DICOM, OTHER = FileKind("a DICOM file"), FileKind("another file")
ZIP, TAR = FileKind("a zip archive", True), FileKind("a tar archive", True)
GZIP = FileKind("a gzip file", True)
NRRD, NIFTI = FileKind("an NRRD volume"), FileKind("a NIfTI volume")
#: Archives that MIMIR opens.
READABLE = (ZIP, TAR, GZIP)

#: First bytes of each kind.
_MAGIC = (
    (b"PK\3\4", ZIP),
    (b"PK\5\6", ZIP),
    (b"\x1f\x8b\x08", GZIP),
    (b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", True)),
    (b"Rar!\x1a\x07", FileKind("a RAR archive", True)),
    (b"\xfd7zXZ\0", FileKind("an xz file", True)),
    (b"\x28\xb5\x2f\xfd", FileKind("a Zstandard file", True)),
    (b"\x04\x22\x4d\x18", FileKind("an LZ4 file", True)),
    (b"LZIP", FileKind("an lzip file", True)),
    (b"\x1f\x9d", FileKind("a compress (.Z) file", True)),
    (b"%PDF", FileKind("a PDF document")),
    (b"\x89PNG", FileKind("a PNG picture")),
    (b"\xff\xd8\xff", FileKind("a JPEG picture")),
    (b"NRRD0", NRRD),
    (b"\x89HDF", FileKind("an HDF5 file")),
)
#: First bytes of a bzip2 file: a level, then the first block's mark.
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_BZIP2_KIND = FileKind("a bzip2 file", True)
_NIFTI_MAGIC = (b"n+1\0", b"ni1\0")
#: First group of a DICOM data set that was written without the preamble, and of its meta group.
_BARE_GROUPS = (b"\x08\0", b"\x02\0")
#: Largest element of those groups with which a data set begins.
_MAX_FIRST_ELEMENT = 0x0100
#: Field with the checksum of a tar header: octal digits, then a null or blank.
_TAR_CHECKSUM = re.compile(rb" *[0-7]{1,7}[\0 ]{1,7}")
#: Size of a tar header in bytes.
TAR_BLOCK_BYTES = 512
#: Ends of names of documents and programs that are zip archives by their first bytes.
_ZIPPED_DOCUMENTS = (
    *(".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".kmz"),
    *(".jar", ".war", ".apk", ".whl", ".xpi"),
)
#: Archives by the end of their names, longest first.
_SUFFIXES = {
    ".tar.gz": GZIP,
    ".tar.bz2": _BZIP2_KIND,
    ".tar.xz": FileKind("an xz file", True),
    ".tar.zst": FileKind("a Zstandard file", True),
    ".tgz": GZIP,
    ".tbz2": _BZIP2_KIND,
    ".tbz": _BZIP2_KIND,
    ".txz": FileKind("an xz file", True),
    ".zip": ZIP,
    ".tar": TAR,
    ".7z": FileKind("a 7z archive", True),
    ".rar": FileKind("a RAR archive", True),
}
#: Suffixes of single DICOM files.
_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")


def file_kind(name: str, first: bytes) -> FileKind:
    """Tell what a file is.

    Args:
        name: Its name; its end decides only where the first bytes are those of no known kind.
        first: Its first bytes, some 1000 or all.
    """
    if first[128:132] == b"DICM":
        return DICOM
    for magic, kind in _MAGIC:
        if first.startswith(magic):
            is_document = kind is ZIP and name.lower().endswith(_ZIPPED_DOCUMENTS)
            return OTHER if is_document else kind
    if is_tar_header(first[:TAR_BLOCK_BYTES]):
        return TAR
    if _BZIP2.match(first):
        return _BZIP2_KIND
    if first[344:348] in _NIFTI_MAGIC:
        return NIFTI
    if _is_bare_dicom(first) or name.lower().endswith(_DICOM_SUFFIXES):
        return DICOM
    return kind_by_name(name)


def kind_by_name(name: str) -> FileKind:
    """Tell which kind of archive a file should be by its name; ``OTHER`` if none.

    Examples:
        >>> kind_by_name("scan.TAR.GZ").name, kind_by_name("image.dcm.gz").name
        ('a gzip file', 'another file')
    """
    lower = name.lower()
    return next((kind for end, kind in _SUFFIXES.items() if lower.endswith(end)), OTHER)


def without_archive_suffix(name: str) -> str:
    """Remove the end of an archive's name, such as ``.zip`` or ``.tar.gz``.

    Examples:
        >>> without_archive_suffix("scan.tar.gz"), without_archive_suffix("v1.2")
        ('scan', 'v1.2')
    """
    lower = name.lower()
    end = next((end for end in (*_SUFFIXES, ".gz") if lower.endswith(end)), "")
    return name[: len(name) - len(end)] or name


def is_tar_header(block: bytes) -> bool:
    """Return whether a block has the checksum of a tar header (POSIX.1-1988, ustar and later)."""
    field = block[148:156]
    if len(block) < TAR_BLOCK_BYTES or not _TAR_CHECKSUM.fullmatch(field):
        return False
    digits = int(field.strip(b" \0"), 8)
    return digits == sum(block) - sum(field) + 8 * ord(" ")


def _is_bare_dicom(first: bytes) -> bool:
    return (
        first[:2] in _BARE_GROUPS
        and len(first) >= 8
        and int.from_bytes(first[2:4], "little") <= _MAX_FIRST_ELEMENT
    )
