"""The colour table of fat fractions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Optional

import slicer

from MIMIRLib.scene.marks import COLOURS, ROLE_MARK
from MIMIRLib.scene.transaction import Exchange

NAME = "MIMIR fat fraction"
COLOURS_COUNT = 256
#: Lightness (CIE L*) from no fat to pure fat: grows evenly, so that equal steps look equal and a
#: grey print keeps the order.
DARKEST, LIGHTEST = 0.0, 95.0
#: Hue (degrees in CIE L*a*b*) from violet over red to yellow, and the strongest chroma between.
FIRST_HUE, LAST_HUE, CHROMA = -75.0, 95.0, 62.0
#: White of sRGB (D65), CIE XYZ.
WHITE = (0.95047, 1.0, 1.08883)
RGB_FROM_XYZ = (
    (3.2406, -1.5372, -0.4986),
    (-0.9689, 1.8758, 0.0415),
    (0.0557, -0.2040, 1.0570),
)


def fraction_colours(exchange: Exchange) -> Any:
    """The colour table, shared by all studies of a scene; made where it is not there yet."""
    present = _present(exchange.scene)
    if present is not None:
        return present
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(NAME)
    node.SetTypeToUser()
    node.SetAttribute("Category", "MIMIR")
    node.SetAttribute(ROLE_MARK, COLOURS)
    node.SetDescription("Fat fraction: dark is water, light is fat; lightness grows evenly.")
    node.SetNumberOfColors(COLOURS_COUNT)
    for index, (red, green, blue) in enumerate(ramp(COLOURS_COUNT)):
        node.SetColor(index, f"{100 * index / (COLOURS_COUNT - 1):.1f} %", red, green, blue, 1.0)
    return exchange.add_shared(node)


def ramp(count: int) -> Iterator[tuple[float, float, float]]:
    """sRGB colours, 0 to 1 each, whose lightness grows in even steps from black to nearly white."""
    for index in range(count):
        part = index / (count - 1)
        hue = math.radians(FIRST_HUE + part * (LAST_HUE - FIRST_HUE))
        chroma = CHROMA * math.sin(math.pi * part)
        lightness = DARKEST + part * (LIGHTEST - DARKEST)
        yield _srgb(lightness, chroma * math.cos(hue), chroma * math.sin(hue))


def _present(scene: Any) -> Optional[Any]:
    for node in scene.GetNodes():
        if node.GetAttribute(ROLE_MARK) == COLOURS and node.GetName() == NAME:
            return node
    return None


def _srgb(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """CIE L*a*b* as sRGB (IEC 61966-2-1), clipped to what a screen can show."""
    y = (lightness + 16) / 116
    x, y, z = (white * _linear(f) for white, f in zip(WHITE, (y + a / 500, y, y - b / 200)))
    red, green, blue = (_gamma(r * x + g * y + b * z) for r, g, b in RGB_FROM_XYZ)
    return red, green, blue


def _linear(f: float) -> float:
    return f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29)


def _gamma(linear: float) -> float:
    linear = min(max(linear, 0.0), 1.0)
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
