"""The signal of one scanner against that of the scans that an inference module learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import REQUIRED, read_json, write_json
from mimir_engine.headers.scanner import Scanner

INVALID = "SITE_INVALID"
MAX_FILE_BYTES = 64 << 10
#: Version of the file's form.
SCHEMA_VERSION = 1
#: Factors of the water signal. Flip angles and echo times that are usual for such scans make less
#: than a factor of 2; more is another kind of image, or water and fat are exchanged.
MIN_FACTOR, MAX_FACTOR = 0.5, 2.0
#: The scan number that is compared: water signal of lean tissue divided by fat signal of fat.
RATIO = "lean_to_fat"


@dataclass(frozen=True)
class Site:
    """One constant of a scanner, estimated from its scans without any label.

    Attributes:
        module: Name of the inference module whose scans are the reference.
        scanner: ``Scanner.shown`` of the scanner; empty if it may be any.
        scans: Number of scans.
        ratio: Median over the scans of the water signal of lean tissue divided by the fat signal
            of fat.
        ratio_sd: SD of the single scans' ratios.
        ratio_error: Standard error of ``ratio``.
        reference_ratio: The same ratio of the module's reference scans.
        water_factor: What the water signal is multiplied by, so that the ratio is the reference's.
    """

    module: str = field(metadata=REQUIRED)
    scanner: str = field(metadata=REQUIRED)
    scans: int = field(metadata=REQUIRED)
    ratio: float = field(metadata=REQUIRED)
    ratio_sd: float = field(metadata=REQUIRED)
    ratio_error: float = field(metadata=REQUIRED)
    reference_ratio: float = field(metadata=REQUIRED)
    water_factor: float = field(metadata=REQUIRED)

    def __post_init__(self) -> None:
        if min(self.ratio, self.reference_ratio, self.scans) <= 0:
            raise ValueError("ratios and number of scans must be above 0")
        if min(self.ratio_sd, self.ratio_error) < 0:
            raise ValueError("SD and standard error must not be negative")
        if not MIN_FACTOR <= self.water_factor <= MAX_FACTOR:
            raise ValueError(f"the water factor must lie between {MIN_FACTOR} and {MAX_FACTOR}")
        expected = self.reference_ratio / self.ratio
        if abs(self.water_factor - expected) > 1e-3 * expected:
            raise ValueError("the water factor must be the reference's ratio over the site's")

    def scale(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Return the scan numbers of a study as its scaled images have them."""
        scaled = dict(numbers)
        if RATIO in scaled:
            scaled[RATIO] *= self.water_factor
        return scaled

    def check_scanner(self, scanner: Scanner) -> None:
        """Refuse a study of another scanner.

        Raises:
            MimirError: ``SITE_OTHER_SCANNER``.
        """
        if self.scanner and scanner.shown != self.scanner:
            raise MimirError(
                "SITE_OTHER_SCANNER",
                f"this study was scanned on '{scanner.shown or 'an unknown scanner'}', but the"
                f" water factor of --site is that of '{self.scanner}'",
                "Measure it without --site, or with the site file of its scanner.",
            )


def write_site(path: Path, site: Site) -> None:
    """Write ``site.json``.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_json(path, {"schema_version": SCHEMA_VERSION, **vars(site)})


def read_site(path: Path) -> Site:
    """Read ``site.json``, which may come from anywhere.

    Raises:
        MimirError: ``SITE_INVALID``.
    """
    return read_json(path, Site, INVALID, MAX_FILE_BYTES, (SCHEMA_VERSION,))
