"""Labels are looked at by what their names say: lean, fat, or nothing."""

from __future__ import annotations

import pytest

from mimir_engine.labels.fat_fractions import FatFractions
from mimir_engine.labels.label_names import MAX_LISTED
from mimir_engine.labels.other_tissue import MIN_VOXELS, find_other_tissue, other_tissue

VOXELS = 1000


def share_of(name: str, fatty: int, air: int = 0) -> float | None:
    other = other_tissue(name, FatFractions(VOXELS - air, fatty=fatty), VOXELS)
    return other and other.share


@pytest.mark.parametrize("name", ["liver", "kidney_left", "gluteus_maximus_right", "muscle"])
def test_fat_and_air_do_not_belong_to_a_lean_label(name: str) -> None:
    assert share_of(name, fatty=300, air=200) == pytest.approx(0.5)
    assert share_of(name, fatty=0) == 0


@pytest.mark.parametrize("name", ["visceral_fat", "abdominal_subcutaneous_fat", "inner_fat"])
def test_lean_tissue_and_air_do_not_belong_to_a_fat_depot(name: str) -> None:
    assert share_of(name, fatty=600, air=100) == pytest.approx(0.4)
    assert share_of(name, fatty=VOXELS) == 0


@pytest.mark.parametrize("name", ["bone", "body", "intermuscular_fat", "label_5", "sex"])
def test_other_names_tell_nothing(name: str) -> None:
    assert share_of(name, fatty=500) is None


def test_a_few_voxels_tell_nothing() -> None:
    few = MIN_VOXELS - 1
    assert other_tissue("liver", FatFractions(few, fatty=few), few) is None


def test_the_finding_names_the_labels_and_their_shares() -> None:
    names = ["liver", "kidney_left", "kidney_right", "visceral_fat"]
    cores = [FatFractions(VOXELS, fatty=fatty) for fatty in (90, 260, 240, 700)]
    (finding,) = find_other_tissue(names, cores, [VOXELS] * 4)
    assert finding.code == "LABELS_OTHER_TISSUE"
    assert finding.sentence.endswith("not theirs: kidney_left (26% fat or air)")
    assert (finding.value, finding.threshold) == (pytest.approx(26), 25)
    assert find_other_tissue(names[:1], cores[:1], [VOXELS]) == []


def test_a_sentence_stays_short() -> None:
    count = MAX_LISTED + 2
    cores = [FatFractions(VOXELS, fatty=VOXELS)] * count
    (finding,) = find_other_tissue([f"liver_{n}" for n in range(count)], cores, [VOXELS] * count)
    assert finding.sentence.endswith("and 2 more")
