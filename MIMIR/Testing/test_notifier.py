from __future__ import annotations

from MIMIRLib.notifier import Notifier


def test_listeners_are_called_in_their_order_with_the_arguments() -> None:
    heard: list[tuple] = []
    notifier = Notifier()
    notifier.connect(lambda *arguments: heard.append(("first", *arguments)))
    notifier.connect(lambda *arguments: heard.append(("second", *arguments)))
    notifier.emit(1, "two")
    assert heard == [("first", 1, "two"), ("second", 1, "two")]
