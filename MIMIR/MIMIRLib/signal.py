"""A plain signal: what is not Qt tells whoever listens."""

from __future__ import annotations

from typing import Any, Callable

Listener = Callable[..., Any]


class Signal:
    """Functions that are called, in the order in which they were connected, when it is emitted.

    >>> changed = Signal()
    >>> changed.connect(print)
    >>> changed.emit("liver", 1.5)
    liver 1.5
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def connect(self, listener: Listener) -> None:
        """Call ``listener`` on each emission; connecting it again changes nothing."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def disconnect(self, listener: Listener) -> None:
        """Call it no more; one that isn't connected is no error."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def emit(self, *arguments: Any) -> None:
        """Call all listeners.

        One that is disconnected meanwhile, by another listener, is not called any more.
        """
        for listener in tuple(self._listeners):
            if listener in self._listeners:
                listener(*arguments)
