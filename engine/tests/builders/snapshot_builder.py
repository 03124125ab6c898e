"""Write the small snapshots of ``tests/corpus/snapshot`` with the torch that runs this program.

    python snapshot_builder.py FOLDER

They hold a network's state dict, the moments of Adam, and an iteration, in both layouts. The seeds
of the corpus are those of torch 1.13.1, 2.1.0 and 2.14.1. Beside each is what torch read from it.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import torch


def main() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 2), torch.nn.BatchNorm2d(3))
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    network(torch.ones(2, 2, 3, 3)).sum().backward()
    adam.step()
    content = {
        "iteration": 7,
        "state_dict": network.state_dict(),
        "optimizer": adam.state_dict(),
    }
    version = torch.__version__.split("+")[0]
    for layout in ("zip", "older"):
        path = Path(sys.argv[1]) / f"{version}-{layout}.pth"
        torch.save(content, path, _use_new_zipfile_serialization=layout == "zip")
        pack(path)


def pack(path: Path) -> None:
    """Pack a snapshot with its values, and delete it."""
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    values = {name: tensor.tolist() for name, tensor in state.items()}
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.writestr(zipfile.ZipInfo("snapshot.pth"), path.read_bytes(), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("values.json"), json.dumps(values), zipfile.ZIP_DEFLATED)
    path.unlink()


if __name__ == "__main__":
    main()
