"""The program of a reader: answer requests until standard input closes.

A request names a function of the engine and its arguments. Its reply is what the function returns,
or the error that it raises.
"""

from __future__ import annotations

import faulthandler
import json
import os
import threading
import warnings
from importlib import import_module
from queue import SimpleQueue
from typing import IO, Any

from mimir_engine.errors import error_of
from mimir_engine.readers.message import Message, receive, send
from mimir_engine.readers.reader_limits import ReaderLimits, limit_memory

#: Seconds beyond the time limit after which a reader ends itself, if nobody has ended it.
GRACE_S = 10.0


def main(arguments: str) -> None:
    """Answer requests; never returns.

    Args:
        arguments: JSON with the functions' ``module``, ``memory_gb`` and ``timeout_s``.
    """
    values = json.loads(arguments)
    limits = ReaderLimits(values["memory_gb"], values["timeout_s"])
    requests, replies = _own_streams()
    limit_memory(limits.memory_gb)
    warnings.simplefilter("ignore")  # a library's warning may quote a patient's data
    module = import_module(values["module"])
    send(replies, Message("ready"))
    waiting: SimpleQueue[Message] = SimpleQueue()
    threading.Thread(target=_receive, args=(requests, waiting), daemon=True).start()
    with open(os.devnull, "w", encoding="ascii") as nowhere:
        while True:
            request = waiting.get()
            faulthandler.dump_traceback_later(
                limits.timeout_s + GRACE_S, exit=True, file=nowhere
            )  # its thread needs no Python: also a reader that hangs in a library ends
            reply = _answer(module, request)
            faulthandler.cancel_dump_traceback_later()
            send(replies, reply)


def _own_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Take standard input and output for messages; libraries that print, print nowhere."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return requests, replies


def _receive(requests: IO[bytes], waiting: SimpleQueue[Message]) -> None:
    """Queue requests; end this process when the engine has ended."""
    try:
        while True:
            waiting.put(receive(requests))
    except (EOFError, OSError):
        os._exit(0)


def _answer(module: Any, request: Message) -> Message:
    try:
        reply: Message = getattr(module, request.value["function"])(**request.value["arguments"])
        return Message({"value": reply.value}, reply.data)
    except Exception as error:
        return _error_reply(error)


def _error_reply(error: Exception) -> Message:
    """Describe an error.

    No variable of `_answer` may hold it: its traceback leads there and on to the study's images, so
    that they would stay in memory, those of study after study.
    """
    known = error_of(error)
    return Message({"error": [known.code, known.what, known.remedy]})
