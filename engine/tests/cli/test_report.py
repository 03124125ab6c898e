"""``mimir report`` writes a report for each measured study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cohort_builder import write_studies

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.cohort.study_folder import MEASUREMENTS_FILE


@pytest.fixture(scope="module")
def details(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies, measured with details; not to be changed."""
    folder = tmp_path_factory.mktemp("measured")
    archives = write_studies(folder / "scans", ["a", "b"])
    named = zip(["a", "b & <c>"], archives)
    sources = folder / "sources.jsonl"
    sources.write_text("".join(json.dumps({"name": n, "path": str(p)}) + "\n" for n, p in named))
    places = ["--output", str(folder / "results"), "--details", str(folder / "details")]
    assert main(["measure", "--sources", str(sources), *places]) == DONE
    return folder / "details"


def test_each_study_has_a_page_named_after_it(details: Path, tmp_path: Path) -> None:
    assert main(["report", str(details), "--output", str(tmp_path), "--html"]) == DONE
    pages = sorted(tmp_path.glob("*.html"))
    assert len(pages) == 2
    assert len([*tmp_path.iterdir()]) == 2
    assert "<h1>a</h1>" in pages[0].read_text("utf-8")
    assert "<h1>b &amp; &lt;c&gt;</h1>" in pages[1].read_text("utf-8")


def test_one_study_can_be_given_and_is_written_once(details: Path, tmp_path: Path) -> None:
    first = min(details.glob("a*"))
    arguments = ["report", str(first), str(first), "--output", str(tmp_path), "--html"]
    assert main(arguments) == DONE
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_pdf_files_are_written_too(details: Path, tmp_path: Path) -> None:
    pytest.importorskip("reportlab")
    assert main(["report", str(details), "--output", str(tmp_path)]) == DONE
    assert {path.suffix for path in tmp_path.iterdir()} == {".html", ".pdf"}


def test_without_reportlab_there_are_pages_and_a_sentence(
    details: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.setattr("mimir_engine.cli.report.is_installed", lambda extra: False)
    assert main(["report", str(details), "--output", str(tmp_path)]) == DONE
    assert {path.suffix for path in tmp_path.iterdir()} == {".html"}
    assert "pip install 'mimir-engine[report]'" in capsys.readouterr().err


def test_a_damaged_study_is_named_and_the_others_are_written(
    details: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / MEASUREMENTS_FILE).write_text("{}")
    folders = [str(tmp_path / "damaged"), str(details)]
    output = tmp_path / "reports"
    assert main(["report", *folders, "--output", str(output), "--html"]) == SOME_FAILED
    assert len([*output.iterdir()]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(("DETAILS_INVALID: damaged: ", "FUSED_INVALID: damaged: "))


def test_two_studies_of_one_name_do_not_replace_each_other(
    details: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = min(details.glob("a*"))
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in first.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    output = tmp_path / "reports"
    arguments = ["report", str(first), str(copy), "--output", str(output), "--html"]
    assert main(arguments) == SOME_FAILED
    assert "NAME_REPEATED" in capsys.readouterr().err
    assert len([*output.iterdir()]) == 1


def test_a_folder_without_studies_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "reports"
    assert main(["report", str(tmp_path), "--output", str(output)]) == WRONG_USE
    assert "NO_STUDIES" in capsys.readouterr().err
    assert not output.exists()
