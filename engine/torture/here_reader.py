"""Readers without a process of their own, so that faults strike what they do, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from mimir_engine.errors import MimirError
from mimir_engine.readers import reader, readers
from mimir_engine.readers.message import Message
from mimir_engine.readers.reader_limits import ReaderLimits


class HereReader:
    """Answers as ``ReaderProcess`` does, in this process."""

    is_alive = True

    def __init__(self, module: str, limits: ReaderLimits) -> None:
        self._module = import_module(module)

    def call(self, function: str, arguments: Mapping[str, Any]) -> Message:
        request = Message(json.loads(json.dumps({"function": function, "arguments": arguments})))
        reply = reader._answer(self._module, request)
        if "error" in reply.value:
            raise MimirError(*reply.value["error"])
        return Message(json.loads(json.dumps(reply.value["value"])), reply.data)

    def end(self) -> None:
        pass

    def close(self) -> None:
        pass


def install() -> None:
    """Let all commands of this process use such readers."""
    readers.ReaderProcess = HereReader  # type: ignore[assignment, misc]
