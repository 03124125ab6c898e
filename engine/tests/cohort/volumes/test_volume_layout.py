from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cohort.volumes.arrangements import NNUNET, NRRD, PLAIN, STATIONS
from mimir_engine.cohort.volumes.remove_volumes import remove_volumes
from mimir_engine.cohort.volumes.volume_layout import VolumeLayout, layout_of_run
from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import to_json

UKB = "1000000_20201_2_0"


@pytest.mark.parametrize(
    ("layout", "station", "place"),
    [
        (VolumeLayout(), None, f"volumes/{UKB}/{UKB}_fat.nii.gz"),
        (VolumeLayout(PLAIN, NRRD), None, f"volumes/{UKB}/{UKB}_fat.nrrd"),
        (VolumeLayout(STATIONS), 2, f"stations/{UKB}/{UKB}_station2_fat.nii.gz"),
        (VolumeLayout(NNUNET), None, f"imagesTs/{UKB}_0001.nii.gz"),
        (VolumeLayout(NNUNET, volumes=("fat", "water")), None, f"imagesTs/{UKB}_0000.nii.gz"),
        (VolumeLayout(NNUNET, has_labels=True), None, f"imagesTr/{UKB}_0001.nii.gz"),
    ],
)
def test_each_volume_has_its_place(layout: VolumeLayout, station: int, place: str) -> None:
    assert str(layout.volume(UKB, "fat", station)) == place


def test_no_name_leads_out_of_the_folder_or_looks_like_a_channel() -> None:
    layout = VolumeLayout(NNUNET)
    assert layout.stem("../up").startswith("_up-") or "/" not in layout.stem("../up")
    assert layout.stem("scan_0001").startswith("scan_0001-")
    assert layout.stem("study_0001") == "study_0001"  # MIMIR's own numbers, which no case precedes
    assert VolumeLayout().stem("scan_0001") == "scan_0001"


def test_names_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(MimirError, match="NAME_REPEATED: the volumes of 'scan' and 'Scan'"):
        VolumeLayout().check_names(["scan", "other", "Scan"])
    VolumeLayout().check_names(["scan", "scan"])  # one study, done and asked for


def test_a_layout_survives_the_record_of_a_run_and_a_wrong_one_is_refused() -> None:
    layout = VolumeLayout(NNUNET, NRRD, ("fat",), has_labels=True)
    assert layout_of_run({"volumes": to_json(layout)}) == layout
    assert layout_of_run({"mimir": "0.9.0"}) is None
    for wrong in (
        {"arrangement": "../.."},
        {"volumes": ["fat", "fat"]},
        {"arrangement": STATIONS, "volumes": ["fat_fraction"]},
        {"has_labels": True},
    ):
        with pytest.raises(MimirError, match="LEDGER_DAMAGED"):
            layout_of_run({"volumes": {**to_json(VolumeLayout()), **wrong}})


def test_files_of_others_stay_when_volumes_are_written_again(tmp_path: Path) -> None:
    layout, folder = VolumeLayout(), tmp_path / "volumes" / "a"
    folder.mkdir(parents=True)
    (folder / "a_water.nii.gz").touch()
    (folder / "a_liver.nii.gz").touch()
    remove_volumes(tmp_path, layout, ["a", "gone"])
    assert [path.name for path in folder.iterdir()] == ["a_liver.nii.gz"]
    assert layout.traces_of(tmp_path, "a") == [folder]  # of a person who withdraws all goes
