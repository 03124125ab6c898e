"""Make the seeds of the fuzzer, ``tests/corpus``: small valid inputs of every kind.

Each seed is a zip archive of the files that belong together. The seeds of `snapshot` are made by
``tests/builders/snapshot_builder.py``. Run this program again when a format of ours changes; it
needs imagecodecs for the compressed studies.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "builders"))

import numpy as np
from cohort_builder import made_up_statistics, run_infer, write_trial_module
from compressed_builder import losslessly_compressed
from dicom_builder import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    File,
    Scan,
    all_files,
    compressed,
    encoded,
    enhanced_file,
    write_zip,
)  # fmt: skip
from image_folder_builder import write_image_folder
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from random_modules import random_images, write_without_network
from volume_builder import oriented, small_volume, write_nifti, write_nrrd

from mimir_engine.cohort.image_dataset import project_studies
from mimir_engine.cohort.images.image_folder import StudyId, TargetDefinition
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.cohort.study_folder import StudyFolders
from mimir_engine.fusion.fused_folder import FusedFolder, write_array
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.fusion.volume_files.sidecar import Sidecar
from mimir_engine.inference_module import load_module, rewrite_module
from mimir_engine.inference_module.fit_profile import UsualScans, fit_profile
from mimir_engine.inference_module.scan_profile import ScanProfile
from mimir_engine.inference_module.weights import save_weights
from mimir_engine.study.finding import Finding
from mimir_engine.training.dataset import Dataset as TrainingData

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "corpus"
#: Two stations of a few voxels: as little as a study needs.
TINY = (
    Scan(0.0, 5, 9.0, (12, 10), (14.0, 16.0), (-75.0, -80.0), 2, time="100000"),
    Scan(-32.0, 5, 9.0, (12, 10), (14.0, 16.0), (-75.0, -80.0), 6, time="100030"),
)
Parts = Mapping[str, bytes]


def main() -> None:
    """Write all seeds."""
    for name, files in (*studies(), *module_seeds(), *result_seeds(), *tables(), *volumes()):
        path = CORPUS / f"{name}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file, data in files.items():  # always the same bytes
                archive.writestr(zipfile.ZipInfo(file), data, zipfile.ZIP_DEFLATED)
        path.write_bytes(content.getvalue())
        print(f"{len(content.getvalue()):8d} {path.relative_to(CORPUS)}")


def parts(files: object) -> dict[str, bytes]:
    return {file.name: file.content for file in files}  # type: ignore[attr-defined]


def studies() -> Iterator[tuple[str, Parts]]:
    """Yield studies in each encoding."""
    for name, syntax in (("explicit", EXPLICIT), ("implicit", IMPLICIT), ("deflated", DEFLATED)):
        yield f"study/{name}", parts(f for scan in TINY for f in scan.files(syntax=syntax))
    yield (
        "study/big-endian",
        parts(f for scan in TINY for f in scan.files(change=_swapped, syntax=BIG_ENDIAN)),
    )
    yield (
        "study/four-contrasts",
        parts(f for scan in TINY for f in scan.files(("in", "opp", "F", "W"))),
    )
    yield "study/rle", parts(_compressed("1.2.840.10008.1.2.5"))
    for name, syntax in (("jpeg", "70"), ("jpeg-ls", "80"), ("jpeg-2000", "90")):
        yield f"study/{name}", parts(_compressed(f"1.2.840.10008.1.2.4.{syntax}"))
    types = [("W", "WATER"), ("F", "FAT")]
    yield (
        "study/enhanced",
        {f"{scan.number}.dcm": enhanced_file(scan, types).content for scan in TINY},
    )
    yield "study/gzip", {f"{f.name}.gz": gzip.compress(f.content, mtime=0) for f in all_files(TINY)}
    yield "study/disc", _disc()
    listed = [f"{f.name},7,MR,Dixon_noBH_{f.name.split('_')[1]},3" for f in all_files(TINY)]
    lines = ["filename,study,modality,series description,series number", *listed]
    yield "study/manifest", {**parts(all_files(TINY)), "manifest.csv": "\n".join(lines).encode()}


def _swapped(dataset: Dataset, _: int) -> None:
    dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()


def _compressed(syntax: str) -> Iterator[File]:
    for scan in TINY:
        for series, suffix in enumerate("FW"):
            for k in range(scan.slices):
                name = f"{scan.number + series:03d}_{suffix}_{k:03d}.dcm"
                dataset = scan.dataset(suffix, k, series)
                content = (
                    compressed(dataset, syntax)
                    if syntax.endswith(".5")
                    else losslessly_compressed(dataset, syntax)
                )
                yield File(name, content)


def _disc() -> Parts:
    files, records = {}, [Dataset()]
    records[0].DirectoryRecordType = "PATIENT"
    for number, file in enumerate(all_files(TINY)):
        name = f"DICOM/IMG{number:03d}"
        files[name] = file.content
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", name.split("/")
        records.append(record)
    directory = Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "2.25.1"
    directory.DirectoryRecordSequence = Items(records)
    return {**files, "DICOMDIR": encoded(directory)}


def module_seeds() -> Iterator[tuple[str, Parts]]:
    """Yield inference modules with weights of a few bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "trial"
        module = load_module(write_without_network(folder))
        rewrite_module(
            folder,
            module,
            statistics=made_up_statistics(),
            profile=_small_profile(module.weights[0].sha256),
            card="A trial.\n",
            overwrite=True,
        )
        yield "module/own", _files(folder)
        weights = Path(scratch) / "w.safetensors"
        for name, eight_bit in (("float", False), ("eight-bit", True)):
            save_weights(
                weights,
                {
                    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
                    "bn.bias": np.ones(2, np.float32),
                    "n": np.array(3),
                },
                eight_bit=eight_bit,
            )
            yield f"weights/{name}", {"w.safetensors": weights.read_bytes()}


