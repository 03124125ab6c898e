from dataclasses import replace

import pytest

pytest.importorskip("slicer")

import slicer
from scene_study import DIRECT, MEASUREMENTS, quantity, sex, study_details

from mimir_engine.measuring.scan_comparison import Contribution, ScanComparison
from MIMIRLib.presenter.finding_list import describe_finding
from MIMIRLib.scene.measurement_table import findings_of, measurement_table
from MIMIRLib.scene.tables import Column, column_values, fill_table, table_node

FOR_PEOPLE = ["measurement", "estimate", "interval", "percentile_shown", "z_shown"]
FOR_SCRIPTS = ["value", "unit", "lower", "upper", "SD", "z", "percentile", "score", "class"]


@pytest.fixture
def table(tmp_path):
    return measurement_table(study_details(tmp_path / "study", direct=()).result, "measurements")


def measured(folder, *measurements, **options):
    return measurement_table(study_details(folder, "1", measurements, **options).result, "t")


def names(node):
    return [node.GetColumnName(index) for index in range(node.GetNumberOfColumns())]


def row(node, measurement):
    number = column_values(node, "name").index(measurement)
    return {name: column_values(node, name)[number] for name in names(node)}


def numbers(node, name):
    return [float(text) if text else None for text in column_values(node, name)]


def test_columns_for_people_come_first_and_no_cell_says_nan(table):
    shown = names(table)
    assert shown[:5] == FOR_PEOPLE
    assert shown[9 : 9 + len(FOR_SCRIPTS)] == FOR_SCRIPTS
    cells = [str(cell) for name in shown for cell in column_values(table, name)]
    assert not [cell for cell in cells if "nan" in cell.lower()]


def test_people_see_as_many_digits_as_the_interval_allows(table):
    shown = row(table, "visceralFatVolume")
    assert [shown[name] for name in FOR_PEOPLE] == ["VAT", "3.1 L", "2.6 to 3.6", "61", "+0.1"]
    assert shown["group"] == "Fat"
    assert shown["title"] == "Visceral adipose tissue (VAT) volume"


def test_scripts_find_every_digit_by_the_columns_name(table):
    shown = row(table, "visceralFatVolume")
    assert float(shown["value"]) == 3.123456789012345
    assert float(shown["lower"]) == MEASUREMENTS[0].lower
    assert float(shown["percentile"]) == 61.25
    assert (shown["unit"], shown["module"]) == ("L", "phantom 1.0")


def test_bounds_for_scripts_are_raw_and_those_for_people_are_not_below_zero(table):
    shown = row(table, "liverVolume")
    assert float(shown["lower"]) == MEASUREMENTS[2].lower < 0
    assert shown["interval"] == "0.0 to 0.8"


def test_an_estimate_below_zero_is_shown_as_its_interval_is(tmp_path):
    negative = quantity("liverVolume", -0.5, lower=-1.0, upper=-0.1)
    assert row(measured(tmp_path, negative), "liverVolume")["estimate"] == "0.0 L"


def test_unknown_values_are_empty(table):
    assert row(table, "liverVolume")["percentile"] == ""
    assert row(table, "liverVolume")["percentile_shown"] == ""


def test_the_sex_is_a_word_and_its_score_has_a_column_of_its_own(table):
    shown = row(table, "sex")
    assert [shown[name] for name in FOR_PEOPLE] == ["Sex", "male", "–", "", ""]
    assert float(shown["score"]) == 0.9871234567
    assert shown["class"] == "male"
    assert [shown[name] for name in ("value", "lower", "upper", "SD", "z")] == [""] * 5
    assert "0 is female" in table.GetColumnDescription("score")


def test_an_uncertain_sex_is_called_so(tmp_path):
    assert row(measured(tmp_path, sex(0.5, "uncertain")), "sex")["estimate"] == "uncertain"


def test_without_an_interval_there_is_a_dash(tmp_path):
    bare = quantity("age", 55.0, lower=None, upper=None, interval_method="none", unit="years")
    assert row(measured(tmp_path, bare), "age")["interval"] == "–"


def test_rows_are_in_the_order_of_the_groups(table):
    assert column_values(table, "group") == ["Body", "Fat", "Liver and kidneys"]
    assert column_values(table, "name") == ["sex", "visceralFatVolume", "liverVolume"]


def test_two_modules_that_measure_the_same_are_told_apart(tmp_path):
    two = quantity("b_age", 50.0, target="age", module="b"), quantity("age", 51.0)
    assert column_values(measured(tmp_path, *two), "measurement")[:2] == [
        "Age (b)",
        "Age (phantom)",
    ]


def test_headers_say_the_level_and_the_reference(table):
    assert table.GetUseColumnTitleAsColumnHeader()
    assert table.GetColumnTitle("interval") == "95 % interval"
    assert "training data of phantom 1.0" in table.GetColumnDescription("z")
    # Slicer appends a unit to the header, in brackets.
    assert {table.GetColumnUnitLabel(name) for name in names(table)} == {""}


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
    fat, waist = (row(table, name) for name in ("direct_fat_volume_in_L", "direct_waist_in_cm"))
    assert column_values(table, "name")[3:] == ["direct_fat_volume_in_L", "direct_waist_in_cm"]
    assert [fat[name] for name in FOR_PEOPLE] == ["Fat volume (direct)", "21.12 L", "–", "", ""]
    assert float(fat["value"]) == DIRECT[0].value
    assert fat["note"] == "measured directly in the images, without a network"
    assert (waist["estimate"], waist["value"], waist["unit"]) == ("–", "", "cm")
    assert waist["note"] == "cannot be measured: the arms touch the trunk"
    assert {fat["group"], waist["group"]} == {"Measured directly"}
    assert table.GetColumnTitle("interval") == "95 % interval"


def test_direct_measurements_alone_make_a_table(tmp_path):
    table = measured(tmp_path)
    assert column_values(table, "measurement") == ["Fat volume (direct)", "Waist (direct)"]
    assert table.GetColumnTitle("interval") == "interval"


def test_texts_from_files_cannot_break_the_table_file(tmp_path):
    hostile = quantity("x", 1.0, target='a\tb\n"c"\x07', unit="m\t2")
    node = measured(tmp_path, hostile)
    assert row(node, "x")["measurement"] == "A b 'c'?"
    assert row(node, "x")["estimate"] == "1.0 m 2"


def test_a_column_that_a_table_does_not_have_is_empty(table):
    assert column_values(table, "mine") == ["", "", ""]


def test_a_table_can_be_filled_again(table):
    fill_table(table, [Column("x", [0.1])])
    assert names(table) == ["x"]
    assert column_values(table, "x") == [0.1]
    assert table.GetLocked()


def test_numbers_of_a_chart_are_doubles():
    node = table_node([Column("x", [1 / 3])], "chart data")
    assert node.GetTable().GetColumnByName("x").GetClassName() == "vtkDoubleArray"


def test_a_clone_of_the_table_keeps_the_digits(table):
    clone = slicer.vtkMRMLTableNode()
    clone.CopyContent(table)
    assert numbers(clone, "value") == numbers(table, "value")
