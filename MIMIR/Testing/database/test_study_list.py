"""The list of Dixon studies out of a database file laid out like Slicer's."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from database_builder import StudyRow, biobank_series, cache_image_types, write_database

from mimir_engine import MimirError
from MIMIRLib.database.completeness import Completeness
from MIMIRLib.database.study_list import StudyEntry, find_study, list_studies

STATIONS = range(1, 7)
CONTRASTS = ("in", "opp", "F", "W")
#: A station of another protocol than UK Biobank's.
VIBE = tuple(f"t1_vibe_dixon_{contrast}" for contrast in CONTRASTS)


def only_entry(folder: Path, series: tuple[str, ...]) -> StudyEntry:
    (entry,) = list_studies(write_database(folder / "ctkDICOM.sql", [StudyRow("1.2", series)]))
    return entry


def test_a_study_with_all_series_is_complete(tmp_path: Path) -> None:
    entry = only_entry(tmp_path, ("localizer", *biobank_series()))
    assert (entry.completeness, entry.stations, entry.reason) == (
        Completeness.COMPLETE,
        6,
        "6 stations",
    )
    assert entry.series_uids == tuple(f"1.2.{number}" for number in range(2, 26))


def test_images_of_dixon_series_are_counted(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", ("localizer", *biobank_series()))])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE Series SET DisplayedCount = 44")
    (entry,) = list_studies(path)
    assert entry.images == 24 * 44


def test_patient_and_study_are_written_as_slicer_shows_them(tmp_path: Path) -> None:
    entry = only_entry(tmp_path, biobank_series())
    assert (entry.patient_id, entry.patient_name) == ("P1", "Doe, Jane")
    assert (entry.study_date, entry.study_description) == ("2020-02-29", "Imaging visit")


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (
            biobank_series(leave_out=[f"{s} F" for s in STATIONS]),
            "fat images are missing",
        ),
        (
            biobank_series(leave_out=[f"{s} W" for s in STATIONS]),
            "water images are missing",
        ),
        (biobank_series(leave_out=["4 W"]), "water images of 1 of 6 stations are missing"),
        (
            biobank_series(leave_out=["1 F", "6 F"]),
            "fat images of 2 of 6 stations are missing",
        ),
        (("Dixon_BH_17s_in", "Dixon_BH_17s_opp"), "water and fat images are missing"),
        (biobank_series(stations=5), "5 of 6 stations"),
        (biobank_series(leave_out=[f"3 {c}" for c in CONTRASTS]), "5 of 6 stations"),
    ],
)
def test_what_is_missing_is_in_the_reason(
    tmp_path: Path, series: tuple[str, ...], reason: str
) -> None:
    entry = only_entry(tmp_path, series)
    assert (entry.completeness, entry.reason) == (Completeness.INCOMPLETE, reason)


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        pytest.param(
            biobank_series(repeats=dict.fromkeys(["3 in", "3 opp", "3 F", "3 W"], 1)),
            "7 stations, or some of them repeated",
            id="station scanned again",
        ),
        pytest.param(
            biobank_series(repeats={"3 W": 1}),
            "6 stations, and 1 more water series",
            id="water alone scanned again",
        ),
        pytest.param(
            (*biobank_series(), "localizer", "gre_mullti_echo_10_TE_liver"),
            "6 stations",
            id="localizer and liver",
        ),
        pytest.param(
            (*biobank_series(), "ShMOLLI_FITPARAMS"), "6 stations", id="name with _F inside"
        ),
        pytest.param(
            biobank_series(leave_out=[f"{s} {c}" for s in STATIONS for c in ("in", "opp")]),
            "6 stations",
            id="without in- and opposed-phase",
        ),
        pytest.param(
            tuple(
                f"{contrast}: Ax LAVA-Flex {station}"
                for station in STATIONS
                for contrast in ("WATER", "FAT", "InPhase", "OutPhase")
            ),
            "6 stations",
            id="GE",
        ),
        pytest.param(
            tuple(f"3D_GRE_TRA_{c}" for _ in range(4) for c in ("in", "opp", "F", "W")),
            "4 stations; a neck-to-knee scan usually has 6",
            id="NAKO",
        ),
    ],
)
def test_repeats_and_extra_series_do_not_make_a_study_incomplete(
    tmp_path: Path, series: tuple[str, ...], reason: str
) -> None:
    entry = only_entry(tmp_path, series)
    assert (entry.completeness, entry.reason) == (Completeness.COMPLETE, reason)


@pytest.mark.parametrize("station", [2, 3, 4])
def test_a_gap_in_the_numbers_of_another_protocols_series_is_unclear(
    tmp_path: Path, station: int
) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", ("localizer", *VIBE * 5))])
    first = 2 + 4 * (station - 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "DELETE FROM Series WHERE SeriesNumber BETWEEN ? AND ?", (first, first + 3)
        )
    (entry,) = list_studies(path)
    assert entry.completeness is Completeness.UNCLEAR
    expected = f"a station may be missing between series {first - 1} and {first + 7}"
    assert entry.reason == expected


@pytest.mark.parametrize(
    "series",
    [
        pytest.param((*VIBE * 2, *("t2_haste",) * 4, *VIBE * 2), id="another scan in between"),
        pytest.param((*VIBE * 2, "t2_haste", *VIBE * 2), id="no multiple of the distance"),
        pytest.param((*VIBE * 4, "t2_haste"), id="no gap"),
    ],
)
def test_numbers_that_other_series_explain_are_no_gap(
    tmp_path: Path, series: tuple[str, ...]
) -> None:
    entry = only_entry(tmp_path, series)
    assert (entry.completeness, entry.stations) == (Completeness.COMPLETE, 4)


def test_one_pair_of_series_of_another_protocol_is_unclear(tmp_path: Path) -> None:
    entry = only_entry(tmp_path, VIBE)
    assert entry.completeness is Completeness.UNCLEAR
    assert entry.reason == "1 station; a neck-to-knee scan usually has 6"


def test_series_without_a_number_show_no_gap(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", VIBE * 4)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE Series SET SeriesNumber = NULL")
    (entry,) = list_studies(path)
    assert entry.completeness is Completeness.COMPLETE


def test_series_that_say_dixon_but_no_contrast_are_unclear_and_kept(tmp_path: Path) -> None:
    entry = only_entry(tmp_path, ("survey", "eT1W_mDIXON_tra", "eT1W_mDIXON_tra"))
    assert entry.completeness is Completeness.UNCLEAR
    assert "the names of their series give no contrast" in entry.reason
    assert entry.series_uids == ("1.2.2", "1.2.3")


@pytest.mark.parametrize("in_blocks", [True, False])
def test_a_series_counts_for_each_contrast_that_its_images_have(
    tmp_path: Path, in_blocks: bool
) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", ("mDIXON-All BH",) * 6)])
    kinds = [kind for kind in ("W", "F", "IP", "OP") for _ in range(44)]
    if not in_blocks:
        kinds = ["W", "F", "IP", "OP"] * 44
    image_types = [f"DERIVED\\PRIMARY\\{kind}\\{kind}\\DERIVED" for kind in kinds]
    cache_image_types(path, {f"1.2.{number}": image_types for number in range(1, 7)})
    (entry,) = list_studies(path)
    assert (entry.completeness, entry.reason) == (Completeness.COMPLETE, "6 stations")


def test_stations_of_one_series_with_all_contrasts_are_not_counted(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", ("mDIXON-All BH",))])
    cache_image_types(path, {"1.2.1": [f"DERIVED\\PRIMARY\\{k}" for k in "WF" * 100]})
    (entry,) = list_studies(path)
    assert entry.completeness is Completeness.COMPLETE
    assert entry.reason == "water and fat in 1 common series; reading counts their stations"


def test_a_contrast_that_the_images_lack_is_missing(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", ("mDIXON-All BH",) * 6)])
    image_types = ["DERIVED\\PRIMARY\\W\\W\\DERIVED", "ORIGINAL\\PRIMARY\\M_FFE\\M\\FFE"] * 50
    cache_image_types(path, {f"1.2.{number}": image_types for number in range(1, 7)})
    (entry,) = list_studies(path)
    assert entry.completeness is Completeness.INCOMPLETE
    assert entry.reason == "fat images are missing"


def test_a_letter_at_the_end_of_a_name_counts_unless_the_image_type_says_otherwise(
    tmp_path: Path,
) -> None:
    series = (*biobank_series(), "t2_haste_tra_p2_mbh_F")
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", series)])
    (entry,) = list_studies(path)
    assert entry.reason == "6 stations, and 1 more fat series"
    cache_image_types(path, {"1.2.25": ["ORIGINAL\\PRIMARY\\M\\ND"] * 20})
    (entry,) = list_studies(path)
    assert entry.reason == "6 stations"
    assert "1.2.25" not in entry.series_uids


@pytest.mark.parametrize(
    "names",
    [("t1_vibe_dixon_W_ND", "t1_vibe_dixon_F_ND"), ("mDIXON_W SENSE", "mDIXON_F SENSE")],
)
def test_words_for_the_reconstruction_may_follow_the_contrast(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    entry = only_entry(tmp_path, names * 6)
    assert (entry.completeness, entry.reason) == (Completeness.COMPLETE, "6 stations")


def test_cached_tags_that_cannot_be_read_are_not_needed(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", ("mDIXON-All BH",) * 6)])
    (tmp_path / "ctkDICOMTagCache.sql").write_bytes(b"no database, but text of some length")
    (entry,) = list_studies(path)
    assert entry.completeness is Completeness.UNCLEAR


def test_a_name_with_two_contrasts_is_unclear(tmp_path: Path) -> None:
    entry = only_entry(tmp_path, (*biobank_series(), "WATER: Dixon_F"))
    assert entry.completeness is Completeness.UNCLEAR
    assert "WATER: Dixon_F" in entry.reason


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(("localizer", "t2_haste_cor", ""), id="no Dixon"),
        pytest.param(("Ax T2 FAT", "Cor PD FAT"), id="fat suppressed"),
        pytest.param(("t1_fl2d_in", "t1_fl2d_opp"), id="in and out of phase alone"),
        pytest.param(("t1_se_T1W", "t2_tse_T2W"), id="weighted"),
    ],
)
def test_studies_without_sign_of_dixon_are_not_listed(
    tmp_path: Path, series: tuple[str, ...]
) -> None:
    assert list_studies(write_database(tmp_path / "a.sql", [StudyRow("1.2", series)])) == []


def test_other_modalities_are_not_listed(tmp_path: Path) -> None:
    study = StudyRow("1.2", biobank_series(), modality="CT")
    assert list_studies(write_database(tmp_path / "a.sql", [study])) == []


def test_one_study_is_found_by_its_uid(tmp_path: Path) -> None:
    studies = [StudyRow(uid, biobank_series()) for uid in ("1.2", "1.3")]
    path = write_database(tmp_path / "a.sql", studies)
    found = find_study(path, "1.3")
    assert found is not None
    assert found.study_uid == "1.3"
    assert find_study(path, "9.9") is None


def test_paths_with_characters_that_addresses_reserve_are_read(tmp_path: Path) -> None:
    folder = tmp_path / ("Müller #1 100% x" if os.name == "nt" else "Müller #1 100% ?x")
    folder.mkdir()
    assert only_entry(folder, biobank_series()).stations == 6


def test_listing_writes_nothing(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", ("mDIXON",))])
    cache_image_types(path, {"1.2.1": ["DERIVED\\PRIMARY\\W"]})
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for file in tmp_path.iterdir():
        file.chmod(0o444)
    list_studies(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["", "absent.sql"])
def test_a_missing_database_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(MimirError, match="is not open") as raised:
        list_studies(tmp_path / name if name else "")
    assert raised.value.code == "DATABASE_UNREADABLE"


@pytest.mark.parametrize(
    "content", [b"no database, but text of some length", b""], ids=["text", "empty"]
)
def test_another_file_than_a_dicom_database_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.sql"
    path.write_bytes(content)
    with pytest.raises(MimirError, match="unknown layout") as raised:
        list_studies(path)
    assert raised.value.code == "DATABASE_UNREADABLE"


def test_a_database_that_is_being_written_is_an_error(tmp_path: Path) -> None:
    path = write_database(tmp_path / "a.sql", [StudyRow("1.2", biobank_series())])
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(MimirError, match="in use") as raised:
            list_studies(path)
    assert raised.value.code == "DATABASE_UNREADABLE"


def test_a_thousand_dixon_studies_among_as_many_others_are_listed_in_time(
    tmp_path: Path,
) -> None:
    others = ("localizer", "t1_mprage", "t2_flair", "dwi_ADC", "swi", "tof") * 4
    dixon = [StudyRow(f"1.{i}", biobank_series(), f"P{i}") for i in range(1000)]
    rest = [StudyRow(f"2.{i}", others, f"Q{i}") for i in range(1000)]
    path = write_database(tmp_path / "a.sql", [*dixon, *rest])
    started = time.perf_counter()
    assert len(list_studies(path)) == 1000
    assert time.perf_counter() - started < 2.0  # seconds; a fifth of it where nothing else runs
