from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from image_folder_builder import write_image_folder
from small_training import small_dataset

from mimir_engine.errors import MimirError
from mimir_engine.training.dataset import load_dataset

FILES = ("images.npy", "targets.npy", "studies.csv", "dataset.json")
#: Contents that no file of a data set has.
GARBAGE = {
    "nothing": b"",
    "zeros": bytes(4096),
    "a zip archive": b"PK\5\6" + bytes(18),
    "an array header that does not end": b"\x93NUMPY\1\0\x76\0{'descr': (((((((((" + b" " * 108,
    "more rows than the file holds": b"",  # made in the test
    "brackets": b"[" * 100_000,
    "another kind of text": b"\xff\xfe\x00\xd8",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return write_image_folder(tmp_path / "data", small_dataset(6))


def refused(folder: Path) -> MimirError:
    with pytest.raises(MimirError) as caught:
        load_dataset(folder)
    assert caught.value.code in ("DATASET_UNREADABLE", "DATASET_INVALID", "DATASET_INCOMPLETE")
    return caught.value


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", GARBAGE)
def test_a_damaged_file_of_a_data_set_is_refused(name: str, kind: str, folder: Path) -> None:
    content = GARBAGE[kind]
    if kind == "more rows than the file holds":
        head = np.lib.format.header_data_from_array_1_0(np.zeros(1, np.uint8))
        with (folder / name).open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {**head, "shape": (10**15, 3, 8, 8)})
    else:
        (folder / name).write_bytes(content)
    refused(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_the_place_of_a_file_is_refused(name: str, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    refused(folder)


@pytest.mark.parametrize("row", ["-1", "0", "9" * 30, "1.5", ""])
def test_a_row_that_is_no_row_of_the_images_never_shows_another_image(
    row: str, folder: Path
) -> None:
    text = (folder / "studies.csv").read_text("utf-8")
    (folder / "studies.csv").write_text(text.replace("\n5,", f"\n{row},"), "utf-8")
    refused(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("targets", 5),
        ("targets", [{"name": 5, "unit": "L"}]),
        ("provenance", "x"),
        ("schema", "2"),
        ("projection", ["x"]),
    ],
)
def test_a_description_of_another_form_is_refused(key: str, value: Any, folder: Path) -> None:
    description = json.loads((folder / "dataset.json").read_text("ascii"))
    (folder / "dataset.json").write_text(json.dumps({**description, key: value}), "ascii")
    refused(folder)


@pytest.mark.parametrize("divisor", [0, -1, "x", 1e999])
def test_a_divisor_that_divides_nothing_is_refused(divisor: object, folder: Path) -> None:
    description = json.loads((folder / "dataset.json").read_text("ascii"))
    description["targets"][0]["divisor"] = divisor
    (folder / "dataset.json").write_text(json.dumps(description), "ascii")
    refused(folder)
