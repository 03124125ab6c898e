"""Collect the pages of the site: Markdown from the whole repository, and the engine's API."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "engine"
#: Pages, and the files that they link to. They keep their paths, so that relative links work on
#: the site as they do in the repository.
PATTERNS = (
    *("*.md", "docs/*.md", "docs/images/*", "weights/**/README.md"),
    *("LICENSE", "CITATION.cff", "engine/mimir_engine/inference_module/published_targets.csv"),
    "engine/mimir_engine/measuring/measurement_names.csv",
)


def api_pages() -> dict[str, str]:
    """Return path and text of an API page for the package and each of its folders."""
    package = ENGINE / "mimir_engine"
    files = {package: package.glob("*.py")}
    files |= {path.parent: path.parent.rglob("*.py") for path in package.glob("*/__init__.py")}
    return {f"api/{folder.name}.md": _page(folder, files[folder]) for folder in sorted(files)}


def _page(folder: Path, files: Iterable[Path]) -> str:
    """Return the text of an API page: the folder's docstring, then its public files."""
    public = sorted(path for path in files if not path.stem.startswith("_"))
    return "\n\n".join(
        (
            f"# {folder.name}",
            f"::: {_import_name(folder)}\n    options: {{members: false, show_root_heading: false}}",
            *(f"::: {_import_name(path)}" for path in public),
        )
    )


def _import_name(path: Path) -> str:
    return ".".join(path.relative_to(ENGINE).with_suffix("").parts)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the API pages in the navigation."""
    config.nav = [*config.nav, {"API": list(api_pages())}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the contents of docs/ by all pages, with their paths in the repository."""
    for file in [*files.documentation_pages(), *files.media_files()]:
        files.remove(file)
    for path in sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern)}):
        name = path.relative_to(ROOT).as_posix()
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    for name, text in api_pages().items():
        files.append(File.generated(config, name, content=text))
    return files