def _small_profile(network: str) -> ScanProfile:
    """A profile of two numbers and four features."""
    count, rng = 120, np.random.default_rng(0)
    scans = UsualScans(
        [f"p{row}" for row in range(count)],
        np.zeros(count, bool),
        ("lean_to_fat", "noise"),
        rng.normal(1.0, 0.1, (count, 2)),
        {"relu": rng.normal(size=(count, 4)).astype(np.float32)},
    )
    profile = fit_profile(scans, network)
    assert profile is not None
    return profile


def result_seeds() -> Iterator[tuple[str, Parts]]:
    """Yield what runs leave: ledgers, details, fused folders, data sets."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        module = write_trial_module(folder / "trial")
        paths = [write_zip(folder / f"10{n}_20201_2_0.zip", all_files(TINY)) for n in range(3)]
        bad = folder / "bad.zip"
        bad.write_bytes(b"no archive")
        run = run_infer(
            [*paths, bad], [module], folder / "out", folders=StudyFolders(folder / "details")
        )
        entries = [{"name": name, **entry} for name, entry in run.cohort.ledger.entries()]
        description = (folder / "trial" / "module.json").read_bytes()
        yield (
            "run/infer",
            {"entries.json": json.dumps(entries).encode(), "module.json": description},
        )
        (details, *_) = sorted((folder / "details").iterdir())
        for name in ("water", "fat"):  # coarse, so that they are small once packed
            array = np.load(details / f"{name}.npy")
            write_array(details / f"{name}.npy", np.round(array / 128) * np.float32(128))
        kept = ("origin.json", "water.npy", "fat.npy")
        fused = {name: data for name, data in _files(details).items() if name in kept}
        yield "fused/folder", fused
        for name, data in fused.items():
            path = folder / "fused" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        source = NamedSource("fused", FusedFolder(folder / "fused"))
        run_infer([source], [module], folder / "again", folders=StudyFolders(folder / "kept"))
        (details,) = (folder / "kept").iterdir()
        yield "details/study", _files(details)
        project_studies([NamedSource(p.stem, p) for p in paths[:2]], folder / "set", lambda _: None)
        yield "dataset/images", _files(folder / "set")
        ids = tuple(StudyId(f"p{n}") for n in range(2))
        known = TrainingData(
            random_images(2),
            np.array([[1.0, 0.0], [2.0, 1.0]]),
            ids,
            (TargetDefinition("fat", "%"), TargetDefinition("sex", "", kind="class")),
        )
        yield "dataset/phantoms", _files(write_image_folder(folder / "phantoms", known))


def tables() -> Iterator[tuple[str, Parts]]:
    """Yield tables and lists as users write them."""
    targets = "study,target,value\n" + "".join(
        f"10{n},liverFat,{n}.5\n10{n}_2,age,{50 + n}\n10{n},sex,{n % 2}\n" for n in range(6)
    )
    definitions = (
        "name,unit,divisor,kind\nliverFat,%,1,quantity\nage,years,1,quantity\nsex,,1,class\n"
    )
    yield (
        "table/targets",
        {"targets.csv": targets.encode(), "definitions.csv": definitions.encode()},
    )
    rows = [f"s{n},liverFat,%,{n}.1,{n}.6,0.9,{n}.0,{n + 2}.4,{n % 3},female" for n in range(6)]
    tidy = "\n".join(["study,target,unit,reference,mean,sd,lower95,upper95,fold,sex", *rows])
    yield "table/predictions", {"predictions.csv": tidy.encode()}
    lines = [
        {"name": "a", "path": "a.zip"},
        {"name": "b", "files": ["b/1.dcm", "b/2.dcm"]},
        {"name": "c", "fused": "c"},
    ]
    ids = "eid;date of withdrawal\n1000001;2024-01-02\n1000002.0;\n"
    yield "table/ids", {"ids.csv": ids.encode()}
    yield "table/sexes", {"sexes.csv": b"study,sex\n1000001,female\n1000002_2,1\n"}
    site = {
        "schema_version": 1,
        **{"module": "phantom", "scanner": "SIEMENS Aera 1.5 T", "scans": 60},
        **{"ratio": 0.64, "ratio_sd": 0.03, "ratio_error": 0.005},
        **{"reference_ratio": 0.8, "water_factor": 1.25},
    }
    yield "table/site", {"site.json": json.dumps(site).encode()}
    sidecar = Sidecar("a", "0.9.0", contrasts=("water",), findings=(Finding("GHOSTS", "a"),))
    yield "table/sidecar", {"scan.json": json.dumps(sidecar.to_json()).encode()}
    scans = (
        "name,findings,scanner,month,extent,noise\na,SHADING;GHOSTS,A,2024-01,1100,0.02\nb,,,,,\n"
    )
    yield "table/scans", {"scan_numbers.csv": scans.encode()}
    yield "table/sources", {"sources.jsonl": "\n".join(map(json.dumps, lines)).encode()}


def volumes() -> Iterator[tuple[str, Parts]]:
    """Yield volumes of some formats, byte orders and axis orders."""
    volume, labels = small_volume(), oriented(small_volume("uint8"), (2, 0, 1), (True, False, True))
    text = "<CaretExtension><Label Key='1'>liver</Label></CaretExtension>"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_image(folder / "own.nii", volume, text)
        write_image(folder / "own.nii.gz", volume, text)
        write_image(folder / "own.nrrd", volume)
        write_nifti(folder / "second.nii", oriented(volume), "Nifti2")
        scaled = oriented(small_volume("int16"), (1, 2, 0), (False, True, True))
        write_nifti(folder / "swapped.nii", scaled, big_endian=True, scl_slope=0.5)
        write_nifti(folder / "labels.nii", labels, codes=(0, 1))
        write_nrrd(folder / "labels.nrrd", labels, fields={"encoding": "raw"})
        for file, content in _files(folder).items():
            seed, kind = file.removesuffix(".gz").rsplit(".", 1)
            packed = "-gzip" if file.endswith(".gz") else ""
            yield f"{'nrrd' if kind == 'nrrd' else 'nifti'}/{seed}{packed}", {file: content}


def _files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


if __name__ == "__main__":
    main()
