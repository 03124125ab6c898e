"""Carry out the instructions of a pickle that weights need; refuse every other by its name.

Values are numbers, texts, lists, tuples, dicts, storages and tensors. Nothing is imported, looked
up or run. No value is ever walked through, so values may contain themselves.
"""

from __future__ import annotations

from typing import IO, Any, Callable, Optional

from mimir_engine.torch_file.known_names import KNOWN_NAMES, Maker, StorageType
from mimir_engine.torch_file.opcodes import instructions
from mimir_engine.torch_file.refusal import unreadable, unsafe
from mimir_engine.torch_file.tensor import Storage, checked_storage

#: What ``torch.save`` writes unless told otherwise.
PROTOCOL = 2
#: Keys of dicts: larger integers can be chosen so that all have the same hash.
MAX_KEY = 1 << 60


def read_pickle(file: IO[bytes]) -> tuple[Any, dict[str, Storage]]:
    """Read a pickle and leave the file behind it; return its value, and the storages by their key.

    Raises:
        MimirError: ``SNAPSHOT_UNSAFE`` or ``SNAPSHOT_UNREADABLE``.
    """
    machine = _Machine()
    for name, argument in instructions(file):
        if name == "STOP":
            break
        action = ACTIONS.get(name)
        if action is None:
            raise unsafe(f"the pickle instruction {name}")
        action(machine, argument)
    return machine.pop(), machine.storages


class _Machine:
    """The stack of values, where its marks are, and values kept by number."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, Storage] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def top(self) -> Any:
        """Return the last value; none lies below the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise unreadable("its list of contents is damaged")
        return self.stack[-1]

    def pop(self) -> Any:
        value = self.top()
        self.stack.pop()
        return value

    def pop_few(self, count: int) -> tuple[Any, ...]:
        return tuple(reversed([self.pop() for _ in range(count)]))

    def pop_to_mark(self) -> list[Any]:
        if not self.marks:
            raise unreadable("its list of contents is damaged")
        at = self.marks.pop()
        values = self.stack[at:]
        del self.stack[at:]
        return values


def _protocol(_: _Machine, version: int) -> None:
    if version != PROTOCOL:
        raise unreadable(f"its pickle has the protocol {version}, not {PROTOCOL}")


def _constant(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(value)


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(machine.pop_few(count))


def _put(machine: _Machine, index: int) -> None:
    machine.memo[index] = machine.top()


def _get(machine: _Machine, index: int) -> None:
    if index not in machine.memo:
        raise unreadable("its list of contents is damaged")
    machine.push(machine.memo[index])


def _append(machine: _Machine, _: Any) -> None:
    _extend(machine, [machine.pop()])


def _appends(machine: _Machine, _: Any) -> None:
    _extend(machine, machine.pop_to_mark())


def _extend(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    if type(target) is not list:
        raise unreadable("its list of contents is damaged")
    target.extend(values)


def _set_item(machine: _Machine, _: Any) -> None:
    _update(machine, list(machine.pop_few(2)))


def _set_items(machine: _Machine, _: Any) -> None:
    _update(machine, machine.pop_to_mark())


def _update(machine: _Machine, values: list[Any]) -> None:
    target = machine.top()
    if type(target) is not dict or len(values) % 2:
        raise unreadable("its list of contents is damaged")
    for key, value in zip(values[::2], values[1::2]):
        if not (type(key) is str or (type(key) is int and abs(key) < MAX_KEY)):
            raise unreadable("a key in it is neither text nor a number")
        target[key] = value


def _global(machine: _Machine, name: str) -> None:
    if name not in KNOWN_NAMES:
        raise unsafe(name.replace(" ", "."))
    machine.push(KNOWN_NAMES[name])


def _reduce(machine: _Machine, _: Any) -> None:
    maker, arguments = machine.pop_few(2)
    if not isinstance(maker, Maker) or type(arguments) is not tuple:
        raise unsafe("a call of what is no known function")
    machine.push(_made(maker, arguments))


def _made(maker: Maker, arguments: tuple[Any, ...]) -> Any:
    code = maker.make.__code__
    most = code.co_argcount
    least = most - len(maker.make.__defaults__ or ())
    if not least <= len(arguments) <= most:
        raise unreadable("its list of contents is damaged")
    return maker.make(*arguments)


def _build(machine: _Machine, _: Any) -> None:
    """Leave out the attributes of an ordered dict: a state dict's ``_metadata``."""
    machine.pop()
    if type(machine.top()) is not dict:
        raise unsafe("attributes of an object")


def _storage(machine: _Machine, _: Any) -> None:
    """Push the storage that a tuple describes: kind, class, key, device, count, and no view."""
    record = machine.pop()
    if type(record) is not tuple or len(record) not in (5, 6) or record[0] != "storage":
        raise unreadable("its list of contents is damaged")
    view: Optional[Any] = record[5] if len(record) == 6 else None
    if not isinstance(record[1], StorageType) or view is not None:
        raise unreadable("it describes a storage that cannot be")
    storage = checked_storage(record[2], record[1].dtype, record[4])
    if machine.storages.setdefault(storage.key, storage).size != storage.size:
        raise unreadable("a storage has two sizes")
    machine.push(storage)


def _push(machine: _Machine, argument: Any) -> None:
    machine.push(argument)


ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _protocol,
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"), _push),
    "EMPTY_TUPLE": _constant(()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_to_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "APPEND": _append,
    "APPENDS": _appends,
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _get),
    "GLOBAL": _global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "BINPERSID": _storage,
}
