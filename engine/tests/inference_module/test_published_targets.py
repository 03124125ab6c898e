from __future__ import annotations

import pytest

from mimir_engine.inference_module.published_targets import catalogue, find_published


def test_the_catalogue_has_the_71_published_targets() -> None:
    assert len(catalogue()) == 71
    fields = [target.ukb_field for target in catalogue().values() if target.ukb_field]
    assert len(set(fields)) == len(fields) == 68


def test_a_target_is_found_by_name_and_by_field() -> None:
    vat = find_published("AtlasVatVolume")
    assert vat is not None
    assert (vat.ukb_field, vat.unit, vat.n_validation) == ("22407", "L", 9628)
    assert (vat.icc, vat.r2, vat.mae, vat.mape_percent) == (0.995, 0.991, 0.155, 5.2)
    assert find_published("visceralFat", "22407") is vat
    assert find_published("visceralFat") is None
    assert find_published("", "") is None


def test_figures_are_in_their_ranges() -> None:
    for target in catalogue().values():
        assert 0 < target.r2 < 1
        assert 0 < target.icc < 1
        assert target.mae > 0
        assert 0 < target.mape_percent < 100


def test_a_typical_value_is_near_the_cohorts_mean() -> None:
    assert catalogue()["height"].typical_value == pytest.approx(163, abs=5)
    assert catalogue()["liverVolume"].typical_value == pytest.approx(1.39, abs=0.1)


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalogue()["height"] = None  # type: ignore[index]
