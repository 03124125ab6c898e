"""Write the page of a cohort into a folder: ``index.html`` and the pictures that it shows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

import numpy as np

from mimir_engine.cohort.anonymous_names import numbered
from mimir_engine.cohort.excluded_table import read_counts
from mimir_engine.cohort.gallery_folder import IMAGES, PAGE_FILE, THUMBNAILS, holds_other_files
from mimir_engine.cohort.measured_outcomes import read_measured_outcomes
from mimir_engine.cohort.outcomes import Outcomes
from mimir_engine.cohort.output_files import GALLERY_FOLDER, PROJECTIONS_FOLDER
from mimir_engine.cohort.projection_files import ProjectionFiles, read_projection_picture
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.errors import MimirError, one_line
from mimir_engine.files.atomic import atomic_folder
from mimir_engine.files.csv_writer import FORMULA_STARTS
from mimir_engine.files.file_names import safe_file_name
from mimir_engine.files.png import png_bytes
from mimir_engine.inference_module import find_module, module_sha256
from mimir_engine.measuring.flags import DEMONSTRATION, flag_sentence
from mimir_engine.measuring.study_result import StudyResult
from mimir_engine.report.gallery.cohort_data import CohortData
from mimir_engine.report.gallery.page_text import page_text
from mimir_engine.report.gallery.thumbnail import thumbnail_bytes
from mimir_engine.report.study_report import RESEARCH_ONLY
from mimir_engine.report.write_reports import HTML, PDF

NOT_A_DEVICE = f"Research software, not a medical device. {RESEARCH_ONLY}"
#: Studies of one page, whose numbers a browser keeps in memory.
MAX_STUDIES = 50_000


@dataclass(frozen=True)
class GalleryOptions:
    """What the page shows, and where it is.

    Attributes:
        output: Folder of the page; None for ``gallery`` in the folder of the results. Elsewhere
            the page gets copies of the projections.
        anonymous_names: Show numbers instead of the studies' names.
        key: With these, the CSV file that tells which study has which number; see
            ``cohort.anonymous_names``.
        reports: Folder of the studies' reports, to which the page leads; None for none.
    """

    output: Optional[Path] = None
    anonymous_names: bool = False
    key: Optional[Path] = None
    reports: Optional[Path] = None


@dataclass(frozen=True)
class WrittenGallery:
    """What was written.

    Attributes:
        page: The page.
        studies: Studies in it.
        failed: Those without results.
        pictures: Those with a picture.
        damaged: Projections that could not be read.
    """

    page: Path
    studies: int
    failed: int
    pictures: int
    damaged: int


def write_gallery(folder: Path, options: GalleryOptions) -> WrittenGallery:
    """Write the page of an output folder of `mimir infer` or `mimir measure`.

    The folder of the page appears as a whole, and replaces an earlier page. A run may go on
    meanwhile: the page shows what was done when it began.

    Raises:
        MimirError: ``RESULTS_MISSING``, ``LEDGER_DAMAGED``, ``GALLERY_TOO_LARGE``,
            ``OUTPUT_IN_USE`` if the page's folder holds something else, ``KEY_INVALID``,
            ``OUTPUT_UNWRITABLE``.
    """
    outcomes = read_measured_outcomes(folder)
    if len(outcomes) > MAX_STUDIES:
        raise MimirError(
            "GALLERY_TOO_LARGE",
            f"'{folder}' has {len(outcomes):,} studies, and a page at most {MAX_STUDIES:,}",
            "Make a page for each shard.",
        )
    output = options.output or folder / GALLERY_FOLDER
    _check_replaceable(output)
    with atomic_folder(output, overwrite=True) as new:
        writing = _Writing(folder, output, new, outcomes, options)
        data = writing.all_studies()
        about = {
            "key": _key(outcomes, folder, options.anonymous_names),
            "about": " ".join(_sentences(outcomes.run, data.is_demonstration)),
            "counts": f"{data.failed} failed · {sum(read_counts(folder).values())} excluded",
            "formula_starts": "".join(map(re.escape, FORMULA_STARTS)),
        }
        page = page_text({**about, **data.to_json()})
        (new / PAGE_FILE).write_bytes(page.encode("utf-8"))
    return WrittenGallery(
        output / PAGE_FILE, len(data), data.failed, writing.pictures, writing.damaged
    )


class _Writing:
    """Writes pictures and gathers data, study by study."""

    def __init__(
        self, folder: Path, output: Path, new: Path, outcomes: Outcomes, options: GalleryOptions
    ) -> None:
        self._projections = ProjectionFiles(folder)
        self._output, self._new, self._outcomes, self._options = output, new, outcomes, options
        self._keeps_copies = options.output is not None or options.anonymous_names
        self.pictures = self.damaged = 0

    def all_studies(self) -> CohortData:
        """Add all studies, sorted by name."""
        data, names = CohortData(), self._shown_names()
        (self._new / THUMBNAILS).mkdir()
        if self._keeps_copies:
            (self._new / IMAGES).mkdir()
        for number, (name, entry) in enumerate(self._outcomes.entries()):
            if "code" in entry:
                failure = StudyFailure(name, entry["code"], entry["reason"])
                data.add_failure(failure, names[name], self._reason(failure))
            else:
                addresses = {**self._write_pictures(name, number), **self._report(name)}
                data.add_result(StudyResult.from_json(entry), names[name], **addresses)
        return data

    def _shown_names(self) -> Mapping[str, str]:
        names = self._outcomes.names()
        if self._options.anonymous_names:
            return numbered(names, self._options.key)
        return {name: name for name in names}

    def _reason(self, failure: StudyFailure) -> str:
        """Return why a study failed; without names, since a reason may quote that of a file."""
        anonymous = self._options.anonymous_names
        return "failures.csv gives the reason." if anonymous else failure.reason

    def _write_pictures(self, name: str, number: int) -> dict[str, str]:
        """Write what the page shows of a projection; return where it is. Nothing without one."""
        projection = self._projections.path(name)
        if not os.path.lexists(projection):
            return {}
        try:
            image = read_projection_picture(projection)
        except MimirError:
            self.damaged += 1
            return {}
        self.pictures += 1
        small, large = f"{THUMBNAILS}/{number:05d}.png", f"{IMAGES}/{number:05d}.png"
        (self._new / small).write_bytes(thumbnail_bytes(image))
        if self._keeps_copies:
            (self._new / large).write_bytes(png_bytes(np.moveaxis(image, 0, -1)))
            return {"thumbnail": small, "image": large}
        return {"thumbnail": small, "image": f"../{PROJECTIONS_FOLDER}/{quote(projection.name)}"}

    def _report(self, name: str) -> dict[str, str]:
        """Return where a study's report is, if it has one."""
        if self._options.reports is None:
            return {}
        files = (self._options.reports / f"{safe_file_name(name)}.{kind}" for kind in (HTML, PDF))
        found = next((file.resolve() for file in files if file.is_file()), None)
        return {} if found is None else {"report": self._address(found)}

    def _address(self, file: Path) -> str:
        try:
            relative = os.path.relpath(file, self._output.resolve())
        except ValueError:  # on another drive of Windows
            return file.as_uri()
        return quote(relative.replace(os.sep, "/"))


