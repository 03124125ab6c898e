import csv
import math
from dataclasses import replace

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import DIRECT, MEASUREMENTS, quantity, sex, study_details

from mimir_engine import MimirError
from mimir_engine.measuring.scan_comparison import Contribution, ScanComparison
from MIMIRLib.presenter.finding_list import describe_finding
from MIMIRLib.scene.tables import (
    cohort_table,
    column_values,
    findings_of,
    measurement_table,
    write_table,
)


@pytest.fixture
def table(tmp_path):
    return measurement_table(study_details(tmp_path / "study", direct=()).result, "measurements")


def column(node, name):
    return node.GetTable().GetColumnByName(name)


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_numbers_are_doubles_and_words_are_texts(table):
    names = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    kinds = {name: column(table, name).GetClassName() for name in names}
    numbers = {"value", "lower", "upper", "SD", "z", "percentile"}
    texts = {"measurement", "unit", "interval", "class", "flags", "note", "module", "name"}
    assert kinds == {
        **dict.fromkeys(numbers, "vtkDoubleArray"),
        **dict.fromkeys(texts, "vtkStringArray"),
    }
    assert names[:5] == ["measurement", "value", "unit", "interval", "lower"]


def test_numbers_keep_their_last_digit(table):
    assert column(table, "value").GetValue(0) == 3.123456789012345
    assert column(table, "lower").GetValue(0) == MEASUREMENTS[0].lower


def test_bounds_are_raw_as_in_the_engines_files(table):
    assert column(table, "lower").GetValue(2) == MEASUREMENTS[2].lower < 0


def test_unknown_values_are_nan(table):
    assert column(table, "percentile").GetValue(0) == 61.25
    assert math.isnan(column(table, "percentile").GetValue(2))


def test_the_sex_has_a_score_and_a_word_and_no_interval(table):
    assert column(table, "value").GetValue(1) == 0.9871234567
    assert column(table, "class").GetValue(1) == "male"
    for name in ("lower", "upper", "SD", "z", "percentile"):
        assert math.isnan(column(table, name).GetValue(1))


def test_headers_say_the_level_and_the_reference(table):
    assert table.GetUseColumnTitleAsColumnHeader()
    assert table.GetColumnTitle("lower") == "lower 95 %"
    assert "training data of phantom 1.0" in table.GetColumnDescription("z")
    assert table.GetColumnUnitLabel("percentile") == "%"


def test_a_table_of_results_cannot_be_edited_by_a_slip(table):
    assert table.GetLocked()


def test_findings_stay_with_the_table(table):
    (finding,) = findings_of(table)
    assert finding["code"] == "STATION_RESCANNED"
    assert (finding["sentence"], finding["severity"]) == ("Station 2 was scanned twice", "warning")


def test_a_scan_that_a_module_does_not_know_is_a_finding_in_words(tmp_path):
    result = study_details(tmp_path / "study").result
    noise = Contribution("noise", 0.09, 0.01, 0.02, 4.0)
    unusual = ScanComparison("phantom", "UNUSUAL", 4.0, "200 scans", (noise,))
    typical = ScanComparison("other", "TYPICAL", 0.3, "100 scans")
    table = measurement_table(replace(result, comparisons=(unusual, typical)), "measurements")
    _, finding = findings_of(table)
    assert describe_finding(finding) == (
        "Warning: The scan is unlike the 200 scans. Noise 0.09; 0.01 to 0.02 is usual.\n"
        "Look at the images. Do not rely on the values of phantom."
    )


def test_direct_measurements_follow_without_an_interval_and_with_the_reason_of_a_missing_value(
    tmp_path,
):
    table = measurement_table(study_details(tmp_path / "study").result, "measurements")
    assert column_values(table, "measurement")[3:] == ["fat volume", "waist"]
    assert column_values(table, "value")[3] == DIRECT[0].value
    assert math.isnan(column_values(table, "value")[4])
    assert column_values(table, "unit")[3:] == ["L", "cm"]
    assert column_values(table, "name")[3:] == ["direct_fat_volume_in_L", "direct_waist_in_cm"]
    assert column_values(table, "interval")[3:] == ["", ""]
    assert column_values(table, "note") == [
        *["", "", ""],
        "measured directly",
        "cannot be measured: the arms touch the trunk",
    ]
    assert table.GetColumnTitle("lower") == "lower 95 %"


