from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from MIMIRLib.engine.import_engine import (
    EngineUnavailable,
    engine_folder,
    import_engine,
    is_bundled,
)

MODULE_FOLDER = Path(__file__).resolve().parents[2]


def engine_in(folder: Path, version: str = "9.9") -> Path:
    """A stand-in for an engine: just its version."""
    package = folder / "mimir_engine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f'__version__ = "{version}"\n', "utf-8")
    return folder


def test_in_a_clone_the_engine_lies_beside_the_modules_folder() -> None:
    assert engine_folder() == MODULE_FOLDER.parent / "engine"


def test_in_a_built_or_installed_tree_it_lies_beside_the_library(tmp_path: Path) -> None:
    module_folder = tmp_path / "qt-scripted-modules"
    bundled = engine_in(module_folder / "MIMIREngine")
    engine_in(tmp_path / "engine")
    assert engine_folder(module_folder) == bundled


def test_a_missing_engine_is_an_error_with_a_code(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        engine_folder(tmp_path / "MIMIR")
    assert caught.value.code == "ENGINE_MISSING"
    assert "Install the extension again" in caught.value.reason
    assert str(caught.value) == f"ENGINE_MISSING: {caught.value.reason}"


def test_the_imported_engine_is_the_bundled_one_with_its_weights() -> None:
    engine = import_engine()
    assert is_bundled(engine.__path__[0])
    from mimir_engine.inference_module.search_path import locate

    assert (locate().modules[-1] / "phantom" / "module.json").is_file()


def in_new_python(code: str, *paths: Path) -> str:
    """Return the output of a new Python with these folders first on its path."""
    script = f"import sys; sys.path[:0] = {[str(path) for path in paths]}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_an_older_engine_on_the_path_does_not_come_first(tmp_path: Path) -> None:
    code = (
        "from MIMIRLib.engine.import_engine import import_engine\n"
        "import_engine()\n"
        "import mimir_engine; print(mimir_engine.__path__[0])"
    )
    older = engine_in(tmp_path, "0.0.1")
    assert is_bundled(in_new_python(code, older, MODULE_FOLDER))


def test_another_engine_that_was_imported_before_is_refused(tmp_path: Path) -> None:
    code = (
        "import mimir_engine\n"
        "from MIMIRLib.engine.import_engine import EngineUnavailable, import_engine\n"
        "try: import_engine()\n"
        "except EngineUnavailable as error: print(error)"
    )
    output = in_new_python(code, engine_in(tmp_path), MODULE_FOLDER)
    assert output.startswith("ENGINE_SHADOWED: ")
    assert str(tmp_path) in output
    assert "Restart Slicer" in output


def test_importing_the_engine_again_and_again_leaves_one_entry_on_the_path() -> None:
    import_engine()
    import_engine()
    assert sys.path.count(str(engine_folder())) == 1
    assert sys.path[0] == str(engine_folder())
