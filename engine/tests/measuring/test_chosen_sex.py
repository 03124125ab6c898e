from __future__ import annotations

import pytest

from mimir_engine.measuring.chosen_sex import ChosenSex, choose_sexes, find_contradicted_sex
from mimir_engine.study.finding import WARNING

FEMALE, MALE = ChosenSex("female", "estimated"), ChosenSex("male", "estimated")
OTHER_FEMALE = ChosenSex("female", "estimated by another module")
NOBODY = ChosenSex()


@pytest.mark.parametrize(
    ("own", "recorded", "chosen"),
    [
        ([None], "", [NOBODY]),
        (["female"], "", [FEMALE]),
        ([None, "female"], "", [OTHER_FEMALE, FEMALE]),
        (["male", "female", None], "", [MALE, FEMALE, NOBODY]),
        ([None, None], "male", [ChosenSex("male", "recorded")] * 2),
        (["male", None], "male", [ChosenSex("male", "recorded")] * 2),
        (["female", None], "male", [ChosenSex("male", "recorded"), NOBODY]),
    ],
    ids=[
        "nothing is known", "own", "another's", "modules contradict each other", "recorded",
        "recorded and estimated", "the record contradicts an estimate",
    ],
)  # fmt: skip
def test_each_module_has_its_own_sex_before_that_of_others(
    own: list[str], recorded: str, chosen: list[ChosenSex]
) -> None:
    assert choose_sexes(own, recorded) == chosen


def test_a_contradiction_is_a_finding() -> None:
    assert find_contradicted_sex(["male", None, "male"], "male") == []
    for own, recorded in ((["male", "female"], ""), (["male", None], "female")):
        (finding,) = find_contradicted_sex(own, recorded)
        assert (finding.code, finding.severity) == ("SEX_CONTRADICTED", WARNING)
