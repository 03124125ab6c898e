"""The image equals that of the published method for every study that the method reads correctly.

Needs the parity kit (``MIMIR_PARITY`` names its folder): a generator of synthetic studies and the
images that the published code makes of them.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.fusion import fuse
from mimir_engine.projection.project import project
from mimir_engine.study import read_study

KIT = os.environ.get("MIMIR_PARITY", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not KIT, reason="MIMIR_PARITY does not name the parity kit"),
]

#: Limits on the share of equal pixels, the difference of a pixel, and the mean difference of a
#: channel, in grey levels.
MIN_EQUAL, MAX_DIFFERENCE, MAX_MEAN_DIFFERENCE = 0.994, 1, 0.02

#: Findings of the good variants that are corrected; all others have none.
CORRECTED = {
    "duplicateslice": ["SLICE_REPEATED"],
    "partialrescan": ["STATION_RESCANNED"],
    "redundant": ["STATION_RESCANNED"],
    "redundant_rev": ["STATION_RESCANNED"],
    "unequal": ["ENDS_CROPPED"],
}

#: Error code of each variant that is refused.
REFUSED = {
    "badcrc": "ZIP_DAMAGED",
    "badspacing": "GEOMETRY_UNREADABLE",
    "bombdeclared": "FILE_TOO_LARGE",
    "contradiction": "CONTRAST_CONTRADICTION",
    "corruptdicom": "DICOM_UNREADABLE",
    "emptyzip": "NO_DICOM",
    "gap": "STATION_GAP",
    "manifestonly": "NO_DIXON",
    "missingfat": "CONTRAST_MISSING",
    "missingslice": "SLICE_MISSING",
    "missingslice_w": "SLICE_MISSING",
    "missingstation_both": "STATION_GAP",
    "missingstation_water": "STATION_INCOMPLETE",
    "missingwater": "CONTRAST_MISSING",
    "notazip": "NOT_A_ZIP",
    "oblique": "NOT_AXIAL",
    "oddslice": "SLICES_UNEQUAL",
    "posmismatch": "POSITION_MISMATCH",
    "shortpixels": "PIXELS_TRUNCATED",
    "truncated": "NOT_A_ZIP",
    "twopatients": "MIXED_PATIENTS",
    "zerobytes": "NOT_A_ZIP",
    "zerospacing": "GEOMETRY_UNREADABLE",
    "zerovolume": "EMPTY_IMAGE",
    "zipbomb": "DICOM_UNREADABLE",  # its first bytes are not those of an image
}


def goldens() -> dict[str, dict[str, object]]:
    """Return the kit's list of images by study name."""
    if not KIT:
        return {}
    index = json.loads((Path(KIT) / "golden" / "index.json").read_text(encoding="utf-8"))
    return dict(index["items"])


@pytest.fixture(scope="module")
def kit() -> ModuleType:
    """The kit's generator of studies."""
    spec = spec_from_file_location("make_study", Path(KIT) / "make_study.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def study_path(
    name: str, kit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The test's study; each has some 20 MB and is deleted after its test.

    All but one are light, which means only with water and fat: MIMIR reads no more of them.
    """
    variant, seed = name.rsplit("_", 1)
    path = tmp_path / f"{name}.zip"
    with monkeypatch.context() as patch:
        # Noise deflates no better at the default level, but takes three times as long.
        patch.setattr(zlib, "Z_DEFAULT_COMPRESSION", 1)
        kit.generate(variant, int(seed), str(path), light=name != "nominal_1")
    yield path
    path.unlink()


@pytest.mark.parametrize("name", sorted(goldens()))
def test_the_image_equals_the_published_one(name: str, study_path: Path) -> None:
    item = goldens()[name]
    study = read_study(study_path)
    assert [finding.code for finding in study.findings] == CORRECTED.get(str(item["variant"]), [])
    golden = np.load(Path(KIT) / "golden" / str(item["image"]))
    difference = project(fuse(study.stations)).image.astype(int) - golden
    assert (difference == 0).mean() >= MIN_EQUAL
    assert abs(difference).max() <= MAX_DIFFERENCE
    assert abs(difference.mean(axis=(1, 2))).max() <= MAX_MEAN_DIFFERENCE


@pytest.mark.parametrize("name", [f"{variant}_1" for variant in sorted(REFUSED)])
def test_a_bad_study_is_refused_with_its_code(name: str, study_path: Path) -> None:
    with pytest.raises(MimirError) as raised:
        project(fuse(read_study(study_path).stations))
    assert raised.value.code == REFUSED[name[:-2]]


def test_every_variant_of_the_kit_is_tested(kit: ModuleType) -> None:
    assert set(kit.VARIANTS) == {*REFUSED, *(str(item["variant"]) for item in goldens().values())}
