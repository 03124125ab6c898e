"""Draw six bodies of population 2: ``python validation/phantom_picture.py docs/images/x.png``."""

from __future__ import annotations

import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from mimir_engine.fusion import fuse
from mimir_engine.phantom.scan import make_scan, scan_stations
from mimir_engine.phantom.smooth_body.body import SmoothBody

#: A woman and a man of average fatness; seeds of no other use.
WOMAN, MAN = 900_016, 900_017
BODIES = tuple(
    (f"{who}, {name}", seed, shift)
    for name, shift in (("lean", "lean"), ("usual", "none"), ("obese", "obese"))
    for who, seed in (("woman", WOMAN), ("man", MAN))
)
#: Levels of the axial slices: liver and mid-thigh.
LIVER, THIGH = 0.675, 0.39
#: Patient y (mm) of the coronal slices.
CORONAL_Y = 35.0


def main(path: str) -> None:
    """Draw each body in a row of coronal and a row of axial slices, water beside fat."""
    figure, panels = plt.subplots(
        3,
        12,
        figsize=(16, 5.3),
        gridspec_kw={"height_ratios": (2.23, 0.78, 0.78)},
        facecolor="black",
    )
    for index, (title, seed, shift) in enumerate(BODIES):
        body = make_scan(seed, shift=shift).body
        assert isinstance(body, SmoothBody)
        panels[0, 2 * index].set_title(title, color="white", fontsize=11, loc="left")
        fused = fuse(scan_stations(seed, shift))
        for column, volume in ((2 * index, fused.water), (2 * index + 1, fused.fat)):
            front, bottom = volume.affine[1:3, 3]
            across, along, up = volume.spacing_mm
            row = round((CORONAL_Y - front) / along)
            images = [volume.array[::-1, row]]
            for level in (LIVER, THIGH):
                images.append(volume.array[round((body.z_of(level) - bottom) / up)])
            bright = float(np.percentile(volume.array[::4, ::4, ::4], 99.7))
            for panel, image, aspect in zip(panels[:, column], images, (up / across, 1, 1)):
                panel.imshow(image, cmap="gray", vmin=0, vmax=bright, aspect=aspect)
                panel.set_axis_off()
    figure.subplots_adjust(0, 0, 1, 0.955, wspace=0.03, hspace=0.03)
    figure.savefig(path, dpi=90, facecolor="black")


if __name__ == "__main__":
    main(sys.argv[1])
