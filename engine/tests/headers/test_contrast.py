"""Series are classified by their headers."""

from __future__ import annotations

import pytest

from mimir_engine.errors import MimirError
from mimir_engine.study import Contrast, classify

W, F, IN, OPP = Contrast.WATER, Contrast.FAT, Contrast.IN_PHASE, Contrast.OPPOSED_PHASE


@pytest.mark.parametrize(
    ("description", "contrast"),
    [
        # UK Biobank and other Siemens VB to VE
        ("Dixon_noBH_W", W),
        ("Dixon_noBH_F", F),
        ("Dixon_BH_17s_in", IN),
        ("Dixon_BH_17s_opp", OPP),
        ("t1_vibe_dixon_tra_opp", OPP),
        ("t1_vibe_dixon_tra_bh_W", W),
        ("3D_GRE_TRA_2_F", F),
        # GE
        ("WATER: Ax LAVA-Flex", W),
        ("FAT: Ax LAVA-Flex", F),
        ("InPhase: Ax LAVA-Flex", IN),
        ("OutPhase: Ax LAVA-Flex", OPP),
        ("In Phase: Ax LAVA", IN),
        # spellings of the field
        ("dixon_w", W),
        ("dixon f", F),
        ("dixon-wa", W),
        ("dixon_water", W),
        ("dixon fat", F),
        ("dixon_ip", IN),
        ("dixon_inphase", IN),
        ("dixon in-phase", IN),
        ("dixon_in_phase", IN),
        ("dixon_op", OPP),
        ("dixon_out", OPP),
        ("dixon out_phase", OPP),
        ("dixon-out-phase", OPP),
        ("dixon out of phase", OPP),
        ("dixon_opposed", OPP),
        ("dixon opposed phase", OPP),
        ("dixon_opp_phase", OPP),
        ("W", W),
        # words for the reconstruction after the contrast
        ("t1_vibe_dixon_tra_W_ND", W),
        ("t1_vibe_dixon_tra_F_NORM", F),
        ("t1_vibe_dixon_tra_W_DIS2D", W),
        ("t1_vibe_dixon_tra_opp_DIS3D", OPP),
        ("t1_vibe_dixon_tra_out_of_phase_ND_NORM", OPP),
        ("mDIXON_W SENSE", W),
        ("mDIXON_F CLEAR", F),
        ("T2 W SENSE", None),
        ("NORM", None),
        # several prefixes, as GE gives reconstructions
        ("ORIG: WATER: Ax LAVA-Flex", W),
        # computed images
        ("t1_vibe_dixon_tra_W_COMPOSED", None),
        ("t1_vibe_dixon_tra_COMPOSED_F", None),
        ("t1_vibe_dixon_tra_W_COMP_SP", None),
        ("t1_vibe_dixon_tra_F_MIP", None),
        ("t1_vibe_dixon_tra_W_MPR_cor", None),
        ("B0_map_W", None),
        ("PDFF_W", None),
        ("Fat Fraction F", None),
        ("Water_Percent_W", None),
        # names that anonymisers give
        ("sub-01_dixon_W", W),
        # other series
        ("", None),
        ("localizer", None),
        ("ShMOLLI_FITPARAMS", None),
        ("gre_mullti_echo_10_TE_liver", None),
        ("eT2W_mDIXON_tra", None),
        ("T2_tse_dark-fluid", None),
        ("Dixon_FF", None),
        ("FatFrac: 3D IDEAL", None),
        ("FAT FRACTION: IDEAL IQ", None),
        ("sag_T2_Wirbel", None),
        ("ME_vibe_fatquant_fp", None),  # percentages of fat and water
        ("ME_vibe_fatquant_wp", None),
        # this W means "weighted", not water
        ("ax T1 W", None),
        ("T2_w", None),
        ("pelvis PD-W", None),
        # harmless: in- and opposed-phase images are never measured
        ("localizer_in", IN),
    ],
)
def test_the_description_names_a_contrast_at_its_end_or_beginning(
    description: str, contrast: Contrast | None
) -> None:
    assert classify({"SeriesDescription": description}) is contrast


