"""True label maps of phantoms give their true volumes and fat fractions."""

from __future__ import annotations

import numpy as np
import pytest

from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.labels import LabelMap, examine_labels, measure_labels
from mimir_engine.phantom.label_map import label_scan, label_truths
from mimir_engine.phantom.label_map.names import LABELS
from mimir_engine.phantom.scan import make_scan, stations_of

#: One phantom of each population.
SEEDS = (100_107, 200_003)
#: Largest relative error of a volume, and largest error of a fat fraction in percent.
VOLUME_ERROR, FRACTION_ERROR = 1e-3, 0.2


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_of_a_phantom_have_their_true_volume_and_fat_fraction(seed: int) -> None:
    scan = make_scan(seed)
    fused, true = fuse(stations_of(scan)), label_scan(scan)
    truths, names = label_truths(true), {number: label.name for number, label in LABELS.items()}
    label_map = LabelMap(true.array.astype(np.uint16), true.affine, names)
    measured = examine_labels(label_map, fused)
    assert measured.findings == ()
    assert {m.name for m in measured.values} == truths.keys()
    for m in measured.values:
        truth = truths[m.name]
        assert m.volume_l == pytest.approx(truth["volume_l"], rel=VOLUME_ERROR)
        assert m.core_voxels == truth["core_voxels"]
        expected = truth["noisy_core_fat_fraction_percent"]
        assert m.core_fat_fraction_percent == pytest.approx(expected, abs=FRACTION_ERROR), m.name
    seams = {m.name: m.seams for m in measured.values}
    assert seams["subcutaneous_fat"] == len(scan.stations) - 1, "it is in all stations"
    without_layout = measure_labels(label_map, FusedVolumes(fused.water, fused.fat))
    assert {m.seams for m in without_layout} == {None}
    mirrored = LabelMap(label_map.array[:, :, ::-1], true.affine, names)
    found = [f.code for f in examine_labels(mirrored, fused).findings]
    assert found == ["LABELS_SWAPPED", "LABELS_OTHER_TISSUE"]
    shifted = dict(zip(names, [*list(names.values())[1:], names[min(names)]]))
    misnamed = LabelMap(label_map.array, true.affine, shifted)
    assert "LABELS_OTHER_TISSUE" in [f.code for f in examine_labels(misnamed, fused).findings]


@pytest.mark.slow
def test_a_map_of_another_phantom_is_found() -> None:
    scans = [make_scan(seed) for seed in (200_003, 200_004)]
    true = label_scan(scans[1])
    names = {number: label.name for number, label in LABELS.items()}
    label_map = LabelMap(true.array.astype(np.uint16), true.affine, names)
    own, other = (examine_labels(label_map, fuse(stations_of(scan))) for scan in reversed(scans))
    assert own.findings == ()
    assert [finding.code for finding in other.findings] == ["LABELS_OTHER_TISSUE"]
