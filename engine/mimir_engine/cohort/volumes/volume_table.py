"""The table ``volumes.csv``: one row per study with volumes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mimir_engine.cohort.output_files import VOLUMES_FILE
from mimir_engine.cohort.tables.column import id_number
from mimir_engine.cohort.volumes.arrangements import STATIONS
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.cohort.volumes.written_study import WrittenStudy
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.measuring.volume_names import VOLUMES

COLUMNS = (
    *("name", "eid", "instance", "contrasts", "left_out", "columns_rows_slices", "spacing_mm"),
    *("extent_mm", "ends_cut", "findings", "description", *VOLUMES, "labels"),
)


def write_volume_table(
    folder: Path, layout: VolumeLayout, studies: Iterable[tuple[str, WrittenStudy]]
) -> None:
    """Write the table; several values in a cell are joined by semicolons.

    ``description`` is the path of the file beside the volumes that describes them. The columns of
    stitched volumes hold theirs, so that the table is one that `read_volume_list` takes.

    Args:
        folder: The output folder.
        layout: Where the volumes lie in it.
        studies: Name and volumes of each study.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_csv(folder / VOLUMES_FILE, COLUMNS, (_row(layout, *study) for study in studies))


def _row(layout: VolumeLayout, name: str, study: WrittenStudy) -> list[object]:
    return [
        name,
        id_number(study.eid),
        id_number(study.instance),
        ";".join(study.volumes),
        ";".join(study.left_out),
        ";".join("x".join(str(size) for size in reversed(shape)) for shape in study.shapes),
        ";".join("x".join(f"{mm:.6g}" for mm in spacing) for spacing in study.spacings_mm),
        round(study.extent_mm, 1),
        "yes" if study.ends_cut else "no",
        ";".join(study.codes),
        str(layout.sidecar(name)),
        *(_path(layout, name, volume, study) for volume in VOLUMES),
        str(layout.labels(name)) if layout.has_labels else "",
    ]


def _path(layout: VolumeLayout, name: str, volume: str, study: WrittenStudy) -> str:
    """Return the path of a stitched volume; nothing if the study has none."""
    is_there = volume in study.volumes and layout.arrangement != STATIONS
    return str(layout.volume(name, volume)) if is_there else ""
