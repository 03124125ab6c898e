"""Find volumes in which hardly any of the body is lean, or hardly any is fat.

Every body has both. If one is missing, a volume is not water or not fat: where in-phase stands for
fat, say, all lean tissue seems to be half fat.
"""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.body_sample import BodySample
from mimir_engine.study.finding import Finding

#: Shares of the body that are lean and fat at least. Lean phantoms have 17 % of fat, and obese ones
#: 39 % of lean tissue.
MIN_LEAN_SHARE, MIN_FAT_SHARE = 0.1, 0.03


def find_missing_tissue(sample: BodySample) -> list[Finding]:
    """Find that a volume is of another contrast than it should be."""
    body = max(int(np.count_nonzero(sample.body)), 1)
    return [
        Finding(
            "TISSUE_MISSING",
            f"only {share:.0%} of the body shows as {tissue}: one of the volumes may be of another"
            " contrast, such as in-phase",
            remedy="Check which images were given as water and as fat.",
            value=100 * share,
            threshold=100 * limit,
            unit="%",
        )
        for tissue, mask, limit in (
            ("lean tissue", sample.lean, MIN_LEAN_SHARE),
            ("fat", sample.fatty, MIN_FAT_SHARE),
        )
        if (share := np.count_nonzero(mask) / body) < limit
    ]
