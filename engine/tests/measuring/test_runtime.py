"""Which runtime is chosen, with what is installed and which devices there are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import is_installed
from mimir_engine.measuring import runtime as runtimes
from mimir_engine.measuring.runtime import Runtime, choose_runtime


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    return Computer(monkeypatch)


class Computer:
    """What is installed and there, in place of the real machine's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.extras, self.device, self.driver = {"onnx", "network"}, "cpu", False
        self.asked_torch = 0
        monkeypatch.setattr(runtimes, "is_installed", lambda extra: extra in self.extras)
        monkeypatch.setattr(runtimes, "may_have_gpu", lambda: self.driver)
        monkeypatch.setattr(runtimes, "require", lambda *_: None)
        monkeypatch.setattr(runtimes, "choose_device", self._choose)

    def _choose(self, name: str = "auto") -> Device:
        self.asked_torch += 1
        return Device(self.device if name == "auto" else name)


class Device(str):
    """As a device of torch: its type is the name without a number."""

    @property
    def type(self) -> str:
        return self.partition(":")[0]


def test_without_a_graphics_card_it_is_onnx_runtime_and_torch_is_not_asked(
    computer: Computer,
) -> None:
    assert choose_runtime() == Runtime("onnx", "cpu")
    assert choose_runtime(device="cpu") == Runtime("onnx", "cpu")
    assert computer.asked_torch == 0


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_torch_where_it_has_a_graphics_card(computer: Computer, device: str) -> None:
    computer.driver, computer.device = True, device
    assert choose_runtime() == Runtime("torch", device)
    assert choose_runtime(device="cpu") == Runtime("onnx", "cpu"), "as asked"
    assert choose_runtime("onnx") == Runtime("onnx", "cpu"), "as asked"


def test_a_driver_whose_card_torch_cannot_use_changes_nothing(computer: Computer) -> None:
    computer.driver = True
    assert choose_runtime() == Runtime("onnx", "cpu")


def test_a_device_that_is_asked_for_decides(computer: Computer) -> None:
    assert choose_runtime(device="cuda:1") == Runtime("torch", "cuda:1")
    assert choose_runtime("torch", "cpu") == Runtime("torch", "cpu")


def test_the_only_one_that_is_installed_is_used(computer: Computer) -> None:
    computer.extras = {"network"}
    assert choose_runtime() == Runtime("torch", "cpu")
    computer.extras, computer.driver = {"onnx"}, True
    assert choose_runtime() == Runtime("onnx", "cpu")


def test_without_any_the_error_says_how_to_install_one(computer: Computer) -> None:
    computer.extras = set()
    with pytest.raises(MimirError) as caught:
        choose_runtime()
    text = str(caught.value)
    assert text.startswith("EXTRA_MISSING: measuring with networks needs ONNX Runtime or PyTorch")
    assert "mimir-engine[onnx]" in text
    assert "mimir-engine[network]" in text


def test_onnx_runtime_has_no_graphics_card(computer: Computer) -> None:
    with pytest.raises(MimirError, match=r"DEVICE_MISSING: .*the runtime 'torch'"):
        choose_runtime("onnx", "cuda")


@pytest.mark.parametrize(
    ("runtime", "device", "code"),
    [("tensorflow", "auto", "RUNTIME_UNKNOWN"), ("", "auto", "RUNTIME_UNKNOWN")]
    + [("auto", name, "DEVICE_UNKNOWN") for name in ("", "gpu", "cpu:1", "cuda:", "auto:0")],
)
def test_unknown_names_are_refused(
    computer: Computer, runtime: str, device: str, code: str
) -> None:
    with pytest.raises(MimirError, match=code):
        choose_runtime(runtime, device)


def test_a_run_is_described_by_the_version_of_its_runtime() -> None:
    pytest.importorskip("onnxruntime")
    import onnxruntime

    described = Runtime("onnx", "cpu").describe()
    assert described == {
        "runtime": "onnx",
        "onnxruntime": onnxruntime.__version__,
        "device": "cpu",
    }


@pytest.mark.skipif(not is_installed("onnx"), reason="needs ONNX Runtime")
@pytest.mark.skipif(sys.platform == "darwin", reason="every Mac may have a card")
def test_networks_run_without_importing_torch() -> None:
    code = (
        "import sys; from mimir_engine.measuring import device, runtime\n"
        "runtime.may_have_gpu = lambda: False\n"
        "import numpy as np; from mimir_engine import find_module\n"
        "from mimir_engine.measuring.network import Predictor\n"
        "predictor = Predictor(find_module('phantom'))\n"
        "predictor.predict(np.zeros((1, 3, 256, 256), np.uint8))\n"
        "print(predictor.runtime.name, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["onnx", "False"]
