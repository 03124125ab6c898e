"""What the fuzzer does with each kind of input: damage it, and read it as MIMIR does.

A kind is a function that takes the files of a seed and writes a damaged copy into the case's
folder, and one that reads it: it returns a word about what came of it, or raises.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickletools
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from mutations import (
    at_signatures,
    blindly,
    in_dicom,
    in_json,
    in_nifti,
    in_nrrd,
    in_tar_header,
    in_text,
)

Parts = dict[str, bytes]

#: Describes the runs whose ledgers are damaged.
RUN = {"run": "fuzz"}

#: Names that an archive's entries or a folder's files can have.
NAMES = (
    "../escaped.dcm",
    "/tmp/escaped.dcm",
    "C:\\escaped.dcm",
    "a/" * 40 + "x.dcm",
    "n" * 250,
    "é.dcm",
    "\x1b[31m.dcm",
    ".hidden",
    "DICOMDIR",
    "manifest.csv",
    "x.zip",
    "x.tar.gz",
    "con",
    "a\\b.dcm",
    "origin.json",
    "1.dcm",
    "water.npy",
    "\u202egnp.dcm",
    "same",
    "SAME",
)


class Kind(NamedTuple):
    """How inputs of a folder of the corpus are damaged and read."""

    write: Callable[[Random, Parts, Path], None]
    read: Callable[[Random, Path], str]


# ---- damage ------------------------------------------------------------------------------------


def write_study(rng: Random, parts: Parts, folder: Path) -> None:
    """Damage files of a study, then pack it; or pack it, then damage the archive."""
    in_archive = rng.random() < 0.25
    if not in_archive:
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            parts = damaged_study(rng, parts)
    packing = rng.choice(("folder", "stored", "zip", "tar", "tgz", "nested", "zip"))
    if packing == "folder":
        write_parts(folder / "study", parts)
        return
    content = packed(rng, packing, parts)
    if in_archive:
        change = in_tar_header if packing == "tar" else at_signatures
        content = rng.choice((change, change, blindly))(rng, content)
    ending = {"tar": "tar", "tgz": "tar.gz"}.get(packing, "zip")
    (folder / f"study.{ending}").write_bytes(content)


def damaged_study(rng: Random, parts: Parts) -> Parts:
    """Damage one file, the files of one series or all files of a study, or the list of files."""
    names, parts = sorted(parts), dict(parts)
    name = rng.choice(names)
    action = rng.randrange(20)
    if action == 0:
        del parts[name]
        return parts or {"empty": b""}
    if action == 1:
        parts[rng.choice(NAMES)] = parts[name]
    elif action == 2:
        parts[rng.choice(NAMES)] = parts.pop(name)
    elif action == 3:
        other = rng.choice(names)
        parts[name], parts[other] = parts[other], parts[name]
    elif action == 4:
        parts[rng.choice(NAMES)] = rng.choice(
            (b"", b"text\n", zeros(), gzip.compress(parts[name]), bytes(200))
        )
    elif action < 9 or parts[name][128:132] != b"DICM":
        parts[name] = damaged_file(rng, name, parts[name])
    else:
        series = name[:5]
        some = rng.choice(([name], [n for n in names if n.startswith(series)], names))
        some = [name, *(n for n in some if n != name and parts[n][128:132] == b"DICM")]
        parts.update(zip(some, in_dicom(rng, [parts[n] for n in some])))
    return parts


def damaged_file(rng: Random, name: str, content: bytes) -> bytes:
    if name.endswith((".json", ".jsonl")):
        return rng.choice((in_json, in_json, in_text, blindly))(rng, content)
    if name.endswith((".csv", ".md")):
        return rng.choice((in_text, in_text, blindly))(rng, content)
    if name.endswith(".gz") and rng.random() < 0.5:
        with suppress(OSError, EOFError, zlib.error):  # it may be damaged already
            return gzip.compress(blindly(rng, gzip.decompress(content)), 1)
    return blindly(rng, content)


def packed(rng: Random, packing: str, parts: Parts) -> bytes:
    content = io.BytesIO()
    if packing in ("tar", "tgz"):
        with tarfile.open(fileobj=content, mode="w") as tar:
            for name, data in parts.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        plain = content.getvalue()
        return gzip.compress(plain, 1) if packing == "tgz" else plain
    method = zipfile.ZIP_STORED if packing == "stored" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(content, "w", method, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    if packing != "nested":
        return content.getvalue()
    return packed(
        rng,
        rng.choice(("stored", "zip")),
        {"readme.txt": b"inner", "inner.zip": content.getvalue()},
    )


@lru_cache(maxsize=1)
def zeros() -> bytes:
    """A file that unpacks to 64 MB."""
    return gzip.compress(bytes(64 << 20), 1)


def write_parts(folder: Path, parts: Parts) -> None:
    """Write files, but none outside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in parts.items():
        path = folder / name.replace("..", "__").lstrip("/").replace(":", "_")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except (OSError, ValueError):  # a name that the system does not take
            pass


