"""Keep readers at hand for several threads, and replace those that have died."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Optional

from mimir_engine.readers.message import Message
from mimir_engine.readers.reader_limits import ReaderLimits
from mimir_engine.readers.reader_process import ReaderProcess


class Readers:
    """As many readers as there are calls at once; they end with the block."""

    def __init__(self, module: str, limits: ReaderLimits) -> None:
        self._module, self.limits = module, limits
        self._idle: list[ReaderProcess] = []
        self._busy: set[ReaderProcess] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def call(self, function: str, arguments: Mapping[str, Any]) -> Message:
        """Call a function in a reader that is not busy; several threads may do so.

        Raises:
            MimirError: As ``ReaderProcess`` and its ``call``.
        """
        reader = self._idle_reader() or ReaderProcess(self._module, self.limits)
        with self._lock:
            self._busy.add(reader)
            if self._is_closed:
                reader.end()
        try:
            return reader.call(function, arguments)
        finally:
            with self._lock:
                self._busy.discard(reader)
                if self._is_closed:
                    reader.close()
                elif reader.is_alive:
                    self._idle.append(reader)

    def _idle_reader(self) -> Optional[ReaderProcess]:
        """Return a reader that waits; one that was ended meanwhile is dropped."""
        with self._lock:
            while self._idle:
                reader = self._idle.pop()
                if reader.is_alive:
                    return reader
                reader.close()
        return None

    @property
    def is_busy(self) -> bool:
        """True while a reader works."""
        return bool(self._busy)

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all readers; calls under way fail."""
        with self._lock:
            self._is_closed = True
            for reader in self._idle:
                reader.close()
            for reader in self._busy:
                reader.end()
