"""How a projection is shown to people."""

from __future__ import annotations

#: What the channels show.
CHANNELS = ("Water", "Fat", "Fat fraction")
#: Height over width of the body region in the square image, in UK Biobank's protocol: 363 slices of
#: 3 mm over 224 columns and 152 rows of 2.23 mm. This aspect keeps the body's proportions.
IMAGE_ASPECT = 1.3
#: Share of the image's width that the coronal view fills, in the same protocol.
CORONAL_SHARE = 0.6