def write_damaged(rng: Random, parts: Parts, folder: Path) -> None:
    """Damage one file or two, and write all."""
    parts = dict(parts)
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(sorted(parts))
        action = rng.randrange(30)
        if action == 0 and len(parts) > 1:
            del parts[name]
        elif action == 1:
            parts[name] = b""
        else:
            parts[name] = damaged_file(rng, name, parts[name])
    write_parts(folder, parts)


def write_run(rng: Random, parts: Parts, folder: Path) -> None:
    """Write the ledger of a run, and damage it or the module."""
    from mimir_engine.cohort.outcomes import LEDGER_FILE

    write_ledger(parts, folder)
    path = folder / (LEDGER_FILE if rng.random() < 0.9 else "module.json")
    path.write_bytes(rng.choice((in_ledger, in_text, blindly))(rng, path.read_bytes()))


def write_ledger(parts: Parts, folder: Path) -> None:
    """Write the ledger of a run, and its module."""
    from mimir_engine.cohort.ledger import Ledger

    with Ledger(folder, RUN) as ledger:
        for entry in json.loads(parts["entries.json"]):
            ledger.add(entry["name"], entry)
    (folder / "module.json").write_bytes(parts["module.json"])


def in_ledger(rng: Random, content: bytes) -> bytes:
    """Change one line's JSON, or the order of lines."""
    lines = content.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    if rng.random() < 0.2:
        lines.insert(rng.randrange(len(lines)), lines.pop(at))
    else:
        lines[at] = in_json(rng, lines[at]) + b"\n"
    return b"".join(lines)


def write_module(rng: Random, parts: Parts, folder: Path) -> None:
    """Damage a module; mostly its list of hashes fits what was damaged."""
    parts = dict(parts)
    if rng.random() < 0.2:
        (folder / "module.zip").write_bytes(at_signatures(rng, packed(rng, "zip", parts)))
        return
    name = rng.choice(("module.json", *sorted(parts)))
    content = damaged_file(rng, name, parts[name])
    if rng.random() < 0.8:
        old, new = (hashlib.sha256(data).hexdigest() for data in (parts[name], content))
        parts["module.json"] = parts["module.json"].replace(old.encode(), new.encode())
    parts[name] = content
    if rng.random() < 0.1:
        parts[rng.choice(NAMES)] = content
    if rng.random() < 0.7:
        (folder / "module.zip").write_bytes(packed(rng, rng.choice(("zip", "stored")), parts))
    else:
        write_parts(folder / "module", parts)


def write_volume(rng: Random, parts: Parts, folder: Path) -> None:
    """Damage a volume: its header, all of it before it is compressed, or all of it after."""
    ((name, content),) = parts.items()
    change = rng.choice((in_nrrd if name.endswith(".nrrd") else in_nifti,) * 4 + (blindly,))
    if name.endswith(".gz") and rng.random() < 0.8:
        content = gzip.compress(change(rng, gzip.decompress(content)), 1)
    else:
        content = (blindly if name.endswith(".gz") else change)(rng, content)
    (folder / name).write_bytes(content)


