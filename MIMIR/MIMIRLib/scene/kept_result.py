"""Keep a study's whole result in its table node, for charts and reports after the run.

The folder of the run is deleted, and the table's columns are for people. The attribute holds the
engine's ``MeasuredStudy`` as compressed JSON: some 10 kB for 73 measurements.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, Optional

from MIMIRLib.engine.import_engine import import_engine

#: Attribute of the table of measurements.
RESULT_MARK = "MIMIR.Result"
#: Bytes of the JSON text; scenes come from others, too.
MAX_BYTES = 32 << 20


def keep_result(table: Any, folder: Any) -> None:
    """Keep the result of the engine's ``StudyFolder`` in its table of measurements."""
    from mimir_engine.report.measured_study import measured_study

    text = json.dumps(measured_study(folder).to_json(), allow_nan=False)
    packed = base64.b64encode(zlib.compress(text.encode("ascii")))
    table.SetAttribute(RESULT_MARK, packed.decode("ascii"))


def kept_result(table: Any) -> Optional[Any]:
    """Return the engine's ``MeasuredStudy`` of a table of measurements.

    Returns:
        None for tables of versions before 0.6 and for damaged ones.
    """
    return unpacked_result(packed_result(table))


def packed_result(table: Any) -> str:
    """Return the text that keeps a table's result; empty if there is none."""
    return (table.GetAttribute(RESULT_MARK) or "") if table is not None else ""


def unpacked_result(packed: str) -> Optional[Any]:
    """Return the engine's ``MeasuredStudy`` that a text keeps; None if it is damaged."""
    import_engine()
    from mimir_engine.report.measured_study import MeasuredStudy

    try:
        unpack = zlib.decompressobj()
        text = unpack.decompress(base64.b64decode(packed, validate=True), MAX_BYTES)
        fields = json.loads(text)
        fields["result"].setdefault("labels", [])  # versions before 0.9 measured none
        return MeasuredStudy.from_json(fields) if unpack.eof else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, zlib.error):
        return None
