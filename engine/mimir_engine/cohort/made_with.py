"""What made a study's numbers: versions, device and inference modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.module_card import ModuleCard, card_of


@dataclass(frozen=True)
class MadeWith:
    """What made a study's numbers.

    Attributes:
        run: Texts of ``run.json``: versions, projection, device.
        modules: The inference modules, in their order.
    """

    run: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[ModuleCard, ...] = ()


#: Of results whose making was not noted.
NOT_NOTED = MadeWith()


def made_with(run: Mapping[str, Any], modules: Sequence[InferenceModule]) -> MadeWith:
    """Describe a run for the folders of its studies.

    Args:
        run: The run, as in ``run.json``.
        modules: Its inference modules.
    """
    texts = {name: value for name, value in run.items() if isinstance(value, str)}
    return MadeWith(texts, tuple(map(card_of, modules)))
