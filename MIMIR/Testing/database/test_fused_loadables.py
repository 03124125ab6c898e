"""The DICOM plugin loads complete Dixon studies and leaves others to their usual readers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Optional

import pytest
from database_builder import biobank_series

from mimir_engine import MimirError
from MIMIRLib.database.completeness import CONTRASTS, Series, SeriesKind, kind_of
from MIMIRLib.database.fused_loadables import (
    OncePerPress,
    kinds_of_files,
    plan_fusion,
    read_fused,
)
from MIMIRLib.database.unpack import unpack

WHOLE = biobank_series()
#: ImageType without a contrast.
IMAGE_TYPE = "ORIGINAL\\PRIMARY\\M\\ND"


def study(
    descriptions: Iterable[str],
    unchosen: Iterable[int] = (),
    image_types: Optional[list[str]] = None,
) -> list[Series]:
    """Series of two files each; ``unchosen`` are the numbers of those not to be loaded."""
    return [
        Series(
            str(number),
            description,
            (kind_of(description, image_types[number] if image_types else IMAGE_TYPE),),
            () if number in unchosen else (f"{number}/a.dcm", f"{number}/b.dcm"),
        )
        for number, description in enumerate(descriptions)
    ]


def test_a_complete_study_has_a_main_offer_and_a_companion_for_each_other_series() -> None:
    plan = plan_fusion(study(WHOLE))
    assert plan is not None
    assert plan.stations == 6
    led = [plan.water[0].uid, *(series.uid for series in plan.companions)]
    assert sorted(led, key=int) == [str(number) for number in range(24)]


def test_the_main_offer_has_the_files_of_water_and_fat_its_own_series_first() -> None:
    plan = plan_fusion(study(WHOLE))
    assert plan is not None
    assert plan.files[:2] == plan.water[0].files
    assert len(plan.files) == 24
    assert {WHOLE[int(path.split("/")[0])][-1] for path in plan.files} == {"W", "F"}


@pytest.mark.parametrize(
    "descriptions",
    [
        pytest.param(biobank_series(leave_out=["4 W"]), id="water of a station missing"),
        pytest.param(biobank_series(leave_out=[f"{s} F" for s in range(1, 7)]), id="no fat at all"),
        pytest.param(biobank_series(stations=3), id="too few stations"),
        pytest.param(("localizer", "t1", "t2") * 8, id="no Dixon"),
        pytest.param(("eT1W_mDIXON_tra",) * 8, id="contrast unknown"),
    ],
)
def test_other_studies_keep_their_usual_readers(descriptions: tuple[str, ...]) -> None:
    assert plan_fusion(study(descriptions)) is None


def test_a_choice_of_some_water_and_fat_series_is_left_to_other_readers() -> None:
    fat = [number for number, name in enumerate(WHOLE) if name.endswith("_F")]
    assert plan_fusion(study(WHOLE, unchosen=fat)) is None
    assert plan_fusion(study(WHOLE, unchosen=fat[:1])) is None


def test_water_and_fat_alone_are_enough() -> None:
    others = [number for number, name in enumerate(WHOLE) if name[-1] not in "WF"]
    plan = plan_fusion(study(WHOLE, unchosen=others))
    assert plan is not None
    assert (len(plan.companions), plan.unused) == (11, ())


def test_other_series_of_the_same_study_keep_their_usual_readers() -> None:
    extra = ("localizer", "ShMOLLI_FITPARAMS", "t1_fl2d_opp", "t1_fl2d_in")
    plan = plan_fusion(study((*WHOLE, *extra)))
    assert plan is not None
    taken = {plan.water[0].uid, *(series.uid for series in plan.companions)}
    assert taken == {str(number) for number in range(24)}


def test_image_types_give_the_contrast_if_names_do_not() -> None:
    kinds = ("IN_PHASE", "OPP_PHASE", "FAT", "WATER")
    image_types = [f"DERIVED\\PRIMARY\\DIXON\\{kind}" for _ in range(6) for kind in kinds]
    plan = plan_fusion(study(("wholebody",) * 24, image_types=image_types))
    assert plan is not None
    assert len(plan.companions) == 23


def test_a_series_with_all_contrasts_is_loaded_for_each() -> None:
    all_in_one = [Series(str(n), "mDIXON", CONTRASTS, (f"{n}/a.dcm",)) for n in range(6)]
    plan = plan_fusion(all_in_one)
    assert plan is not None
    assert plan.stations == 6
    assert [series.uid for series in plan.companions] == ["1", "2", "3", "4", "5"]
    assert plan.files == tuple(f"{n}/a.dcm" for n in range(6))


def test_where_the_name_gives_no_contrast_more_files_than_the_first_are_read() -> None:
    image_types = {f"{n}.dcm": f"DERIVED\\PRIMARY\\{'WF'[n % 2]}" for n in range(500)}
    read: list[str] = []

    def image_type(path: str) -> str:
        read.append(path)
        return image_types[path]

    kinds = kinds_of_files("mDIXON-All BH", list(image_types), image_type)
    assert kinds == (SeriesKind.WATER, SeriesKind.FAT)
    assert len(set(read)) <= 24
    read.clear()
    assert kinds_of_files("Dixon_BH_W", ["0.dcm", "2.dcm"], image_type) == (SeriesKind.WATER,)
    assert read == ["0.dcm"]


def test_headers_that_contradict_each_other_are_left_to_other_readers() -> None:
    image_types = ["DERIVED\\PRIMARY\\DIXON\\FAT" if n[-1] == "W" else "" for n in WHOLE]
    assert plan_fusion(study(WHOLE, image_types=image_types)) is None


def test_a_study_is_read_and_fused_with_its_origin(phantom_zip: Path, tmp_path: Path) -> None:
    list(unpack(phantom_zip, tmp_path))
    files = sorted(str(path) for path in tmp_path.iterdir())
    fused, origin = read_fused("1.2", files)
    assert fused.layout is not None
    assert fused.water.extent_mm > 1000
    assert origin["name"] == "1.2"


def test_missing_files_are_reported_before_any_is_read(tmp_path: Path) -> None:
    with pytest.raises(MimirError) as raised:
        read_fused("1.2", [str(tmp_path / "gone.dcm")])
    assert raised.value.code == "FILES_GONE"


def test_all_offers_of_a_press_share_what_was_made() -> None:
    made = iter("ABC")
    nodes = OncePerPress(lambda: next(made))
    assert [nodes(offer) for offer in (1, 2, 3)] == ["A", "A", "A"]


def test_the_next_press_makes_new_nodes() -> None:
    made = iter("ABC")
    nodes = OncePerPress(lambda: next(made))
    presses = (1, 2, 3), (1, 2, 3), (2, 3)
    assert ["".join(map(nodes, press)) for press in presses] == ["AAA", "BBB", "CC"]


def test_a_failure_is_not_repeated_at_the_same_press() -> None:
    tries = []
    nodes = OncePerPress(lambda: tries.append(1))
    assert [nodes(offer) for offer in (1, 2, 3)] == [None, None, None]
    assert len(tries) == 1
    nodes(1)
    assert len(tries) == 2


def test_an_exception_is_not_repeated_at_the_same_press() -> None:
    tries = []

    def fail() -> None:
        tries.append(1)
        raise MemoryError

    nodes = OncePerPress(fail)
    with pytest.raises(MemoryError):
        nodes(1)
    assert nodes(2) is None
    assert len(tries) == 1
