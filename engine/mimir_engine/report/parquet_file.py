"""A cohort's measurements as ``predictions.parquet``: one row a study and measurement."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

from mimir_engine.cohort.outcome import Cohort, StudyResult
from mimir_engine.extras import require
from mimir_engine.whole_files import whole_file

#: Studies a row group: some 70,000 rows of the published measurements.
STUDIES_A_GROUP = 1000


def write_parquet(folder: Path, cohort: Cohort) -> None:
    """Write ``predictions.parquet``; what ``run.json`` says is in the schema's metadata.

    Raises:
        MimirError: ``EXTRA_MISSING`` without pyarrow, ``OUTPUT_UNWRITABLE``.
    """
    require("parquet")
    import pyarrow as pa
    from pyarrow import parquet

    texts = ("study", "eid", "instance", "measurement", "unit")
    numbers = ("value", "sd", "lower", "upper", "level", "z", "percentile")
    fields = [(name, pa.string()) for name in texts]
    fields += [(name, pa.float64()) for name in numbers]
    schema = pa.schema(
        [*fields, ("flags", pa.string())], metadata={"mimir": json.dumps(dict(cohort.run))}
    )
    results = cohort.results
    path = folder / "predictions.parquet"
    with whole_file(path) as file, parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(results, STUDIES_A_GROUP)):
            rows = [row for result in group for row in _rows(result)]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _rows(result: StudyResult) -> list[dict[str, Any]]:
    """The flags are the measurement's own and those of the study's reading, as in the CSV file."""
    findings = [finding.code for finding in result.findings]
    return [
        {
            "study": result.name,
            "eid": result.eid,
            "instance": result.instance,
            "measurement": m.name,
            "unit": m.unit,
            "value": m.value,
            "sd": m.sd,
            "lower": m.lower,
            "upper": m.upper,
            "level": m.level,
            "z": m.z_score,
            "percentile": m.percentile,
            "flags": ";".join(dict.fromkeys((*findings, *m.flags))),
        }
        for m in result.measurements
    ]
