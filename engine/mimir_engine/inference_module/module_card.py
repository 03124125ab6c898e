"""Say what an inference module is, and on whom it was validated, without the module itself."""

from __future__ import annotations

from dataclasses import dataclass

from mimir_engine.errors import one_line
from mimir_engine.inference_module.folder import module_sha256
from mimir_engine.inference_module.format import InferenceModule


@dataclass(frozen=True)
class ModuleCard:
    """An inference module in a few lines.

    Attributes:
        name: Its name.
        version: Its version.
        title: One line for users.
        description: Purpose and limits.
        valid_for: The studies that it was validated on, in words.
        networks: Number and kind of its networks.
        licence: Licence of its weights.
        demonstration: Whether its values say nothing about people.
        sha256: Hash of ``module.json``, which lists the hashes of the other files.
    """

    name: str
    version: str
    title: str
    description: str
    valid_for: str
    networks: str
    licence: str
    demonstration: bool
    sha256: str


def card_of(module: InferenceModule) -> ModuleCard:
    """Describe a module.

    Raises:
        MimirError: ``MODULE_FILE_MISSING``.
    """
    return ModuleCard(
        name=module.name,
        version=one_line(module.version),
        title=one_line(module.title),
        description=one_line(module.description),
        valid_for=one_line(str(module.accepts)),
        networks=f"{len(module.weights)} x {module.architecture}",
        licence=one_line(module.licence),
        demonstration=module.demonstration,
        sha256=module_sha256(module),
    )
