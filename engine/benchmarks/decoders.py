"""Time the decoders of compressed pixels: milliseconds per slice, for each transfer syntax."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "builders"))

import compressed_builder as builder
import numpy as np
from dicom_builder import Scan, compressed
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from mimir_engine.decoding import compression_name, decoded
from mimir_engine.files.optional_packages import is_installed
from mimir_engine.headers.pixel_format import PixelFormat

ROUNDS = 200
#: Rows and columns of UK Biobank's slices.
SHAPE = (168, 224)
RUN_LENGTH = "1.2.840.10008.1.2.5"


def main() -> None:
    """Print the median time of each syntax, taken in turn."""
    if not is_installed("compressed"):
        print("imagecodecs is not installed")
        return
    values = dict(streams())
    seconds: dict[str, list[float]] = {syntax: [] for syntax in values}
    for _ in range(ROUNDS):
        for syntax, value in values.items():
            begun = time.perf_counter()
            decoded(value, syntax, (1, *SHAPE), PixelFormat())
            seconds[syntax].append(time.perf_counter() - begun)
    for syntax, times in seconds.items():
        milliseconds = 1000 * statistics.median(times)
        size = len(values[syntax]) / 1024
        print(f"{milliseconds:6.2f} ms {size:6.1f} kB  {syntax:24} {compression_name(syntax)}")


def streams() -> list[tuple[str, bytes]]:
    """Return a slice with noise, compressed in each syntax."""
    import imagecodecs

    scan = Scan(slices=1, shape=SHAPE)
    noise = np.random.default_rng(0).integers(0, 16, SHAPE)
    pixels = (scan.pixels("W", 0) + noise).astype(np.uint16)
    syntaxes = [builder.JPEG, builder.JPEG_12_BIT, *builder.LOSSLESS]
    syntaxes += [builder.HTJ2K] if hasattr(imagecodecs, "htj2k_encode") else []
    values = []
    for syntax in syntaxes:
        bits = 8 if syntax == builder.JPEG else 12
        image = (pixels >> 4).astype(np.uint8) if bits == 8 else pixels
        values.append((syntax, builder.encapsulated(builder.stream(image, syntax, bits))))
    dataset = scan.dataset("W", 0)
    dataset.PixelData = pixels.tobytes()
    file = dcmread(DicomBytesIO(compressed(dataset, RUN_LENGTH)))
    return [*values, (RUN_LENGTH, file.PixelData)]


if __name__ == "__main__":
    main()
