"""Call functions when something happens, without Qt."""

from __future__ import annotations

from typing import Any, Callable


class Notifier:
    """A list of functions to call.

    >>> changed = Notifier()
    >>> changed.connect(print)
    >>> changed.emit("liver", 1.5)
    liver 1.5
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[..., Any]] = []

    def connect(self, listener: Callable[..., Any]) -> None:
        """Call ``listener`` at each later ``emit``."""
        self._listeners.append(listener)

    def emit(self, *arguments: Any) -> None:
        """Call all listeners in the order in which they were connected."""
        for listener in self._listeners:
            listener(*arguments)
