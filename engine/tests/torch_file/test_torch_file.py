"""Files of torch.save are read without torch; nothing else than weights is."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.torch_file import Tensor, open_torch_file
from mimir_engine.torch_file.older_layout import MAGIC_NUMBER

SEEDS = sorted((Path(__file__).parents[1] / "corpus" / "snapshot").glob("*.zip"))
STORAGE = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x06tQ"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.stem)
def test_snapshots_of_each_torch_are_read_without_torch(seed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(seed) as archive:
        path = Path(archive.extract("snapshot.pth", tmp_path))
        values = json.loads(archive.read("values.json"))
    with open_torch_file(path) as file:
        assert file.content["iteration"] == 7
        assert file.content["optimizer"]["param_groups"][0]["lr"] == 1e-3
        state = {name: file.array(t).tolist() for name, t in file.content["state_dict"].items()}
    assert state == values


def zip_file(pickle: bytes, data: bytes = bytes(24), method: int = 0, **more: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, part in {"data.pkl": pickle, "data/0": data, **more}.items():
            archive.writestr(f"any/{name}", part)
    return content.getvalue()


def older_file(pickle: bytes, count: int = 6, data: bytes = bytes(24)) -> bytes:
    head = b"\x80\x02\x8a\x0a" + MAGIC_NUMBER.to_bytes(10, "little") + b".\x80\x02M\xe9\x03."
    machine = b"\x80\x02}X\x0d\0\0\0little_endian\x88s."
    keys = b"\x80\x02]X\x01\0\0\x000a."
    return head + machine + pickle + keys + struct.pack("<q", count) + data


def read(tmp_path: Path, content: bytes) -> np.ndarray | object:
    path = tmp_path / "snapshot.pth"
    path.write_bytes(content)
    with open_torch_file(path) as file:
        return file.array(file.content) if isinstance(file.content, Tensor) else file.content


def tensor(
    offset: bytes = b"K\0", size: bytes = b"K\x02K\x03", stride: bytes = b"K\x03K\x01"
) -> bytes:
    hooks = b"\x89ccollections\nOrderedDict\n)R"
    view = offset + b"(" + size + b"t(" + stride + b"t"
    return b"\x80\x02" + REBUILD + b"(" + STORAGE + view + hooks + b"tR."


@pytest.mark.parametrize("make", [zip_file, older_file])
def test_strides_of_any_order_are_followed(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    data = np.arange(6, dtype="<f4").tobytes()
    found = read(tmp_path, make(tensor(size=b"K\x03K\x02", stride=b"K\x01K\x03"), data=data))
    np.testing.assert_array_equal(found, [[0, 3], [1, 4], [2, 5]])


UNSAFE = {
    "GLOBAL": b"cos\nsystem\nX\x02\0\0\0ls\x85R.",
    "INST": b"(X\x02\0\0\0lsios\nsystem\n.",
    "OBJ": b"(ctorch\nSize\no.",
    "NEWOBJ": b"ctorch\nSize\n)\x81.",
    "STACK_GLOBAL": b"X\x02\0\0\0osX\x06\0\0\0system\x93.",
    "EXT1": b"\x82\x01.",
    "PERSID": b"Pname\n.",
    "LONG4": b"\x8b\xff\0\0\0" + bytes(255) + b".",
    "an attribute": b"ctorch\nSize\n}b.",
    "a call of a text": b"X\x01\0\0\0a)R.",
}
UNREADABLE = {
    "a stack underflow": b"\x85.",
    "an unknown memo": b"h\x07.",
    "no mark": b"t.",
    "a key that is a list": b"}]Ns.",
    "a cut text": b"X\xff\xff\xff\x7fa.",
    "a huge length": b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fa.",
    "no end": b"}",
    "another protocol": b"\x80\x05N.",
    "too many instructions": b"N" * 200_001 + b".",
    "a negative offset": tensor(offset=b"J\xff\xff\xff\xff")[2:],
    "a negative stride": tensor(stride=b"J\xff\xff\xff\xffK\x01")[2:],
    "a huge stride": tensor(stride=b"\x8a\x08" + b"\xff" * 7 + b"\x3fK\x01")[2:],
    "a huge size": tensor(size=b"\x8a\x08" + b"\xff" * 7 + b"\x3fK\x01")[2:],
    "a repeated number beyond memory": tensor(size=b"J\0\0\0\x7fK\x01", stride=b"K\0K\0")[2:],
    "a stride missing": tensor(stride=b"K\x01")[2:],
}


def hostile() -> Iterator[tuple[str, str, bytes]]:
    for code, pickles in (("SNAPSHOT_UNSAFE", UNSAFE), ("SNAPSHOT_UNREADABLE", UNREADABLE)):
        for name, pickle in pickles.items():
            yield code, name, pickle


@pytest.mark.parametrize("make", [zip_file, older_file])
@pytest.mark.parametrize(
    ("code", "pickle"), [(c, p) for c, _, p in hostile()], ids=[name for _, name, _ in hostile()]
)
def test_hostile_pickles_are_refused(tmp_path: Path, make, code: str, pickle: bytes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MimirError, match=code):
        read(tmp_path, make(b"\x80\x02" + pickle))


def test_a_list_in_itself_and_deep_nesting_do_no_harm(tmp_path: Path) -> None:
    assert isinstance(read(tmp_path, zip_file(b"\x80\x02]q\0h\0a.")), list)
    assert read(tmp_path, zip_file(b"\x80\x02)" + b"\x85" * 100_000 + b".")) is not None


@pytest.mark.parametrize(
    "content",
    [
        zip_file(tensor(), method=zipfile.ZIP_DEFLATED),
        zip_file(tensor(), data=bytes(20)),
        zip_file(tensor(), byteorder=b"big"),
        zip_file(tensor())[:-30],
        zip_file(tensor()).replace(bytes(24), b"\1" * 24, 1),
        older_file(tensor(), count=5),
        older_file(tensor(), count=-1),
        older_file(tensor())[:-1],
        bytes(257) + b"ustar" + bytes(300),
        b"",
    ],
    ids=["deflated", "short storage", "big-endian", "cut", "damaged storage", "other count",
         "negative count", "cut older", "tar", "empty"],
)  # fmt: skip
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(MimirError, match="SNAPSHOT_UNREADABLE"):
        read(tmp_path, content)


def test_tensors_that_repeat_numbers_are_together_no_larger_than_the_file(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.pth"
    path.write_bytes(zip_file(tensor(size=b"K\x02K\x03", stride=b"K\0K\0")))
    times = path.stat().st_size // (2 * 3 * 4)
    assert times > 1
    with open_torch_file(path) as file:
        for _ in range(times):
            assert file.array(file.content).shape == (2, 3)
        with pytest.raises(MimirError, match=r"SNAPSHOT_UNREADABLE.*larger than the file"):
            file.array(file.content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_or_place_are_refused(tmp_path: Path) -> None:
    twice = io.BytesIO(zip_file(tensor()))
    with zipfile.ZipFile(twice, "a") as archive:
        archive.writestr("any/data/0", bytes(24))
    with pytest.raises(MimirError, match="two of the same name"):
        read(tmp_path, twice.getvalue())
    same_place = bytearray(zip_file(tensor(), other=bytes(24)))
    last = same_place.rindex(b"PK\x01\x02")
    before = same_place.rindex(b"PK\x01\x02", 0, last)
    same_place[last + 42 : last + 46] = same_place[before + 42 : before + 46]
    with pytest.raises(MimirError, match="SNAPSHOT_UNREADABLE"):
        read(tmp_path, bytes(same_place))


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int64", "int32"])
@pytest.mark.parametrize("is_zip", [True, False])
def test_arrays_are_those_that_torch_reads(tmp_path: Path, dtype: str, is_zip: bool) -> None:
    torch = pytest.importorskip("torch", reason="compares with torch's own reading")
    path = tmp_path / "snapshot.pth"
    whole = (torch.arange(60) * 3.7 - 50).to(getattr(torch, dtype)).reshape(3, 4, 5)
    views = [whole, whole.permute(2, 0, 1)[1:, :, ::2], whole[0, 0, 0], whole[:0]]
    torch.save(views, path, _use_new_zipfile_serialization=is_zip)
    with open_torch_file(path) as file:
        found = [file.array(tensor) for tensor in file.content]
    for array, view in zip(found, views):
        expected = view.float() if dtype == "bfloat16" else view
        np.testing.assert_array_equal(array, expected.numpy())
        assert array.dtype == expected.numpy().dtype
