"""Water and fat volumes of the scene as one study, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Optional

from MIMIRLib.scene.fused_mark import FusedMark

#: Role of a table's reference to a volume that was measured; the contrast follows.
SOURCE_REFERENCE = "MIMIR.Source."


@dataclass(frozen=True)
class ScenePair:
    """Volumes of one study, as nodes of the scene.

    Attributes:
        water: Water volume.
        fat: Fat volume.
        in_phase: In-phase volume, if there is one.
        opposed_phase: Opposed-phase volume, if there is one.
    """

    water: Any
    fat: Any
    in_phase: Optional[Any] = None
    opposed_phase: Optional[Any] = None

    def nodes(self) -> Iterator[tuple[str, Any]]:
        """Yield the name of each contrast that there is, and its node."""
        for field in fields(self):
            node = getattr(self, field.name)
            if node is not None:
                yield field.name, node

    @property
    def key(self) -> str:
        """The study's key: the water volume's ID in the scene, which has no name of a patient."""
        return str(self.water.GetID())

    @property
    def title(self) -> str:
        """The study's name for people."""
        return str(self.water.GetName())

    @property
    def is_fused_by_mimir(self) -> bool:
        """True if MIMIR has fused water and fat, and both are unchanged."""
        marked = ((node, FusedMark.of(node)) for node in (self.water, self.fat))
        return all(mark is not None and mark.fits(node) for node, mark in marked)


def refer_to_volumes(table: Optional[Any], volumes: Iterable[tuple[str, str]]) -> None:
    """Let a table of measurements refer to the volumes of the scene that were measured.

    Args:
        table: The table; None if there is none.
        volumes: Name of each contrast, and ID of its node.
    """
    if table is not None:
        for contrast, node_id in volumes:
            table.SetNodeReferenceID(f"{SOURCE_REFERENCE}{contrast}", node_id)
