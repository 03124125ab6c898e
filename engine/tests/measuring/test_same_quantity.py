from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from labels_builder import label_measured
from many_measurements import many_measurements
from study_to_report import measured_study

from mimir_engine.direct.direct_measurement import QUANTITIES, DirectMeasurement
from mimir_engine.inference_module import find_module
from mimir_engine.inference_module.published_targets import catalogue
from mimir_engine.measuring.same_quantity import (
    DIRECT,
    LABEL,
    NETWORK,
    ROADS,
    SameQuantity,
    known_sources,
    same_quantities,
)

#: Targets of modules that others may train; none is published.
OTHERS = {"spleenVolume"}


def found(**changes: Any) -> dict[str, SameQuantity]:
    """The quantities of a study with all published estimates, by name."""
    result = measured_study(**{"direct": (), "labels": (), **changes}).result
    return {quantity.name: quantity for quantity in same_quantities(result)}


def test_liver_fat_of_network_and_label_stand_side_by_side() -> None:
    liver_fat = found(labels=(label_measured("liver", 1.5, 6.0, title="Liver"),))["liver_fat"]
    network = [m for m in many_measurements() if m.target in ("liverFat", "AtlasLiverFat")]
    assert [road.kind for road in liver_fat.roads] == [NETWORK, NETWORK, LABEL]
    assert {road.value for road in liver_fat.roads[:2]} == {m.value_shown for m in network}
    assert liver_fat.roads[0].lower is not None
    assert liver_fat.roads[0].lower < liver_fat.roads[0].value
    assert liver_fat.roads[2].value == 5.5  # of the inner voxels
    assert liver_fat.roads[2].label == "Liver"
    assert liver_fat.unit == "%"


def test_a_signal_fat_fraction_is_never_taken_for_a_pdff() -> None:
    quantities = found(labels=(label_measured("liver", 1.5),))
    assert "signal fat fraction, not a PDFF" in " ".join(quantities["liver_fat"].notes)
    assert "PDFF" not in " ".join(quantities["liver_volume"].notes)


def test_labels_of_both_sides_are_added_up() -> None:
    sides = (label_measured("kidney_left", 0.15), label_measured("kidney_right", 0.16))
    road = found(labels=sides)["kidney_volume"].roads[-1]
    assert road.value == pytest.approx(0.31)
    assert road.label == "kidney_right + kidney_left"
    assert "kidney_volume" not in found(labels=sides[:1])


def test_fat_fractions_are_not_averaged() -> None:
    sides = (
        label_measured("thigh_muscle_left", 5.0, 4.0),
        label_measured("thigh_muscle_right", 5.0),
    )
    values = [road.value for road in found(labels=sides)["muscle_fat"].roads if road.kind == LABEL]
    assert values == [4.5, 3.5]


def test_all_three_roads_lead_to_thigh_muscle() -> None:
    thighs = [DirectMeasurement(f"{s}_thigh_lean_volume", "L", 4.0) for s in ("right", "left")]
    labels = tuple(label_measured(f"thigh_muscle_{side}", 4.5) for side in ("left", "right"))
    muscle = found(direct=tuple(thighs), labels=labels)["thigh_muscle"]
    assert [(road.kind, road.value) for road in muscle.roads[1:]] == [(DIRECT, 8.0), (LABEL, 9.0)]
    assert muscle.roads[0].kind == NETWORK
    assert len(muscle.notes) == 3


def test_a_value_that_is_not_known_is_no_road() -> None:
    without = DirectMeasurement("waist", "cm", reason="the arms touch the trunk")
    assert "waist" not in found(direct=(without,))
    assert "liver_fat" not in found(labels=(label_measured("liver", 1.5, None),))


def test_values_of_one_kind_alone_are_not_compared() -> None:
    assert found() == {}
    assert found(measurements=(), labels=(label_measured("liver", 1.5),)) == {}


def test_an_estimate_in_another_unit_is_not_the_same_quantity() -> None:
    (volume,) = (m for m in many_measurements() if m.target == "liverVolume")
    labels = (label_measured("liver", 1.5),)
    assert "liver_volume" in found(measurements=(volume,), labels=labels)
    assert "liver_volume" not in found(measurements=(replace(volume, unit="mL"),), labels=labels)


def test_a_label_at_the_edge_of_the_view_says_so() -> None:
    road = found(labels=(label_measured("liver", 1.5, edge_share=0.021),))["liver_volume"].roads[-1]
    assert road.label == "liver, 2.1 % at the edge of the view"


def test_flags_of_an_estimate_go_with_it() -> None:
    (volume,) = (m for m in many_measurements() if m.target == "liverVolume")
    flagged = replace(volume, flags=("BELOW_ZERO",))
    roads = found(measurements=(flagged,), labels=(label_measured("liver", 1.5),))["liver_volume"]
    assert [road.flags for road in roads.roads] == [("BELOW_ZERO",), ()]


def test_the_table_names_only_what_exists_in_its_unit() -> None:
    targets = {t.name: t.unit for t in (*catalogue().values(), *find_module("phantom").targets)}
    for row in known_sources():
        assert row.road in ROADS
        assert row.unit in ("L", "%", "cm")
        if row.road == NETWORK and row.sources not in OTHERS:
            assert targets[row.sources] == row.unit
        if row.road == DIRECT:
            assert {QUANTITIES[part] for part in row.parts} == {row.unit}
        if row.unit == "%":
            assert len(row.parts) == 1  # volumes are added up, fractions are not


def test_every_quantity_has_one_name_and_one_unit() -> None:
    heads = list(dict.fromkeys((row.quantity, row.label, row.unit) for row in known_sources()))
    assert len(heads) == len({row.quantity for row in known_sources()})
    assert len(known_sources()) == len({(r.quantity, r.road, r.sources) for r in known_sources()})


def test_rows_of_a_quantity_follow_in_the_order_of_the_roads() -> None:
    places = {road: place for place, road in enumerate(ROADS)}
    rows = known_sources()
    for before, after in zip(rows, rows[1:]):
        if before.quantity == after.quantity:
            assert places[before.road] <= places[after.road]


def test_the_page_on_several_ways_names_every_source() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "roads.md").read_text("utf-8")
    for row in known_sources():
        assert re.sub(", (right|left)$", "", row.label) in page
        for part in row.parts:
            assert re.sub("(_right|_left|Left)$", "", part) in page
