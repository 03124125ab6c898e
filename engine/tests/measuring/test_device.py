# ruff: noqa: E402  (without torch the file is skipped before it imports what needs it)
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mimir_engine.errors import MimirError
from mimir_engine.measuring.device import (
    available_cores,
    choose_device,
    cpu_threads,
)


def test_auto_takes_what_the_machine_has() -> None:
    kinds = ["cpu"]
    kinds += ["mps"] if torch.backends.mps.is_available() else []
    kinds += ["cuda"] if torch.cuda.is_available() else []
    assert choose_device("auto").type == kinds[-1]
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["", "gpu", "cpu:1", "cuda:x", "auto:0", "CUDA"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(MimirError, match="DEVICE_UNKNOWN"):
        choose_device(name)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(MimirError, match="DEVICE_MISSING"):
        choose_device("cuda:99")
    if not torch.backends.mps.is_available():
        with pytest.raises(MimirError, match="DEVICE_MISSING"):
            choose_device("mps")


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    with cpu_threads(before + 3) as count:
        assert count == torch.get_num_threads() == before + 3
    assert torch.get_num_threads() == before


def test_threads_default_to_the_cores_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with cpu_threads() as count:
        assert count == available_cores() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before = torch.get_num_threads()
    with cpu_threads() as count:
        assert count == before


def test_no_threads_are_refused() -> None:
    with pytest.raises(MimirError, match="THREADS_INVALID"), cpu_threads(0):
        pass
