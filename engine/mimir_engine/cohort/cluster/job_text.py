"""Jobs of all kinds as the text that travels to a worker."""

from __future__ import annotations

import json
from typing import Union

from mimir_engine.cohort.cluster.fuse_job import FuseJob
from mimir_engine.cohort.cluster.measure_job import MeasureJob
from mimir_engine.files.json_file import from_json, to_json

AnyJob = Union[MeasureJob, FuseJob]
_KINDS: dict[str, type[AnyJob]] = {"measure": MeasureJob, "fuse": FuseJob}


def job_text(job: AnyJob) -> str:
    """Return a job as JSON."""
    kind = next(kind for kind, job_type in _KINDS.items() if isinstance(job, job_type))
    return json.dumps({"kind": kind, "job": to_json(job)})


def job_from_text(text: str) -> AnyJob:
    """Read what `job_text` wrote."""
    content = json.loads(text)
    return from_json(content["job"], _KINDS[content["kind"]])
