"""Read files of ``torch.save`` without torch, and without running anything in them.

A file of ``torch.save`` is a pickle, a program for a stack machine, beside raw buffers of numbers,
the storages. ``opcodes`` reads the program's instructions within limits; ``interpreter`` carries
out the few that weights need, with the fixed names of ``known_names``; ``zip_layout`` and
``older_layout`` find the storages; ``arrays`` copies tensors out of them; ``reading`` joins these.
"""

from mimir_engine.torch_file.reading import TorchFile, open_torch_file
from mimir_engine.torch_file.tensor import Tensor

__all__ = ["Tensor", "TorchFile", "open_torch_file"]
