"""Functions for readers in tests: like those of the engine, but some studies end their reader."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np

from mimir_engine.cohort import reader_calls
from mimir_engine.cohort.volumes import reader_calls as volume_calls
from mimir_engine.cohort.volumes.study_files import StudyFiles
from mimir_engine.errors import MimirError
from mimir_engine.readers.message import Message


def echo(text: str) -> Message:
    """Reply with the text, and with the number of this process."""
    return Message([text, os.getpid()], text.encode())


def fail(how: str) -> Message:
    """Fail in the way that is named."""
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "exit":
        os._exit(3)
    elif how == "hang":
        time.sleep(600)
    elif how == "memory":
        np.ones(10**10)  # 80 GB, of an address space of 2
    elif how == "refuse":
        raise MimirError("NO_DICOM", "nothing here", "Look elsewhere.")
    elif how == "refuse large":
        images = np.ones(25_000_000)  # 200 MB, of an address space of 2 GB
        raise MimirError("NO_DICOM", f"{images.size} values", "Look elsewhere.")
    elif how == "fault":
        raise ValueError("Nobody^At all")
    elif how == "nest":
        return fail(how)
    elif how == "print":
        os.write(1, b"noise " * 10_000)
        print("noise")
    return Message(how)


def prepare_study(source: dict[str, Any], **options: Any) -> Message:
    """Prepare a study; one whose name begins with a way to fail does so."""
    name = source["name"].partition("-")[0]
    if name in ("crash", "hang", "memory", "fault"):
        fail(name)
    if name == "changing":
        os.utime(source["path"], ns=(0, 0))
    return reader_calls.prepare_study(source, **options)


def scan_source(source: dict[str, Any], **options: Any) -> Message:
    """Scan a study; one whose name begins with a way to fail does so."""
    fail(source["name"].partition("-")[0])
    return reader_calls.scan_source(source, **options)


def check_source(source: dict[str, Any], **options: Any) -> Message:
    """Check a study; one whose name begins with a way to fail does so."""
    fail(source["name"].partition("-")[0])
    return reader_calls.check_source(source, **options)


def write_volumes(source: dict[str, Any], **options: Any) -> Message:
    """Write volumes; a study whose name begins with a way to fail fails when all are written."""
    how = source["name"].partition("-")[0]
    if how in ("crash", "hang"):
        StudyFiles.publish = lambda *_: fail(how)  # type: ignore[method-assign]
    return volume_calls.write_volumes(source, **options)


def variable(name: str) -> Message:
    """Reply with a variable of the reader's environment."""
    return Message(os.environ.get(name))
