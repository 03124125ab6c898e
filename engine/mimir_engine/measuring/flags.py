"""Codes that qualify a measurement, and their meaning in one sentence each."""

from __future__ import annotations

from collections.abc import Mapping

#: The module is a demonstration: the value says nothing about people.
DEMONSTRATION = "DEMONSTRATION"
#: The module was not validated on studies of this kind.
OUTSIDE_VALIDATION = "OUTSIDE_VALIDATION"
#: The value lies beyond nearly all labels that the module was trained or calibrated on.
OUTSIDE_TRAINING_RANGE = "OUTSIDE_TRAINING_RANGE"
#: The value is negative although the quantity cannot be.
BELOW_ZERO = "BELOW_ZERO"
#: The level is beyond those that the module was calibrated for.
INTERVAL_EXTRAPOLATED = "INTERVAL_EXTRAPOLATED"
#: The module was calibrated on too few persons.
NO_INTERVAL = "NO_INTERVAL"
#: The images themselves contradict the value.
DISAGREES_WITH_IMAGE = "DISAGREES_WITH_IMAGE"

#: The scans of a batch are, on average, unlike those that the module knows.
BATCH_DRIFTED = "BATCH_DRIFTED"
#: The scan is unlike those that the module knows.
UNUSUAL_SCAN = "UNUSUAL_SCAN"

