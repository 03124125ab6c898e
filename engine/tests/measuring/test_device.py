# ruff: noqa: E402  (without torch the file is skipped before it imports what needs it)
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mimir_engine.errors import MimirError
from mimir_engine.measuring.device import available_cores, choose_device, cpu_threads


def test_auto_chooses_the_best_device_of_the_machine() -> None:
    kinds = ["cpu"]
    kinds += ["mps"] if torch.backends.mps.is_available() else []
    kinds += ["cuda"] if torch.cuda.is_available() else []
    assert choose_device("auto").type == kinds[-1]
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["", "gpu", "cpu:1", "cuda:x", "auto:0", "CUDA"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(MimirError, match="DEVICE_UNKNOWN"):
        choose_device(name)


def test_a_missing_device_is_refused() -> None:
    with pytest.raises(MimirError, match="DEVICE_MISSING"):
        choose_device("cuda:99")
    if not torch.backends.mps.is_available():
        with pytest.raises(MimirError, match="DEVICE_MISSING"):
            choose_device("mps")


def test_threads_default_to_the_cores_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(available_cores() + 3)
    try:
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        with cpu_threads():
            assert torch.get_num_threads() == available_cores() + 3
        monkeypatch.delenv("OMP_NUM_THREADS")
        with cpu_threads():
            assert torch.get_num_threads() == available_cores() >= 1
        assert torch.get_num_threads() == available_cores() + 3, "the number is restored"
    finally:
        torch.set_num_threads(before)