# ---- reading -----------------------------------------------------------------------------------


def read_study(rng: Random, folder: Path) -> str:
    """List the studies, and prepare each for the networks, or scan it."""
    from mimir_engine.cohort.reader_calls import prepare_study, scan_source
    from mimir_engine.cohort.sources import named_sources, source_fields

    paths = [str(path) for path in sorted(folder.iterdir())]
    scan = rng.random() < 0.2
    reading = {"swap_repair": rng.random() < 0.2}
    for source in named_sources(paths).studies:
        if scan:
            scan_source(source_fields(source), "normalised")
        else:
            prepare_study(source_fields(source), reading, None)
    return "scanned" if scan else "measured"


def read_fused(rng: Random, folder: Path) -> str:
    from mimir_engine.cohort.reader_calls import prepare_study

    prepare_study({"name": "fused", "fused": str(folder)}, {}, None)
    return "measured"


def read_module(rng: Random, folder: Path) -> str:
    from mimir_engine.inference_module import load_module, verify_module
    from mimir_engine.inference_module.add_module import add_module
    from mimir_engine.inference_module.description import describe

    (source,) = folder.iterdir()
    if source.is_dir() and rng.random() < 0.5:
        module = load_module(source)
        verify_module(module)
    else:
        module = add_module(source, folder / "added")
    describe(module)
    for target in module.targets:
        if module.statistics_file:
            module.statistics().percentile(target.name, "female", target.mean)
    module.profile()
    return "read"


def read_weights(rng: Random, folder: Path) -> str:
    from mimir_engine.inference_module.weights import load_weights

    shapes = {"conv.weight": (2, 3, 2, 2), "bn.bias": (2,), "n": ()}
    load_weights(folder / "w.safetensors", shapes if rng.random() < 0.5 else None)
    return "read"


def write_snapshot(rng: Random, parts: Parts, folder: Path) -> None:
    """Damage a file of ``torch.save``; in the newer layout mostly the pickle or the archive."""
    content = parts["snapshot.pth"]
    change = rng.choice((blindly, at_signatures, in_pickle))
    (folder / "snapshot.pth").write_bytes(change(rng, content))


def in_pickle(rng: Random, content: bytes) -> bytes:
    """Damage the pickle, and pack it again if it lies in an archive."""
    if not content.startswith(b"PK"):
        return content[:120] + blindly(rng, content[120:])
    packed_again = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed_again, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            is_pickle = entry.filename.endswith("data.pkl")
            if is_pickle:
                data = rng.choice((blindly, in_instructions))(rng, data)
            new.writestr(zipfile.ZipInfo(entry.filename), data)
    return packed_again.getvalue()


def in_instructions(rng: Random, content: bytes) -> bytes:
    """Remove, double or exchange whole instructions of a pickle."""
    starts = [at for _, _, at in pickletools.genops(content)]
    parts = [content[a:b] for a, b in zip(starts, [*starts[1:], len(content)])]
    for _ in range(rng.choice((1, 1, 2, 8))):
        one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
        action = rng.randrange(3)
        if action == 0:
            parts[one] = b""
        elif action == 1:
            parts[one] += parts[other]
        else:
            parts[one], parts[other] = parts[other], parts[one]
    return b"".join(parts)


def read_snapshot(rng: Random, folder: Path) -> str:
    """Read the tensors of a state dict, without torch."""
    from mimir_engine.torch_file import Tensor, open_torch_file

    with open_torch_file(folder / "snapshot.pth") as file:
        content = file.content if isinstance(file.content, dict) else {}
        state = content.get("state_dict")
        for tensor in state.values() if isinstance(state, dict) else ():
            if isinstance(tensor, Tensor):
                file.array(tensor)
    return "read"