def _check_replaceable(output: Path) -> None:
    """Refuse to replace a folder that is not an earlier page."""
    if holds_other_files(output):
        raise MimirError(
            "OUTPUT_IN_USE",
            f"'{output}' holds other files than those of a page",
            "Choose another folder.",
        )


def _key(outcomes: Outcomes, folder: Path, anonymous: bool) -> str:
    """Return what tells this cohort from others, under which a browser keeps its marks."""
    parts = [outcomes.run, os.path.realpath(folder), anonymous]
    return sha256(json.dumps(parts).encode("ascii")).hexdigest()[:16]


def _sentences(run: Mapping[str, Any], is_demonstration: bool) -> list[str]:
    """Say what the numbers are for, and on whom the modules were validated."""
    sentences = [NOT_A_DEVICE]
    if is_demonstration:
        sentences.append(flag_sentence(DEMONSTRATION))
    made_by = f"Measured by MIMIR {one_line(str(run.get('mimir', '')))}."
    return [*sentences, *(_validation(*module) for module in _modules(run)), made_by]


def _validation(name: str, version: str, digest: str) -> str:
    try:
        module = find_module(name)
        if module_sha256(module) == digest:
            studies = one_line(str(module.accepts))
            return f"The inference module {name} {version} was validated on: {studies}."
    except MimirError:
        pass
    return f"For the validation of the inference module {name} {version}, see its model card."


def _modules(run: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and hash of each inference module of a run."""
    modules = run.get("modules")
    for module in modules if isinstance(modules, list) else ():
        if isinstance(module, dict):
            name, version, digest = (module.get(key) for key in ("name", "version", "sha256"))
            yield one_line(str(name)), one_line(str(version)), str(digest)
