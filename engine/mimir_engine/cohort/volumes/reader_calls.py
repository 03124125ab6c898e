"""What a reader does to stitch one study. Arguments and replies are JSON values.

The function with a reply runs in a reader, the other in the process that asks it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mimir_engine.cohort.sources import NamedSource, source_fields, source_from_fields
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout
from mimir_engine.cohort.volumes.write_study import write_study
from mimir_engine.cohort.volumes.written_study import WrittenStudy
from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import from_json, to_json
from mimir_engine.readers.message import Message
from mimir_engine.readers.readers import Readers
from mimir_engine.study.read_options import ReadOptions

#: The module whose function readers call.
FUNCTIONS = __name__


def write_volumes_in_reader(
    readers: Readers,
    source: NamedSource,
    reading: ReadOptions,
    output: Path,
    layout: VolumeLayout,
    has_identifiers: bool,
) -> WrittenStudy:
    """Read, check and stitch a study in a reader, which writes its volumes.

    Raises:
        MimirError: As ``Readers.call`` and ``write_study``.
    """
    arguments = {
        "source": {**source_fields(source), "hidden": list(source.hidden)},
        "reading": to_json(reading),
        "output": os.path.abspath(output),
        "layout": to_json(layout),
        "has_identifiers": has_identifiers,
    }
    return from_json(readers.call("write_volumes", arguments).value, WrittenStudy)


def write_volumes(
    source: Mapping[str, Any],
    reading: Mapping[str, Any],
    output: str,
    layout: Mapping[str, Any],
    has_identifiers: bool,
) -> Message:
    """Write the volumes of a study; reply with what was written."""
    fields = dict(source)
    hidden = tuple(fields.pop("hidden"))
    named = source_from_fields(fields)
    if named is None:
        raise MimirError("SOURCE_MISSING", "the study has no files", "Check the path.")
    written = write_study(
        replace(named, hidden=hidden),
        from_json(reading, ReadOptions),
        Path(output),
        from_json(layout, VolumeLayout),
        has_identifiers,
    )
    return Message(to_json(written))
