"""Load, write, verify and find inference modules on disk.

An inference module is a trained network with its scales, in its own folder: ``module.json``
(its description, targets, validated range, and the hashes of its files), ``weights*.safetensors``
(several are an ensemble) and optionally ``statistics.json``, ``scan_profile.safetensors``, texts.
Loading reads ``module.json`` only; ``measuring.network`` reads weights.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file, atomic_folder
from mimir_engine.files.file_sha256 import file_sha256, stream_sha256
from mimir_engine.files.json_file import parse_json, read_json, write_json
from mimir_engine.files.regular_file import open_regular
from mimir_engine.inference_module.format import (
    MAX_JSON_BYTES,
    MODULE_NAME,
    READABLE_VERSIONS,
    InferenceModule,
    ModuleFile,
    WeightsFile,
    module_to_json,
)
from mimir_engine.inference_module.profile_file import write_profile
from mimir_engine.inference_module.scan_profile import ScanProfile
from mimir_engine.inference_module.search_path import MODULE_FILE, locate, module_files
from mimir_engine.inference_module.statistics import PredictionStatistics, write_statistics
from mimir_engine.inference_module.target import INVALID

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

STATISTICS_FILE = "statistics.json"
PROFILE_FILE = "scan_profile.safetensors"
CARD_FILE = "README.md"


def load_module(folder: Union[str, Path]) -> InferenceModule:
    """Read and validate a module's ``module.json``; no weights are read.

    Raises:
        MimirError: ``MODULE_NOT_FOUND`` or ``MODULE_INVALID``.
    """
    folder = Path(folder)
    path = folder / MODULE_FILE
    if not os.path.isfile(path):
        raise MimirError(
            "MODULE_NOT_FOUND",
            f"the folder {folder} contains no {MODULE_FILE}",
            "Give the folder of an inference module.",
        )
    module = read_json(path, InferenceModule, INVALID, MAX_JSON_BYTES, READABLE_VERSIONS)
    return replace(_with_weights(module, folder.name), folder=folder)


def parse_module(content: bytes, source: str) -> InferenceModule:
    """Parse the content of a ``module.json`` of a folder or archive with this name.

    Raises:
        MimirError: ``MODULE_INVALID``.
    """
    where = f"{MODULE_FILE} of {source}"
    return _with_weights(
        parse_json(content, where, InferenceModule, INVALID, READABLE_VERSIONS), source
    )


def _with_weights(module: InferenceModule, source: str) -> InferenceModule:
    if not module.weights:
        raise MimirError(INVALID, f"{MODULE_FILE} of {source} lists no weights")
    return module


def write_module(
    folder: Union[str, Path],
    module: InferenceModule,
    state_dicts: Sequence[Mapping[str, ArrayLike]],
    eight_bit: bool = False,
) -> InferenceModule:
    """Write a module's folder atomically, without statistics and model card.

    Args:
        folder: Folder to create.
        module: Everything but its files and ``folder``, which are set here.
        state_dicts: One state dict per network, see ``save_weights``; several make an ensemble.
        eight_bit: Store the weights in 8 bits, see ``weights``.

    Raises:
        MimirError: ``MODULE_EXISTS``, ``WEIGHTS_NOT_FINITE``, ``OUTPUT_UNWRITABLE``.
    """
    from mimir_engine.inference_module.weights import save_weights

    storage = "int8" if eight_bit else "float32"
    with new_folder(Path(folder)) as new:
        weights = []
        for index, state_dict in enumerate(state_dicts):
            name = f"weights{index + 1 if len(state_dicts) > 1 else ''}.safetensors"
            save_weights(new / name, state_dict, eight_bit=eight_bit)
            weights.append(WeightsFile(name, file_sha256(new / name), storage))
        module = replace(module, statistics_file=None, features_file=None, profile_file=None)
        _write_description(new, replace(module, weights=tuple(weights)))
    return load_module(folder)


def rewrite_module(
    folder: Union[str, Path],
    module: InferenceModule,
    *,
    statistics: Optional[PredictionStatistics],
    profile: Optional[ScanProfile],
    card: str,
    overwrite: bool,
) -> InferenceModule:
    """Write a module with another description around the same weights.

    All other files of its folder are copied.

    Args:
        folder: Folder to create; the module's own to replace it.
        module: The new description, still with the folder and files of the old.
        statistics: Prediction quantiles by sex; None if the new module has none.
        profile: The scan profile; None to keep the old one.
        card: The module's ``README.md``, as Markdown.
        overwrite: Replace the folder if it exists.

    Raises:
        MimirError: ``MODULE_EXISTS``, ``MODULE_DAMAGED``, ``MODULE_FILE_MISSING``,
            ``OUTPUT_UNWRITABLE``.
    """
    verify_module(module)
    unused = module.features_file  # of older modules
    dropped = (MODULE_FILE, STATISTICS_FILE, unused.file if unused else "")
    with new_folder(Path(folder), overwrite) as new:
        for old in module.folder.iterdir():
            if old.is_file() and old.name not in dropped:
                with open(old, "rb") as source, atomic_file(new / old.name) as copy:
                    shutil.copyfileobj(source, copy)
        module = replace(module, statistics_file=None, features_file=None)
        if statistics is not None:
            write_statistics(new / STATISTICS_FILE, statistics)
            listed = ModuleFile(STATISTICS_FILE, file_sha256(new / STATISTICS_FILE))
            module = replace(module, statistics_file=listed)
        if profile is not None:
            write_profile(new / PROFILE_FILE, profile)
            listed = ModuleFile(PROFILE_FILE, file_sha256(new / PROFILE_FILE))
            module = replace(module, profile_file=listed)
        with atomic_file(new / CARD_FILE) as file:
            file.write(card.encode("utf-8"))
        _write_description(new, module)
    return load_module(folder)


def _write_description(folder: Path, module: InferenceModule) -> None:
    """Write ``module.json``, and check that it can be read."""
    write_json(folder / MODULE_FILE, module_to_json(module), ensure_ascii=False)
    load_module(folder)


def verify_module(module: InferenceModule) -> None:
    """Compare the module's files with the hashes in its ``module.json``.

    Raises:
        MimirError: ``MODULE_FILE_MISSING``; ``MODULE_DAMAGED`` with the first file that differs.
    """
    for listed in module.files:
        if _hash_of(module, listed.file) != listed.sha256:
            raise damaged(module, listed.file)


def damaged(module: InferenceModule, name: str) -> MimirError:
    """Make the error about a file that does not match its hash."""
    return MimirError(
        "MODULE_DAMAGED",
        f"{name} of the inference module {module.name} is not the file that {MODULE_FILE} was"
        " written for",
        "Download the inference module again.",
    )


def module_sha256(module: InferenceModule) -> str:
    """Return the SHA-256 of ``module.json``, which lists the hashes of the module's other files.

    Raises:
        MimirError: ``MODULE_FILE_MISSING``.
    """
    return _hash_of(module, MODULE_FILE)


def _hash_of(module: InferenceModule, name: str) -> str:
    try:
        with open_regular(module.folder / name) as file:
            return stream_sha256(file)
    except OSError as error:
        raise MimirError(
            "MODULE_FILE_MISSING",
            f"{name} of the inference module {module.name} cannot be read ({error.strerror})",
            "Download the inference module again.",
        ) from error


def find_module(name_or_folder: Union[str, Path]) -> InferenceModule:
    """Load a module by its name on the search path, or by its folder.

    A text is a folder if it contains a separator or begins with a dot or a tilde; a path always is.
    So a name never means a folder that happens to be in the working directory. If two folders of
    the search path have different modules of the name, the name means neither.

    Examples:
        >>> module = find_module("phantom")
        >>> module.targets[1].name, module.targets[1].unit
        ('height', 'cm')

    Raises:
        MimirError: ``MODULE_NOT_FOUND`` with the names of known modules, ``MODULE_AMBIGUOUS``, or
            ``MODULE_INVALID``.
    """
    text = os.fspath(name_or_folder)
    is_path = not isinstance(name_or_folder, str) or _is_path(text)
    folders = [_expanded(text)] if is_path else []
    if not is_path and MODULE_NAME.fullmatch(text):
        folders = [place / text for place in locate().modules]
    found = [folder for folder in folders if os.path.isfile(folder / MODULE_FILE)]
    if found:
        _check_same(text, found)
        return load_module(found[0])
    known = ", ".join(sorted(path.name for path in module_folders())) or "none"
    remedy = f"Give a module's folder or a known name: {known}."
    if not is_path and os.path.isfile(Path(text) / MODULE_FILE):
        remedy += f" For the folder of this name, write {os.path.join(os.curdir, text)}."
    raise MimirError("MODULE_NOT_FOUND", f"no inference module {text!r} was found", remedy)


def _check_same(name: str, folders: Sequence[Path]) -> None:
    """Refuse a name of different modules."""
    first, *others = ((folder, file_sha256(folder / MODULE_FILE)) for folder in folders)
    other = next((folder for folder, sha256 in others if sha256 != first[1]), None)
    if other is not None:
        raise MimirError(
            "MODULE_AMBIGUOUS",
            f"two different inference modules are named {name}: in {first[0]} and in {other}",
            "Give the folder of the one that you want, or remove the other.",
        )


def _is_path(text: str) -> bool:
    separators = {os.sep, os.altsep or os.sep}
    return text.startswith((".", "~")) or bool(Path(text).drive or separators & set(text))


def _expanded(text: str) -> Path:
    return Path(os.path.expanduser(text))


def find_modules(names: Iterable[str]) -> list[InferenceModule]:
    """Find several modules that can be used side by side.

    Args:
        names: Names or folders as for `find_module`; ``NAME=PREFIX`` sets the prefix of the
            module's columns.

    Raises:
        MimirError: As `find_module` and `check_columns`.
    """
    modules = []
    for name in names:
        without_prefix, equals, prefix = name.rpartition("=")
        if equals and not (_is_path(name) and os.path.isdir(_expanded(name))):
            modules.append(replace(find_module(without_prefix), column_prefix=prefix))
        else:
            modules.append(find_module(name))
    check_columns(modules)
    return modules


def check_columns(modules: Sequence[InferenceModule]) -> None:
    """Refuse modules whose results would have the same names.

    Raises:
        MimirError: ``COLUMN_CONFLICT`` with the two modules and the first common name.
    """
    owners: dict[str, str] = {}
    for module in modules:
        for name in module.measurement_names:
            if name in owners:
                raise MimirError(
                    "COLUMN_CONFLICT",
                    f"the inference modules {owners[name]} and {module.name} both measure {name}",
                    f"Give one of them a prefix: {module.name}=PREFIX.",
                )
            owners[name] = module.name


def check_projection(module: InferenceModule, projection: str) -> None:
    """Refuse images of another projection than the module was trained on.

    Raises:
        MimirError: ``PROJECTION_MISMATCH``.
    """
    if module.projection != projection:
        raise MimirError(
            "PROJECTION_MISMATCH",
            f"the inference module {module.name} was trained on the projection"
            f" {module.projection}, not {projection}",
            "Use a module that was trained on this projection.",
        )


@contextmanager
def new_folder(folder: Path, overwrite: bool = False) -> Iterator[Path]:
    """Create a folder that appears at its path once the block ends without an error.

    Raises:
        MimirError: ``MODULE_EXISTS`` if the folder exists and may not be replaced,
            ``OUTPUT_UNWRITABLE``.
    """
    if os.path.lexists(folder) and not overwrite:
        raise MimirError(
            "MODULE_EXISTS",
            f"the folder {folder} already exists",
            "Remove it or choose another name.",
        )
    with atomic_folder(folder, overwrite) as new:
        yield new


def same_name_elsewhere(module: InferenceModule) -> list[Path]:
    """Return folders of the search path with another module of this name."""
    own = module_sha256(module)
    folders = [place / module.folder.name for place in locate().modules]
    others = [folder for folder in folders if os.path.isfile(folder / MODULE_FILE)]
    return [folder for folder in others if file_sha256(folder / MODULE_FILE) != own]


def module_folders() -> list[Path]:
    """List the folders of modules in the order of the search path, the first of each name."""
    found: dict[str, Path] = {}
    for place in locate().modules:
        for path in module_files(place):
            found.setdefault(path.parent.name, path.parent)
    return list(found.values())
