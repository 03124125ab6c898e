"""Read headers whose elements lie where those of an earlier header lay.

Slices of one series differ in a few values, mostly of equal length. If all tags, types and lengths
of a header are those of an earlier one, at the same places, its values are read in one step,
instead of element by element.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple, Optional

#: Layouts that are kept of each part of a header; a study of UK Biobank has up to a dozen.
MAX_LAYOUTS = 16
#: Elements, and bytes, of a part that is kept; usual ones have some 30 elements and 1,000 bytes.
MAX_ELEMENTS, MAX_BYTES = 250, 4096


class Element(NamedTuple):
    """Where one element lies.

    Attributes:
        position: Where its tag begins.
        start: Where its value begins.
        length: Length of its value.
        key: What its value is kept as; None if it is not read.
        vr: Its value representation.
    """

    position: int
    start: int
    length: int
    key: Optional[str]
    vr: bytes


class Layout:
    """The elements of one part of a header, and the tag behind them."""

    def __init__(self, data: bytes, position: int, end: int, elements: Sequence[Element]) -> None:
        """Keep the layout of a part.

        Args:
            data: The header.
            position: Where the part begins.
            end: Where the tag behind it begins.
            elements: All elements between, in their order.
        """
        heads = "".join(f"{e.start - e.position}s{e.length}x" for e in elements)
        values = "".join(
            f"{e.start - e.position}x{e.length}{'x' if e.key is None else 's'}" for e in elements
        )
        self.size = end - position
        self._heads = struct.Struct(f"<{heads}4s")
        self._values = struct.Struct(f"<{values}")
        self._expected = self._heads.unpack_from(data, position)
        self.keys = [e.key for e in elements if e.key is not None]
        self.vrs = [e.vr for e in elements if e.key is not None]

    def values(self, data: bytes, position: int) -> Optional[tuple[bytes, ...]]:
        """Return the values of ``keys``; None if a part has another layout."""
        if position + self._heads.size > len(data):
            return None
        if self._heads.unpack_from(data, position) != self._expected:
            return None
        return self._values.unpack_from(data, position)


class KnownLayouts:
    """The layouts of one part of a header that were seen last."""

    def __init__(self) -> None:
        self._layouts: tuple[Layout, ...] = ()

    def find(self, data: bytes, position: int) -> Optional[tuple[Layout, tuple[bytes, ...]]]:
        """Return the layout of a part and its values; None if it is not known."""
        for layout in self._layouts:
            values = layout.values(data, position)
            if values is not None:
                if layout is not self._layouts[0]:
                    self._put_first(layout)
                return layout, values
        return None

    def learn(self, data: bytes, position: int, end: int, elements: Sequence[Element]) -> None:
        """Keep the layout of a part that was read element by element, if it is an ordinary one."""
        is_gapless = sum(e.start - e.position + e.length for e in elements) == end - position
        if is_gapless and len(elements) <= MAX_ELEMENTS and end - position <= MAX_BYTES:
            self._put_first(Layout(data, position, end, elements))

    def _put_first(self, layout: Layout) -> None:
        others = (known for known in self._layouts if known is not layout)
        self._layouts = (layout, *others)[:MAX_LAYOUTS]