def test_direct_measurements_alone_make_a_table(tmp_path):
    result = study_details(tmp_path / "study", measurements=()).result
    table = measurement_table(result, "measurements")
    assert column_values(table, "measurement") == ["fat volume", "waist"]
    assert math.isnan(column_values(table, "lower")[0])


def test_a_column_that_earlier_versions_did_not_write_is_empty(table):
    table.GetTable().RemoveColumnByName("note")
    assert column_values(table, "note") == ["", "", ""]


def test_texts_from_files_cannot_break_the_table_file(tmp_path):
    hostile = quantity("x", 1.0, target='a\tb\n"c"\x07', unit="m\t2")
    node = measurement_table(study_details(tmp_path / "s", measurements=[hostile]).result, "t")
    assert column(node, "measurement").GetValue(0) == "a b 'c'?"
    assert column(node, "unit").GetValue(0) == "m 2"


def test_csv_has_every_digit_and_leaves_unknown_values_empty(table, tmp_path):
    write_table(tmp_path / "out.csv", table)
    header, first, second, third = rows_of(tmp_path / "out.csv")
    assert header[:4] == ["measurement", "value", "unit", "interval"]
    assert float(first[1]) == 3.123456789012345
    assert first[header.index("percentile")] == "61.25"
    assert third[header.index("percentile")] == ""
    assert second[header.index("class")] == "male"
    assert third[header.index("flags")] == "DEMONSTRATION; OUTSIDE_TRAINING_RANGE"


def test_csv_of_any_other_table_works_too(tmp_path):
    from MIMIRLib.scene.tables import Column, table_node

    node = table_node([Column("name", ["Ärmel, 中"]), Column("x", [0.1])], "other")
    write_table(tmp_path / "out.csv", node)
    assert rows_of(tmp_path / "out.csv") == [["name", "x"], ["Ärmel, 中", "0.1"]]


def test_csv_holds_no_formulas(tmp_path):
    from MIMIRLib.scene.tables import Column, table_node

    write_table(tmp_path / "out.csv", table_node([Column("name", ['=HYPERLINK("x")'])], "t"))
    assert rows_of(tmp_path / "out.csv")[1] == ['\'=HYPERLINK("x")']


def test_csv_in_a_folder_that_cannot_be_written_to_is_an_error(table, tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(MimirError, match="OUTPUT_UNWRITABLE"):
        write_table(tmp_path / "out.csv", table)


def test_a_cohort_has_one_row_per_study_with_the_columns_of_the_engines_file(tmp_path):
    one = study_details(tmp_path / "1", "1.2.1")
    two = study_details(tmp_path / "2", "1.2.2", [quantity("liverVolume", 2.0), sex(0.1, "female")])
    node = cohort_table([one.result, two.result], "cohort")
    names = [node.GetColumnName(index) for index in range(node.GetNumberOfColumns())]
    assert names == [
        "name",
        "visceralFatVolume_mean_in_L",
        "visceralFatVolume_sd_in_L",
        "visceralFatVolume_lower95",
        "visceralFatVolume_upper95",
        "sex_male_score",
        "liverVolume_mean_in_L",
        "liverVolume_sd_in_L",
        "liverVolume_lower95",
        "liverVolume_upper95",
        "direct_fat_volume_in_L",
        "direct_waist_in_cm",
        "flags",
    ]
    assert column_values(node, "direct_fat_volume_in_L") == [DIRECT[0].value] * 2
    assert node.GetColumnTitle("direct_fat_volume_in_L") == "fat volume (L)"
    assert column_values(node, "name") == ["1.2.1", "1.2.2"]
    assert column_values(node, "liverVolume_mean_in_L") == [1 / 3, 2.0]
    first, second = column_values(node, "visceralFatVolume_upper95")
    assert first == MEASUREMENTS[0].upper
    assert math.isnan(second)
    assert node.GetColumnTitle("liverVolume_lower95") == "liver volume lower 95 % (L)"
    assert node.GetColumnUnitLabel("liverVolume_lower95") == "L"


def test_a_clone_of_the_table_keeps_the_digits(table):
    clone = slicer.vtkMRMLTableNode()
    clone.CopyContent(table)
    assert column_values(clone, "value") == column_values(table, "value")


def test_a_number_that_the_user_changed_is_the_users(table):
    column(table, "value").SetValue(0, 4.0)
    assert column_values(table, "value")[0] == 4.0