@pytest.mark.parametrize(
    ("image_type", "contrast"),
    [
        (r"DERIVED\PRIMARY\DIXON\WATER", W),
        (r"DERIVED\PRIMARY\DIXON\WATER\MAGNITUDE", W),
        (r"DERIVED\PRIMARY\DIXON\FAT", F),
        (r"DERIVED\PRIMARY\DIXON\OPP_PHASE", OPP),
        (r"DERIVED\PRIMARY\DIXON\IN_PHASE", IN),
        (r"DERIVED\PRIMARY\DIXON\OUT_PHASE", OPP),
        (r"ORIGINAL\PRIMARY\M\ND\DIXON\WATER\DIS2D", W),
        (r"ORIGINAL\PRIMARY\W\W\DERIVED", W),
        (r"ORIGINAL\PRIMARY\F\F\DERIVED", F),
        (r"ORIGINAL\PRIMARY\IP\IP\DERIVED", IN),
        (r"ORIGINAL\PRIMARY\OP\OP\DERIVED", OPP),
        (r"ORIGINAL\PRIMARY\M\ND\NORM", None),
        (r"ORIGINAL\PRIMARY\M_FFE\M\FFE", None),
        (r"ORIGINAL\PRIMARY\DIXON\MIXED", None),
        (r"DERIVED\PRIMARY\DIXON\FAT_FRACTION", None),
        (r"DERIVED\PRIMARY\FF\FF\DERIVED", None),
        (r"WATER\FAT", None),
        ("", None),
    ],
)
def test_the_image_type_names_a_contrast_from_its_third_value_on(
    image_type: str, contrast: Contrast | None
) -> None:
    assert classify({"ImageType": image_type}) is contrast
    assert classify({"ImageType": image_type.split("\\")}) is contrast


def test_the_frame_type_names_the_contrast_of_a_frame() -> None:
    mixed = r"ORIGINAL\PRIMARY\DIXON\MIXED"
    assert classify({"ImageType": mixed, "FrameType": r"ORIGINAL\PRIMARY\DIXON\FAT"}) is F
    assert (
        classify({"ImageType": mixed, "FrameType": r"ORIGINAL\PRIMARY\DIXON\FAT_FRACTION"}) is None
    )


@pytest.mark.parametrize("computed", ["FAT_FRACTION", "T2_STAR", "FF", "MPR", "MIP", "COMPOSED"])
def test_computed_images_have_no_contrast_whatever_their_description(computed: str) -> None:
    tags = {"ImageType": rf"DERIVED\SECONDARY\{computed}\WATER", "SeriesDescription": "Dixon_W"}
    assert classify(tags) is None


@pytest.mark.parametrize("third", ["M", "M_SE", "M_FFE", "P"])
@pytest.mark.parametrize("description", ["t2_haste_tra_p2_mbh_F", "localizer_W", "pd_tse_F_ND"])
def test_a_letter_at_the_end_names_no_contrast_of_an_ordinary_image(
    description: str, third: str
) -> None:
    tags = {"ImageType": rf"ORIGINAL\PRIMARY\{third}\ND", "SeriesDescription": description}
    assert classify(tags) is None


@pytest.mark.parametrize(
    "description",
    [
        "Dixon_BH_17s_W",
        "3D_GRE_TRA_W",
        "t1_vibe_tra_W",
        "mDIXON_W SENSE",
        "wfi_tra_W",
        "W",
        "a_water",
    ],
)
def test_of_scans_that_may_be_dixon_the_letter_counts_whatever_the_image_type(
    description: str,
) -> None:
    tags = {"ImageType": r"ORIGINAL\PRIMARY\M\ND", "SeriesDescription": description}
    assert classify(tags) is W


def test_a_letter_at_the_end_counts_if_the_image_type_says_nothing_against_it() -> None:
    assert classify({"SeriesDescription": "whole_body_F"}) is F
    tags = {"ImageType": r"DERIVED\PRIMARY\DIXON\FAT", "SeriesDescription": "whole_body_F"}
    assert classify(tags) is F


@pytest.mark.parametrize(
    ("value", "contrast"), [("W", W), ("F", F), ("IP", IN), ("OP", OPP), ("M", None)]
)
def test_files_of_a_series_with_all_contrasts_differ_in_their_image_types(
    value: str, contrast: Contrast | None
) -> None:
    tags = {
        "ImageType": rf"DERIVED\PRIMARY\{value}\{value}\DERIVED",
        "SeriesDescription": "mDIXON-All BH",
    }
    assert classify(tags) is contrast


def test_attributes_that_agree_are_accepted() -> None:
    tags = {"ImageType": r"DERIVED\PRIMARY\DIXON\FAT", "SeriesDescription": "Dixon_noBH_F"}
    assert classify(tags) is F


@pytest.mark.parametrize(
    "tags",
    [
        {"ImageType": r"DERIVED\PRIMARY\DIXON\FAT", "SeriesDescription": "Dixon_noBH_W"},
        {"FrameType": r"ORIGINAL\PRIMARY\DIXON\FAT", "ImageType": r"ORIGINAL\PRIMARY\DIXON\WATER"},
        {"ImageType": r"DERIVED\PRIMARY\WATER\FAT"},
        {"SeriesDescription": "WATER: Dixon_F"},
        {"ImageType": r"DERIVED\PRIMARY\DIXON\WATER", "SeriesDescription": "Dixon_in"},
    ],
)
def test_attributes_that_contradict_each_other_are_refused(tags: dict[str, str]) -> None:
    with pytest.raises(MimirError, match="CONTRAST_CONTRADICTION"):
        classify(tags)


def test_other_and_missing_attributes_are_ignored() -> None:
    assert classify({}) is None
    assert classify({"PatientName": "W", "SeriesDescription": None, "ImageType": None}) is None
