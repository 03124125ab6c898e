from mimir_engine.direct.direct_measurement import QUANTITIES, direct_column
from mimir_engine.inference_module.published_targets import catalogue
from mimir_engine.measuring.measurement_group import (
    GROUPS,
    OTHER,
    display_order,
    group_of,
    known_names,
    naming_of,
    short_label,
)


def test_all_published_targets_and_direct_measurements_have_a_group() -> None:
    names = [*catalogue(), *map(direct_column, QUANTITIES)]
    assert OTHER not in {group_of(name) for name in names}


def test_every_group_but_other_has_members() -> None:
    assert {naming.group for naming in known_names().values()} == {*GROUPS} - {OTHER}


def test_short_names_of_the_published_targets_are_all_different() -> None:
    labels = [short_label(name) for name in catalogue()]
    assert len({*labels}) == len(labels)


def test_direct_measurements_have_names_of_their_own() -> None:
    labels = [short_label(direct_column(name)) for name in QUANTITIES]
    assert len({*labels}) == len(labels)


def test_only_the_target_that_was_learnt_from_pdff_is_called_so() -> None:
    named = [n.name for n in known_names().values() if "PDFF" in n.short_label + n.label]
    assert named == ["AtlasLiverFat"]


def test_a_name_that_is_not_known_is_written_in_words_and_comes_last() -> None:
    naming = naming_of("spleenVolume")
    assert (naming.short_label, naming.group) == ("Spleen volume", OTHER)
    assert display_order("spleenVolume") > display_order("DxaGynoidBoneMass")
    assert display_order("spleenVolume") == display_order("brainVolume")


def test_a_name_cannot_leave_the_groups() -> None:
    assert group_of("direct_in_") == OTHER
