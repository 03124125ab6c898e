# ruff: noqa: E402  (without torch the file is skipped before it imports what needs it)
from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from random_modules import random_images, random_state_dict

from mimir_engine.cli import DONE, main
from mimir_engine.errors import MimirError
from mimir_engine.inference_module import InferenceModule, load_module, source_files, verify_module
from mimir_engine.inference_module.acceptance import UK_BIOBANK
from mimir_engine.inference_module.architecture import build_network
from mimir_engine.inference_module.import_published import import_published
from mimir_engine.measuring.network import Predictor

TEXTS = {
    "metadata.txt": (
        "Name,Field,Unit,Divisor\r\n"
        "liverVolume,/,L,1000\r\n"
        "DxaAndroidBoneMass,23244,g,1\r\n"
        "sex,31,,1\r\n"
    ),
    "standardization_parameters.txt": "mean,sd\r\n1450.5,330.25\r\n48.0,11.5\r\n0.48,0.4996\r\n",
    "calibration_factors.txt": "calibration_factor\r\n1.31\r\n1.05\r\n2.5\r\n",
}


def tagged_cuda(content: bytes) -> bytes:
    """A torch file whose tensors claim to lie on a graphics card, as the published ones do."""
    tagged = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(tagged, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert b"X\x03\x00\x00\x00cpu" in data
                data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            target.writestr(entry.filename, data)
    return tagged.getvalue()


def random_tensors(target_count: int = 3) -> dict[str, torch.Tensor]:
    state = random_state_dict(target_count)
    return {name: torch.from_numpy(array.copy()) for name, array in state.items()}


def saved(content: object, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def snapshot() -> bytes:
    state_dict = dict(random_tensors())
    moments = {"step": torch.tensor(9.0), "exp_avg": torch.ones(3)}
    optimizer = {"state": {0: moments}, "param_groups": [{"lr": 5e-6, "betas": (0.9, 0.999)}]}
    return tagged_cuda(
        saved({"iteration": 10000, "state_dict": state_dict, "optimizer": optimizer})
    )


def published(
    folder: Path, snapshot: bytes | None = None, texts: Mapping[str, str | bytes | None] = {}
) -> Path:
    """A published module's folder; ``texts`` replaces files, or leaves them out where None."""
    folder.mkdir(parents=True)
    for name, text in {**TEXTS, **texts}.items():
        if text is not None:
            content = text if isinstance(text, bytes) else text.encode()
            (folder / name).write_bytes(content)
    if snapshot is not None:
        (folder / "snapshot.pth.tar").write_bytes(snapshot)
    return folder


def zipped(path: Path, entries: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def organs(tmp_path_factory: pytest.TempPathFactory, snapshot: bytes) -> InferenceModule:
    root = tmp_path_factory.mktemp("published")
    return import_published(published(root / "module_organs", snapshot), root / "modules")


def test_a_published_module_predicts_the_same_as_torch(organs: InferenceModule) -> None:
    images = random_images(2)
    network = build_network("resnet50", 3).eval()
    network.load_state_dict(random_tensors())
    with torch.inference_mode():
        outputs = network(torch.from_numpy(images).float()).view(2, 3, 2).double().numpy()
    prediction = Predictor(organs, "cpu").predict(images)
    scales = [(1450.5, 330.25, 1.31, 1000), (48.0, 11.5, 1.05, 1), (0.48, 0.4996, 2.5, 1)]
    for index, (mean, sd, factor, divisor) in enumerate(scales):
        expected = (outputs[:, index, 0] * sd + mean) / divisor
        assert np.abs(prediction.mean[:, index] - expected).max() < 1e-4 * sd / divisor
        variance = np.exp(outputs[:, index, 1]) * sd**2 * factor / divisor**2
        np.testing.assert_allclose(prediction.variance[:, index], variance, rtol=1e-3)


def test_the_content_of_the_text_files_is_kept(organs: InferenceModule) -> None:
    liver, bone, sex = organs.targets
    assert (liver.name, liver.ukb_field, liver.unit, liver.divisor) == ("liverVolume", "", "L", 1e3)
    assert (liver.mean, liver.sd, liver.variance_factor) == (1450.5, 330.25, 1.31)
    assert (bone.ukb_field, bone.kind, bone.non_negative) == ("23244", "quantity", True)
    assert (sex.kind, sex.unit, sex.non_negative, sex.variance_factor) == ("class", "", False, 2.5)
    assert organs.name == organs.folder.name == "organs"
    assert organs.accepts == UK_BIOBANK
    assert organs.published
    assert not organs.demonstration
    assert organs.provenance["iteration"] == 10000
    verify_module(organs)


def test_only_the_engines_own_files_are_written(organs: InferenceModule) -> None:
    assert sorted(path.name for path in organs.folder.iterdir()) == [
        "module.json",
        "weights.safetensors",
    ]
    assert [path.name for path in organs.folder.parent.iterdir()] == ["organs"]


def test_another_module_of_the_same_name_is_not_replaced(
    organs: InferenceModule, tmp_path: Path, snapshot: bytes
) -> None:
    texts = {"calibration_factors.txt": "calibration_factor\r\n1.3\r\n1.05\r\n2.5\r\n"}
    other = published(tmp_path / "module_organs", snapshot, texts)
    with pytest.raises(MimirError, match="MODULE_EXISTS"):
        import_published(other, organs.folder.parent)


def test_the_same_module_is_there_already_from_whatever_source(
    organs: InferenceModule, tmp_path: Path, snapshot: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    again = zipped(tmp_path / "organs.zip", {**TEXTS, "snapshot.pth.tar": snapshot})
    before = (organs.folder / "module.json").stat()
    assert main(["modules", "add", str(again), "--into", str(organs.folder.parent)]) == DONE
    assert "organs is there already: 3 measurements" in capsys.readouterr().out
    assert (organs.folder / "module.json").stat() == before


def test_a_zip_with_a_top_folder_and_hostile_neighbours_is_imported_in_memory(
    tmp_path: Path, snapshot: bytes
) -> None:
    top = "module_organs/"
    source = zipped(
        tmp_path / "module_organs.zip",
        {
            "../../outside.txt": "x",
            "/absolute.txt": "x",
            "__MACOSX/module_organs/._metadata.txt": "x",
            "__MACOSX/module_organs/metadata.txt": "x",
            **{top + name: text for name, text in TEXTS.items()},
            top + "snapshot.pth.tar": snapshot,
        },
    )
    module = import_published(source, tmp_path / "room" / "modules")
    assert module.folder == tmp_path / "room" / "modules" / "organs"
    assert not list(tmp_path.rglob("outside.txt"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["module_organs.zip", "room"]


def test_a_snapshot_of_the_older_torch_format_is_read(tmp_path: Path) -> None:
    old = saved({"state_dict": dict(random_tensors())}, _use_new_zipfile_serialization=False)
    module = import_published(published(tmp_path / "old", old), tmp_path / "modules", name="new")
    assert load_module(tmp_path / "modules" / "new") == module
    assert module.provenance["iteration"] is None


def lines(name: str, **replaced: str) -> dict[str, str]:
    """The file with some of its lines replaced: ``line2="..."``; counted from 1."""
    rows = TEXTS[name].splitlines()
    for key, row in replaced.items():
        rows[int(key[4:]) - 1] = row
    return {name: "\n".join(rows)}


METADATA, SCALES, FACTORS = TEXTS

WRONG_TEXTS: list[tuple[dict[str, Any], str]] = [
    ({METADATA: None}, "contains no metadata.txt"),
    ({SCALES: None}, "the file standardization_parameters.txt is missing"),
    ({FACTORS: None}, "the file calibration_factors.txt is missing"),
    ({METADATA: ""}, "metadata.txt has 0 lines"),
    ({FACTORS: "calibration_factor\n1\n1\n"}, "describe 3, 3 and 2 targets"),
    ({SCALES: TEXTS[SCALES] + "1,1\n"}, "describe 3, 4 and 3 targets"),
    (lines(FACTORS, line1="1.0"), "must begin with a header"),
    (lines(METADATA, line2="liverVolume,/,L"), "line 2 of metadata.txt has 3 values instead of 4"),
    (lines(METADATA, line2='"liver, volume",/,L,1000'), "has 5 values instead of 4"),
    (lines(METADATA, line2="liver volume,/,L,1000"), "the target name 'liver volume'"),
    (lines(METADATA, line3="liverVolume,/,L,34"), "the target liverVolume occurs twice"),
    (lines(METADATA, line2="liverVolume,/,L,0"), "the divisor of liverVolume"),
    (lines(METADATA, line2="liverVolume,/,L,mL"), "contains 'mL', not a number"),
    (lines(SCALES, line3="48,0"), "the sd of DxaAndroidBoneMass"),
    (lines(SCALES, line3="nan,1"), "contains 'nan', not a number"),
    (lines(FACTORS, line3="inf"), "contains 'inf', not a number"),
    (lines(FACTORS, line3="-1"), "the variance_factor of DxaAndroidBoneMass"),
    ({METADATA: b"Name,Field,Unit,Divisor\n\xff\xfe,1,L,1\n"}, "is not UTF-8 text"),
    ({FACTORS: b"calibration_factor\n" + b"1\n" * (1 << 20)}, "is larger than 1 MB"),
]


@pytest.mark.parametrize(("texts", "reason"), WRONG_TEXTS)
def test_wrong_text_files_are_refused(tmp_path: Path, texts: dict[str, Any], reason: str) -> None:
    source = published(tmp_path / "module_organs", b"", texts)
    with pytest.raises(MimirError) as caught:
        import_published(source, tmp_path / "modules")
    assert caught.value.code in ("PUBLISHED_MODULE_INVALID", "MODULE_INVALID")
    assert reason in str(caught.value)
    assert not list((tmp_path / "modules").glob("*"))


@pytest.mark.parametrize(
    "texts",
    [
        lines(METADATA, line2="liverVolume,/,L,1"),
        lines(METADATA, line2="liver,/,mL,1", line3="Height,12144,m,1")
        | lines(SCALES, line3="1.69,0.09"),
        lines(SCALES, line2="-1450,330"),
    ],
    ids=["divisor forgotten", "metres for centimetres, by field", "negative mean"],
)
def test_means_unlike_the_published_cohorts_are_refused(
    tmp_path: Path, texts: dict[str, str]
) -> None:
    source = published(tmp_path / "module_organs", b"", texts)
    with pytest.raises(MimirError, match="PUBLISHED_MODULE_IMPLAUSIBLE: the mean"):
        import_published(source, tmp_path / "modules")


class Attack:
    """Unpickling it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def without(name: str) -> dict[str, Any]:
    state_dict = dict(random_tensors())
    del state_dict[name]
    return state_dict


#: Torch 2.1 and 2.2, which have no uint16, cannot save it.
IN_8_BITS = (
    [("in 8 bits", torch.ones(6).to(torch.float8_e4m3fn), "_rebuild_tensor_v3|Untyped")]
    if hasattr(torch, "uint16")
    else []
)

WRONG_SNAPSHOTS: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b"", "UNREADABLE"),
    (
        "noise",
        lambda: b"\x80\x02garbage" * 50,
        "UNREADABLE|UNSAFE",
    ),
    ("bare pickle", lambda: pickle.dumps({"state_dict": {}}), "UNREADABLE|UNSAFE"),
    ("a list", lambda: saved([1]), "contains no state_dict"),
    ("no state", lambda: saved({"iteration": 3}), "contains no state_dict"),
    (
        "a missing layer",
        lambda: saved({"state_dict": without("fc.bias")}),
        "has no fc.bias",
    ),
    (
        "another layer",
        lambda: saved({"state_dict": {**random_tensors(), "head.weight": torch.ones(1)}}),
        "contains 'head.weight'",
    ),
    (
        "more targets",
        lambda: saved({"state_dict": random_tensors(target_count=4)}),
        r"has the shape \(8(, 2048)?,?\), but \(6",
    ),
    (
        "no tensor",
        lambda: saved({"state_dict": {**random_tensors(), "fc.bias": [0.0] * 6}}),
        "fc.bias of snapshot.pth.tar is not a tensor",
    ),
    (
        "integers",
        lambda: saved(
            {"state_dict": {**random_tensors(), "fc.bias": torch.ones(6, dtype=torch.int32)}}
        ),
        "fc.bias of snapshot.pth.tar is not a tensor",
    ),
    *(
        (
            name,
            lambda bias=bias: saved({"state_dict": {**random_tensors(), "fc.bias": bias}}),
            reason,
        )
        for name, bias, reason in (
            ("sparse", torch.ones(6).to_sparse(), "_rebuild_sparse_tensor"),
            ("without storage", torch.ones(6, device="meta"), "_rebuild_meta_tensor"),
            ("complex", torch.ones(6, dtype=torch.complex64), "fc.bias .* is not a tensor"),
            *IN_8_BITS,
        )
    ),
]


@pytest.mark.filterwarnings("ignore:Detected pickle protocol", "ignore:Validating sparse tensor")
@pytest.mark.parametrize(
    ("content", "reason"),
    [row[1:] for row in WRONG_SNAPSHOTS],
    ids=[row[0] for row in WRONG_SNAPSHOTS],
)
def test_a_snapshot_of_something_else_is_refused(
    tmp_path: Path, content: Callable[[], bytes], reason: str
) -> None:
    source = published(tmp_path / "module_organs", content())
    with pytest.raises(MimirError, match=f"({reason})"):
        import_published(source, tmp_path / "modules")
    assert not list((tmp_path / "modules").glob("*"))


def test_a_snapshot_with_numbers_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    bad = {**random_tensors(), "fc.bias": torch.full((6,), float("nan"))}
    source = published(tmp_path / "module_organs", saved({"state_dict": bad}))
    with pytest.raises(MimirError, match=r"WEIGHTS_NOT_FINITE: fc\.bias"):
        import_published(source, tmp_path / "modules")
    assert not list((tmp_path / "modules").glob("*"))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("zip_format", [True, False])
def test_code_in_a_snapshot_is_never_run(tmp_path: Path, zip_format: bool) -> None:
    attack = Attack(tmp_path / "attacked")
    content = saved({"state_dict": attack}, _use_new_zipfile_serialization=zip_format)
    source = published(tmp_path / "module_organs", content)
    with pytest.raises(MimirError, match=r"SNAPSHOT_UNSAFE|SNAPSHOT_UNREADABLE"):
        import_published(source, tmp_path / "modules")
    assert not (tmp_path / "attacked").exists()
    bare = published(tmp_path / "module_bare", pickle.dumps(attack))
    with pytest.raises(MimirError, match=r"SNAPSHOT_UNSAFE|SNAPSHOT_UNREADABLE"):
        import_published(bare, tmp_path / "modules")
    assert not (tmp_path / "attacked").exists()


def test_a_huge_number_in_a_snapshot_is_left_out(tmp_path: Path) -> None:
    content = saved({"iteration": 10**70, "state_dict": dict(random_tensors())})
    module = import_published(published(tmp_path / "module_organs", content), tmp_path / "modules")
    assert module.provenance["iteration"] is None


def test_a_compressed_or_too_large_snapshot_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_files, "MAX_FILE_BYTES", 1 << 20)
    inflated = io.BytesIO()
    with zipfile.ZipFile(inflated, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", b"\0" * (2 << 20))
    assert len(inflated.getvalue()) < 1 << 20
    source = published(tmp_path / "module_bomb", inflated.getvalue())
    with pytest.raises(MimirError, match="compressed or encrypted"):
        import_published(source, tmp_path / "modules")
    large = published(tmp_path / "module_large", b"\0" * (2 << 20))
    with pytest.raises(MimirError, match=r"snapshot\.pth\.tar is larger than 1 MB"):
        import_published(large, tmp_path / "modules")


def test_a_zip_entry_that_inflates_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_files, "MAX_FILE_BYTES", 1 << 20)
    path = tmp_path / "module_bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in TEXTS.items():
            archive.writestr(name, text)
        archive.writestr("snapshot.pth.tar", b"\0" * (20 << 20))
    with pytest.raises(MimirError, match=r"snapshot\.pth\.tar is larger than 1 MB"):
        import_published(path, tmp_path / "modules")
    assert not list((tmp_path / "modules").glob("*"))


def test_a_zip_of_two_modules_or_of_none_is_refused(tmp_path: Path) -> None:
    two = {f"{folder}/{name}": text for folder in "ab" for name, text in TEXTS.items()}
    for entries, number in ((two, "2"), ({}, "no"), ({"readme.txt": "x"}, "no")):
        source = zipped(tmp_path / "module.zip", entries)
        with pytest.raises(MimirError, match=rf"contains {number} metadata\.txt, not one"):
            import_published(source, tmp_path / "modules")


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    content = zipped(tmp_path / "module.zip", TEXTS).read_bytes()
    crc = content.replace(b"liverVolume", b"LiverVolume")
    encrypted = bytearray(content)
    central = content.index(b"PK\x01\x02")
    encrypted[6] |= 1
    encrypted[central + 8] |= 1
    for damaged in (b"", content[:100], content[:-30], crc, bytes(encrypted), b"not a zip"):
        source = tmp_path / "module_broken.zip"
        source.write_bytes(damaged)
        with pytest.raises(MimirError, match="PUBLISHED_MODULE_INVALID") as caught:
            import_published(source, tmp_path / "modules")
        assert "\n" not in str(caught.value)
    with pytest.raises(MimirError, match="PUBLISHED_MODULE_INVALID"):
        import_published(tmp_path / "none.zip", tmp_path / "modules")


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden", "a b"])
def test_an_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    source = published(tmp_path / "module_organs")
    with pytest.raises(MimirError, match="MODULE_INVALID"):
        import_published(source, tmp_path / "modules", name=name)
    shutil.rmtree(source)
