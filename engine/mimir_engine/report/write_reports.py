"""Write the reports of studies that were measured with ``--details``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Union

from mimir_engine.cohort.study_failure import StudyFailure, failure_of
from mimir_engine.cohort.study_folder import MEASUREMENTS_FILE, read_study_folder
from mimir_engine.errors import MimirError
from mimir_engine.files.file_names import safe_file_name
from mimir_engine.files.optional_packages import require
from mimir_engine.report.blocks import Report
from mimir_engine.report.folder_report import report_of_folder
from mimir_engine.report.html_page import write_html

HTML, PDF = "html", "pdf"


def find_study_folders(paths: Iterable[Path]) -> list[Path]:
    """Return the folders of studies among paths and directly in them, sorted within each.

    Raises:
        MimirError: ``NO_STUDIES`` if a path is none and has none.
    """
    found: list[Path] = []
    for path in paths:
        candidates = [path] if (path / MEASUREMENTS_FILE).is_file() else _within(path)
        if not candidates:
            raise MimirError(
                "NO_STUDIES",
                f"'{path}' has no folders of measured studies",
                "Give the folder that `mimir infer --details` wrote.",
            )
        found += candidates
    return list(dict.fromkeys(found))


def write_reports(
    folders: Iterable[Path], output: Path, kinds: Sequence[str]
) -> Iterator[Union[StudyFailure, list[Path]]]:
    """Write one report per study, named after the study.

    Args:
        folders: Folders of studies.
        output: Folder of the reports; made if it does not exist.
        kinds: ``HTML``, ``PDF`` or both.

    Yields:
        For each study the files that were written, or why there are none.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``, ``EXTRA_MISSING``.
    """
    if PDF in kinds:
        require("report")
    taken: set[str] = set()
    for folder in folders:
        try:
            study = read_study_folder(folder)
            name = safe_file_name(study.result.name)
            if name.lower() in taken:
                raise MimirError(
                    "NAME_REPEATED",
                    f"there is more than one study '{study.result.name}'",
                    "Write their reports to different folders.",
                )
            report = report_of_folder(study)
        except MimirError as error:
            yield failure_of(folder.name, error)
            continue
        taken.add(name.lower())
        yield [write_report(output / f"{name}.{kind}", report) for kind in kinds]


def write_report(path: Path, report: Report) -> Path:
    """Write a report as the kind of file that its name ends in; anything but PDF is HTML.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``, ``EXTRA_MISSING``.
    """
    if path.suffix.lower() == f".{PDF}":
        require("report")
        from mimir_engine.report.pdf_file import write_pdf

        write_pdf(path, report)
    else:
        write_html(path, report)
    return path


def _within(path: Path) -> list[Path]:
    try:
        return sorted(folder.parent for folder in path.glob(f"*/{MEASUREMENTS_FILE}"))
    except OSError:
        return []
