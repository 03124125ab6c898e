from __future__ import annotations

from MIMIRLib.signal import Signal


def test_listeners_are_called_in_their_order_with_what_is_emitted() -> None:
    heard: list[tuple] = []
    signal = Signal()
    signal.connect(lambda *said: heard.append(("first", *said)))
    signal.connect(lambda *said: heard.append(("second", *said)))
    signal.emit(1, "two")
    assert heard == [("first", 1, "two"), ("second", 1, "two")]


def test_a_method_connected_twice_is_called_once() -> None:
    heard: list[int] = []
    signal = Signal()
    signal.connect(heard.append)
    signal.connect(heard.append)
    signal.emit(1)
    assert heard == [1]


def test_a_disconnected_listener_hears_nothing_and_a_stranger_is_no_error() -> None:
    heard: list[int] = []
    signal = Signal()
    signal.connect(heard.append)
    signal.disconnect(heard.append)
    signal.disconnect(print)
    signal.emit(1)
    assert heard == []


def test_a_listener_may_disconnect_itself_and_others_while_it_is_called() -> None:
    heard: list[str] = []
    signal = Signal()

    def last(_: int) -> None:
        heard.append("last")

    def first(_: int) -> None:
        heard.append("first")
        signal.disconnect(first)
        signal.disconnect(last)

    signal.connect(first)
    signal.connect(last)
    signal.emit(1)
    signal.emit(2)
    assert heard == ["first"]