def read_details(rng: Random, folder: Path) -> str:
    from mimir_engine.cohort.study_folder import read_study_folder

    study = read_study_folder(folder)
    study.projection().sum()
    for volume in (study.water(), study.fat(), study.fat_fraction()):
        assert volume.extent_mm >= 0
        volume.array[::7].sum()
    return "read"


def read_run(rng: Random, folder: Path) -> str:
    """Resume a run, and write its results."""
    from mimir_engine.cohort.cohort import Cohort
    from mimir_engine.cohort.ledger import Ledger
    from mimir_engine.cohort.result_files import write_cohort
    from mimir_engine.inference_module import load_module

    with Ledger(folder, RUN) as ledger:
        write_cohort(folder, Cohort(ledger, [load_module(folder)], 0.95, RUN), ["fuzz"])
    return "read"


def read_dataset(rng: Random, folder: Path) -> str:
    """Open a data set for training, or add no study to it."""
    from mimir_engine.cohort.image_dataset import project_studies
    from mimir_engine.training.dataset import load_dataset, load_images

    action = rng.randrange(3)
    if action == 0:
        project_studies([], folder, lambda _: None)
        return "resumed"
    images = (load_images if action == 1 else load_dataset)(folder)
    assert images.fingerprint
    return "read"


def read_volume(rng: Random, folder: Path) -> str:
    """Read a volume as an image or as labels."""
    from mimir_engine.fusion.grid import MAX_VOXELS
    from mimir_engine.fusion.volume_files.image_file import read_image, read_labels

    (path,) = folder.iterdir()
    image = (read_labels if rng.random() < 0.3 else read_image)(path)
    assert image.array.ndim == 3
    assert 0 < image.array.size <= MAX_VOXELS
    assert (np.diag(image.affine) > 0).all()
    assert np.isfinite(image.array.sum(dtype=np.float64))
    return "read"


def read_table(rng: Random, folder: Path) -> str:
    from mimir_engine.cohort.images.image_folder import StudyId
    from mimir_engine.cohort.inclusion.id_list import read_id_list
    from mimir_engine.cohort.inclusion.recorded_sex import read_recorded_sex
    from mimir_engine.cohort.scanners.scan_number_table import read_scan_numbers
    from mimir_engine.cohort.sources import sources_from_json
    from mimir_engine.evaluation.evaluate import evaluate
    from mimir_engine.evaluation.predictions import read_predictions
    from mimir_engine.fusion.volume_files.sidecar import read_sidecar
    from mimir_engine.study.site import read_site
    from mimir_engine.training.targets import read_labels, read_targets

    if (path := folder / "sources.jsonl").exists():
        sources_from_json(path.read_bytes().splitlines())
    elif (path := folder / "predictions.csv").exists():
        evaluate(read_predictions(path))
    elif (path := folder / "ids.csv").exists():
        read_id_list(path)
    elif (path := folder / "sexes.csv").exists():
        read_recorded_sex(str(path))
    elif (path := folder / "site.json").exists():
        read_site(path)
    elif (path := folder / "scan_numbers.csv").exists():
        read_scan_numbers(path)
    elif (path := folder / "scan.json").exists():
        read_sidecar(path)
    else:
        studies = [StudyId(f"10{n}_20201_2_0", f"10{n}", "2") for n in range(6)]
        read_labels(folder / "definitions.csv", read_targets([folder / "targets.csv"], studies))
    return "read"


KINDS: Mapping[str, Kind] = {
    "study": Kind(write_study, read_study),
    "fused": Kind(write_damaged, read_fused),
    "module": Kind(write_module, read_module),
    "weights": Kind(write_damaged, read_weights),
    "snapshot": Kind(write_snapshot, read_snapshot),
    "details": Kind(write_damaged, read_details),
    "run": Kind(write_run, read_run),
    "dataset": Kind(write_damaged, read_dataset),
    "table": Kind(write_damaged, read_table),
    "nifti": Kind(write_volume, read_volume),
    "nrrd": Kind(write_volume, read_volume),
}
