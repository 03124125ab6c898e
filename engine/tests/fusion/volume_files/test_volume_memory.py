"""Volume files that lie about their size cost no memory."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from volume_builder import Oriented, oriented, small_volume, write_nifti, write_nrrd

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.image_file import read_image

nibabel = pytest.importorskip("nibabel")

VOLUME = small_volume()
IMAGE = oriented(VOLUME)


def nifti(folder: Path, image: Oriented = IMAGE, name: str = "v.nii", **options: Any) -> Path:
    return write_nifti(folder / name, image, **options)


def nrrd(folder: Path, image: Oriented = IMAGE, **options: Any) -> Path:
    return write_nrrd(folder / "v.nrrd", image, **options)


_WITHIN = """
import sys
import nibabel.nifti2  # its memory does not count
from pathlib import Path
from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.image_file import read_image
limit = int(sys.argv[1])
if limit:
    import resource
    sizes = dict(line.split(":", 1) for line in open("/proc/self/status"))
    used = int(sizes["VmSize"].split()[0]) << 10
    resource.setrlimit(resource.RLIMIT_AS, (used + limit, used + limit))
for path in sys.argv[2:]:
    try:
        read_image(Path(path))
        print("READ")
    except MimirError as error:
        print(error.code)
    except MemoryError:
        print("OUT_OF_MEMORY")
"""


def codes_within(megabytes: int, paths: list[Path]) -> list[str]:
    """Read volumes in a process that may take so much more memory than it has at the start."""
    command = [sys.executable, "-c", _WITHIN, str(megabytes << 20), *map(str, paths)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return run.stdout.split()


def huge(folder: Path, name: str, sizes: tuple[int, int, int], content: bytes) -> Path:
    """Write a small file that says that it is large, and goes on with what is given."""
    path = nifti(folder, kind="Nifti2", dim=(3, *sizes, 1, 1, 1, 1))
    content = path.read_bytes()[:544] + content
    path.unlink()
    (folder / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    return folder / name


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's limits of memory")
def test_a_header_that_lies_costs_no_memory(tmp_path: Path) -> None:
    zeros = tmp_path / "zeros.nii.gz"
    with gzip.open(zeros, "wb", 1) as file:  # inflates to 1 GB, and has 5 MB
        file.write(huge(tmp_path, "front.nii", (6, 5, 4), b"").read_bytes())
        for _ in range(1 << 10):
            file.write(bytes(1 << 20))
    nrrd_zeros = nrrd(tmp_path, data=gzip.compress(bytes(200 << 20), 1))
    paths = [
        huge(tmp_path, "a.nii", (2**40, 2**40, 2**40), b""),
        huge(tmp_path, "b.nii.gz", (1000, 1000, 500), b""),
        huge(tmp_path, "c.nii.gz", (2**62, 2, 2), bytes(1 << 20)),
        huge(tmp_path, "d.nii.gz", (400, 400, 100), bytes(1 << 20)),
        zeros,
        nrrd_zeros,
        nrrd(tmp_path / "..", fields={"sizes": "999999999999999999 5 4"}),
    ]
    large, damaged = "VOLUME_TOO_LARGE", "VOLUME_UNREADABLE"
    expected = [large, large, large, damaged, damaged, damaged, large]
    assert codes_within(100, paths) == expected


def test_the_caller_may_allow_fewer_voxels(tmp_path: Path) -> None:
    path = nifti(tmp_path)
    assert read_image(path, max_voxels=120).array.size == 120
    with pytest.raises(MimirError, match=r"VOLUME_TOO_LARGE.*6 x 5 x 4 voxels"):
        read_image(path, max_voxels=119)
