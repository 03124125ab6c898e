"""Names of labels: from tables, from headers of files, and as columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.labels.extension_names import MAX_TITLE, extension_names
from mimir_engine.labels.label_names import MAX_NAME, column_names, label_names

#: As TotalSegmentator writes it; padded as NIfTI demands.
CARET = (
    '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14]]></Date>'
    '   <VolumeInformation Index="0">   <LabelTable>\n'
    '<Label Key="0" Red="0" Green="0" Blue="0" Alpha="1"><![CDATA[background]]></Label>\n'
    '<Label Key="5" Red="1.0" Green="0.0" Blue="0.0" Alpha="1"><![CDATA[liver]]></Label>\n'
    '<Label Key="6" Red="0.0" Green="1.0" Blue="0.0" Alpha="1"><![CDATA[a <b> & c]]></Label>\n'
    "\n  </LabelTable>  <StudyMetaDataLinkSet>  </StudyMetaDataLinkSet>"
    "  <VolumeType><![CDATA[Label]]></VolumeType>   </VolumeInformation></CaretExtension>\n"
    "              \0\0\0"
)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)).replace("&a0;", "&a;")
    + ']><CaretExtension><LabelTable><Label Key="1">&a11;</Label></LabelTable></CaretExtension>'
)
EXTERNAL = (
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    '<CaretExtension><Label Key="1">&e;</Label></CaretExtension>'
)


def with_label(key: str, name: str) -> str:
    return f'<CaretExtension><Label Key="{key}">{name}</Label></CaretExtension>'


def test_the_names_that_totalsegmentator_writes_are_read() -> None:
    assert extension_names(["other", CARET]) == {5: "liver", 6: "a <b> & c"}


def test_other_extensions_are_passed_over() -> None:
    assert extension_names(["", "<AFNI_attributes/>", "<broken", "\0"]) == {}


@pytest.mark.parametrize(
    "text",
    [BOMB, EXTERNAL, "<CaretExtension>", CARET[:-200], "<CaretExtension>&x;</CaretExtension>"],
)
def test_hostile_or_damaged_names_are_refused(text: str) -> None:
    with pytest.raises(MimirError, match=r"LABELS_INVALID: .*--names"):
        extension_names([text])


@pytest.mark.parametrize("key", ["", "-1", "65536", "1e3", "²", "9" * 5000, "one"])
def test_a_key_that_is_no_label_is_passed_over(key: str) -> None:
    assert extension_names([with_label(key, "liver")]) == {}


def test_a_name_is_one_line_of_limited_length() -> None:
    (name,) = extension_names([with_label("1", "a\nb\u202e" + "x" * 5000)]).values()
    assert len(name) <= MAX_TITLE
    assert name.isprintable()


def test_deeply_nested_names_take_no_stack() -> None:
    depth = 100_000
    text = "<CaretExtension>" + "<a>" * depth + "</a>" * depth + "</CaretExtension>"
    assert extension_names([text]) == {}


def table(folder: Path, text: str) -> str:
    path = folder / "names.csv"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_table_names_labels(tmp_path: Path) -> None:
    text = "name,label,colour\nbackground,0,\nLiver,5,red\nSpleen,2,blue\n"
    assert label_names(table(tmp_path, text)) == ((2, "Spleen"), (5, "Liver"))


@pytest.mark.parametrize(
    "rows",
    [
        "liver,5",
        "label,name\n",
        "label,name\n0,background\n",
        "label,name\nx,liver\n",
        "label,name\n1.5,liver\n",
        "label,name\n65536,liver\n",
        "label,name\n-1,liver\n",
        "label,name\n1,\n",
        "label,name\n1,a\n1,b\n",
        "label,name\nnan,a\n",
        "label,name\n1\n",
    ],
)
def test_an_invalid_table_is_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(MimirError, match="LABEL_NAMES_INVALID"):
        label_names(table(tmp_path, rows))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MimirError, match="LABEL_NAMES_INVALID"):
        label_names(str(tmp_path / "none.csv"))


def test_the_table_of_vibesegmentator_is_built_in() -> None:
    names = dict(label_names("VIBESegmentator"))
    assert len(names) == 71
    assert (names[1], names[5], names[72]) == ("spleen", "liver", "bone_other")
    assert 20 not in names, "it is not used"


def test_columns_have_small_letters_digits_and_underscores() -> None:
    titles = {1: "IVD", 2: " Größe (links) ", 3: "a--b", 4: "???", 5: "x" * 500}
    names = column_names(titles, [1, 2, 3, 4, 5, 9])
    assert list(names.values()) == [
        "ivd",
        "gr_e_links",
        "a_b",
        "label_4",
        "x" * MAX_NAME,
        "label_9",
    ]


def test_equal_columns_get_numbers_that_do_not_depend_on_the_study() -> None:
    titles = {1: "Liver", 2: "liver", 3: "LIVER", 7: "label_8"}
    assert column_names(titles, [3]) == {3: "liver_3"}
    assert column_names(titles, [7, 8]) == {7: "label_8", 8: "label_8_2"}
    assert len(set(column_names(titles, [1, 2, 3, 7, 8]).values())) == 5
