"""Label maps are found by the names of studies."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.cohort.label_files import ENDINGS, with_label_files
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.errors import MimirError


def study(name: str, labels: Path | None = None) -> NamedSource:
    return NamedSource(name, Path("somewhere") / f"{name}.zip", labels=labels)


def labels_of(names: list[str], place: Path) -> list[str]:
    found = with_label_files([study(name) for name in names], place)
    return [source.labels.relative_to(place).as_posix() for source in found if source.labels]


def test_one_file_is_for_one_study(tmp_path: Path) -> None:
    path = tmp_path / "organs.nii.gz"
    path.touch()
    (source,) = with_label_files([study("anything")], path)
    assert source.labels == path
    with pytest.raises(MimirError, match="WRONG_USE"):
        with_label_files([study("a"), study("b")], path)


def test_in_a_folder_files_are_named_after_studies(tmp_path: Path) -> None:
    for name, ending in zip("abcdef", ENDINGS):
        (tmp_path / f"{name}{ending}").touch()
    expected = [f"{name}{ending}" for name, ending in zip("abcdef", ENDINGS)]
    assert labels_of([*"abcdef"], tmp_path) == expected


def test_a_file_that_is_named_as_labels_comes_first(tmp_path: Path) -> None:
    for ending in (".nii.gz", ".labels.nii.gz"):
        (tmp_path / f"a{ending}").touch()
    assert labels_of(["a"], tmp_path) == ["a.labels.nii.gz"]


def test_a_study_without_a_file_keeps_the_path_where_it_is_missed(tmp_path: Path) -> None:
    (tmp_path / "a.nii").touch()
    assert labels_of(["a", "b"], tmp_path) == ["a.nii", "b.labels.nii.gz"]


def test_folders_in_names_are_folders_of_label_maps(tmp_path: Path) -> None:
    (tmp_path / "site1").mkdir()
    (tmp_path / "site1" / "a.nrrd").touch()
    assert labels_of(["site1/a"], tmp_path) == ["site1/a.nrrd"]


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.nii").touch()
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "a.nii").touch()
    for name in ("../secret", "/secret", "x/../../secret"):
        found = with_label_files([study("a"), study(name)], tmp_path / "maps")
        assert (tmp_path / "maps").resolve() in (found[1].labels or tmp_path).resolve().parents


def test_a_label_map_of_a_list_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.nii").touch()
    own = study("a", tmp_path / "a.nii")
    assert with_label_files([own], tmp_path)[0].labels == own.labels


@pytest.mark.parametrize("place", ["none", "empty"])
def test_a_place_without_label_maps_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MimirError, match="LABELS_MISSING"):
        with_label_files([study("a")], tmp_path / place)
