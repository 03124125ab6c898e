"""Show the image that the networks see: water, fat and fat fraction, each from front and side."""

from __future__ import annotations

import numpy as np

from mimir_engine.projection.appearance import CHANNELS, CORONAL_SHARE, IMAGE_ASPECT
from mimir_engine.projection.project import WHITE_FRACTION
from mimir_engine.report.blocks import Picture, Pictures

#: Colours of the fat fraction from none to the highest shown, of equal steps in lightness: red,
#: green, blue.
FRACTION_COLOURS = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))

#: Where water and fat are both darker, there is air: its noise has no fat fraction and stays black.
AIR = 16


def projection_pictures(image: np.ndarray) -> Pictures:
    """Return one picture per channel.

    Args:
        image: uint8 ``(3, 256, 256)``, as ``projection.project`` makes it.
    """
    water, fat = (np.repeat(channel[:, :, np.newaxis], 3, axis=2) for channel in image[:2])
    colours, air = _colours(), image[:2].max(axis=0) < AIR
    in_colours = np.where(air[:, :, np.newaxis], 0, colours[image[2]]).astype(np.uint8)
    highest = f"{WHITE_FRACTION / 10:g} % or more"
    parts, shares = ("coronal", "sagittal"), (CORONAL_SHARE, IMAGE_ASPECT)
    return Pictures(
        (
            Picture(water, CHANNELS[0], parts, *shares),
            Picture(fat, CHANNELS[1], parts, *shares),
            Picture(
                in_colours,
                CHANNELS[2],
                parts,
                *shares,
                legend=("0 %", highest),
                bar=colours[np.newaxis],
            ),
        )
    )


def _colours() -> np.ndarray:
    """Return the colour of each grey level: uint8 ``(256, 3)``."""
    anchors = np.array(FRACTION_COLOURS, float)
    levels = np.linspace(0, 255, len(anchors))
    columns = [np.interp(np.arange(256), levels, column) for column in anchors.T]
    return np.rint(np.stack(columns, axis=1)).astype(np.uint8)
