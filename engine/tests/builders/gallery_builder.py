"""Make output folders as `mimir infer` leaves them: a ledger, and a projection of each study."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Union

import numpy as np
from study_to_report import measured_study

from mimir_engine.cohort.ledger_lines import encode
from mimir_engine.cohort.outcomes import LEDGER_FILE
from mimir_engine.cohort.projection_files import ProjectionFiles, write_projection_picture
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.measuring.study_result import StudyResult

RUN = {
    "mimir": "0.9.0",
    "ledger_format": 7,
    "modules": [{"name": "published", "version": "1.0", "column_prefix": "", "sha256": "0"}],
}
SCANNERS = ("SIEMENS Aera 1.5 T #1a2b3c4d", "SIEMENS Skyra 3.0 T #5e6f7a8b", "")


def varied_studies(
    count: int, templates: Sequence[StudyResult] = (), prefix: str = "scan"
) -> Iterable[Union[StudyResult, StudyFailure]]:
    """Studies of other names and numbers than the templates; one in fifty failed.

    Args:
        count: Number of studies.
        templates: Results that are varied in turn; by default one with all published targets.
        prefix: Of the names.
    """
    rng = np.random.default_rng(1)
    templates = templates or (typical_study(),)
    for number in range(count):
        name = f"{prefix}_{number:05d}"
        if number % 50 == 7:
            yield StudyFailure(name, "STATION_GAP", f"station 3 of '{name}' is missing.")
        else:
            yield _varied(templates[number % len(templates)], name, number, rng)


def typical_study(**changes: Any) -> StudyResult:
    """A study with all published measurements and three direct ones."""
    direct = [DirectMeasurement(name, "cm", value) for name, value in (("waist", 90), ("hip", 101))]
    direct.append(DirectMeasurement("fat_volume", "L", 21.0))
    return measured_study(name="scan", direct=tuple(direct), **changes).result


def _varied(template: StudyResult, name: str, number: int, rng: np.random.Generator) -> StudyResult:
    size, noise = float(rng.lognormal(0, 0.2)), rng.normal(0, 0.04, len(template.measurements))
    measurements = []
    for m, error in zip(template.measurements, noise):
        factor = 1.0 if m.is_sex else size + float(error)
        bounds = [None if b is None else b + m.value * (factor - 1) for b in (m.lower, m.upper)]
        value = float(number % 2) if m.is_sex else m.value * factor
        measurements.append(replace(m, value=value, lower=bounds[0], upper=bounds[1]))
    direct = (
        replace(d, value=d.value and d.value * size * float(rng.normal(1, 0.03)))
        for d in template.direct
    )
    ratio = float(rng.gamma(4, 0.15))
    comparisons = (
        replace(c, ratio=ratio, verdict="UNUSUAL" if ratio > 1 else "TYPICAL")
        for c in template.comparisons
    )
    return replace(
        template,
        name=name,
        measurements=tuple(measurements),
        findings=template.findings if number % 10 == 3 else (),
        direct=tuple(direct),
        scanner=SCANNERS[number % 7 % 3],
        month=f"2024-{number % 12 + 1:02d}" if number % 11 else "",
        comparisons=tuple(comparisons),
    )


def write_output(
    folder: Path,
    studies: Iterable[Union[StudyResult, StudyFailure]],
    images: Sequence[np.ndarray] = (),
    run: Mapping[str, Any] = RUN,
) -> Path:
    """Write the ledger, and one of the images as the projection of each measured study.

    Args:
        folder: The output folder.
        studies: What came of them.
        images: uint8 ``(3, 256, 256)``, taken in turn; without any, none are kept.
        run: What the ledger says of the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, written = ProjectionFiles(folder), list[Path]()
    with open(folder / LEDGER_FILE, "wb") as ledger:
        ledger.write(encode(run))
        for number, study in enumerate(studies):
            ledger.write(encode(asdict(study)))
            if images and isinstance(study, StudyResult):
                path = files.path(study.name)
                if len(written) < len(images):
                    write_projection_picture(path, images[len(written)])
                    written.append(path)
                else:
                    os.link(written[number % len(images)], path)
    return folder