FLAG_SENTENCES: Mapping[str, str] = {
    DEMONSTRATION: "The inference module is a demonstration: its values say nothing about people.",
    OUTSIDE_VALIDATION: (
        "The inference module was not validated on studies of this kind: do not rely on the value."
    ),
    OUTSIDE_TRAINING_RANGE: (
        "The value is larger or smaller than nearly all labels that the module was made from:"
        ' read it as "very small" or "very large".'
    ),
    BELOW_ZERO: 'The value is negative although the quantity cannot be: read it as "about zero".',
    INTERVAL_EXTRAPOLATED: (
        "The level of the interval is higher than the module's calibration supports: the bounds are"
        " Gaussian and may contain the true value less often."
    ),
    NO_INTERVAL: "The module was calibrated on too few persons to give an interval.",
    DISAGREES_WITH_IMAGE: (
        "The value does not go with what was measured in the images without a network: look at the"
        " images, and do not rely on the value."
    ),
    BATCH_DRIFTED: "The scans of the batch are, on average, unlike those of the reference.",
    UNUSUAL_SCAN: (
        "The scan is unlike those that the inference module knows: the interval may miss the true"
        " value."
    ),
    "SCANNER_UNKNOWN": (
        "Nothing tells which scanner made the volumes, or its field strength: whether the inference"
        " module was made for such scans cannot be checked."
    ),
    "ENDS_UNKNOWN": (
        "Stitched volumes may still have the slices that MIMIR cuts off at both ends: the networks"
        " may see a body of another size."
    ),
    "VOLUME_RESAMPLED": (
        "Stitched volumes had voxels of another size and were resampled: what networks estimate may"
        " change if they had been resampled before."
    ),
    "SLICE_REPEATED": "A slice occurs twice with the same pixels; one was left out.",
    "SERIES_COPIED": "A station is there twice with the same pixels; one copy was used.",
    "STATION_RESCANNED": "A station was scanned more than once; the latest complete scan was used.",
    "RECONSTRUCTION_CHOSEN": "Scans were reconstructed more than once; one way was used for all.",
    "SERIES_LEFT_OUT": "A Dixon series that is not part of the neck-to-knee scan was left out.",
    "SERIES_REGROUPED": "Images without a common series UID were joined by number and description.",
    "CONTRAST_LEFT_OUT": "In-phase or opposed-phase was left out of the stitched volumes.",
    "PHASES_LEFT_OUT": "A series is a dynamic scan; only its first phase was used.",
    "ENDS_CROPPED": "Water and fat of a station were cropped to the part that both show.",
    "SLICES_LOST": "Slices at an end of a station may be missing: values may be too small.",
    "CONTRAST_AGENT": "The scan was made with contrast agent, which changes the signal of water.",
    "LOSSY_COMPRESSION": "The images were compressed with loss.",
    "UNUSED_BITS": "Pixels have bits that the header does not declare; they were ignored.",
    "PADDING_WITHIN": "The padding value lies among the signal: the body may have holes.",
    "NEGATIVE_SIGNAL": "Values below zero were set to zero.",
    "EXTENT_SHORT": (
        "The study is too short to reach from the neck to the knees: a station may be missing at"
        " an end."
    ),
    "EXTENT_LONG": (
        "The study is longer than a scan from the neck to the knees: it may also show the head or"
        " the calves."
    ),
    "SLICE_BLANK": "Slices between others are the same everywhere: their pixels may be lost.",
    "SLICES_IDENTICAL": "Slices at different positions, or of water and fat, have the same pixels.",
    "PIXELS_SATURATED": "Signals above a limit were cut off before MIMIR read them.",
    "SEAM_MISMATCH": "Neighbouring stations do not show the same body where they meet.",
    "SEAM_STEP": (
        "The signal changes where stations meet: fat fractions near this place may be wrong."
    ),
    "SLICES_DISORDERED": "Slices of a station seem to be in a wrong order.",
    "BODY_MIRRORED": (
        "Right and left, or front and back, of the study may be exchanged, or the patient lay"
        " prone."
    ),
    "WATER_FAT_EXCHANGED": "Water and fat are exchanged in a part of the study.",
    "WATER_FAT_REPAIRED": "Water and fat of a part were exchanged; they were exchanged back.",
    "WATER_FAT_UNCERTAIN": "The images of a station do not show which is water and which is fat.",
    "BODY_CUT_OFF": (
        "Shoulders, knees or sides of the body may be cut off: volumes may be too small, and values"
        " of the whole body wrong."
    ),
    "SIGNAL_RATIO": "The signal of lean tissue does not fit that of fat, in a station or in all.",
    "NOISE_HIGH": "A station or a slice has much noise.",
    "SHADING": "The signal is uneven, from side to side or along the body.",
    "GHOSTS": "The air beside the body shows ghosts: the patient may have moved.",
    "WATER_FAT_APART": (
        "Water and fat do not show the same body in the same place: one may be of another scan."
    ),
    "TISSUE_MISSING": (
        "Hardly any of the body shows as lean tissue, or as fat: a volume may be of another"
        " contrast."
    ),
    "DARK_VOID": "A part of one side of the body is dark, as with metal.",
    "BRIGHT_OUTLIERS": "Single pixels are so bright that the networks see a darker image.",
    "SLICE_SCALE": "The signal changes abruptly from one slice to the next.",
    "CONTRASTS_INCOHERENT": (
        "In-phase or opposed-phase images do not fit to water and fat: they may be of another scan."
    ),
    "SITE_HARMONISED": (
        "The water signal was scaled by the constant of its scanner before the fat fraction was"
        " computed."
    ),
    "HEADER_DISAGREES": (
        "Sex, height, weight or age in the header clearly differ from the estimates: one of them is"
        " wrong."
    ),
    "SEX_CONTRADICTED": (
        "Estimates of the sex contradict each other or the recorded sex: intervals, percentiles and"
        " z-scores that are for one sex may be wrong."
    ),
    "LABELS_MISSING": "The study has no label map; its labels were not measured.",
    "LABELS_UNREADABLE": "The label map cannot be read; its labels were not measured.",
    "LABELS_INVALID": "The file of the label map is not one; its labels were not measured.",
    "LABELS_OUTSIDE": (
        "The label map is of another scan or of another place in space; it was not measured."
    ),
    "LABELS_SWAPPED": "Labels lie on the other side of the patient than their names say.",
    "LABELS_OTHER_TISSUE": (
        "Labels hold tissue that is not theirs: the label map may be of another scan, or its names"
        " of another table."
    ),
    "LABELS_SHIFTED": (
        "The label map has the grid of the fused volumes, but lies a little beside it."
    ),
    "STATION_SHIFT": (
        "Neighbouring stations match better if shifted: by breathing, by a movement, or because"
        " positions are wrong."
    ),
}

#: Codes that the column ``flags`` of a study can hold: not those of a batch, nor of errors.
STUDY_FLAGS = tuple(c for c in FLAG_SENTENCES if c not in (BATCH_DRIFTED, "WATER_FAT_EXCHANGED"))


def flag_sentence(code: str) -> str:
    """Return the meaning of a flag in one sentence; the code itself if it is not known."""
    return FLAG_SENTENCES.get(code, code)
