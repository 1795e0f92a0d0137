"""What an image shows is read from its header as scanners write it; a reason in words goes with it."""

import pytest

from rarefactor.imaging._recognise import Clues, derive_kind, is_mask
from rarefactor.imaging._scan import Acquisition, Kind


def kind_of(*image_type: str, description: str = "", **other: object) -> Kind:
    return derive_kind(Clues(image_type=image_type, description=description, **other)).kind


@pytest.mark.parametrize(
    ("image_type", "kind"),
    [
        (("DERIVED", "PRIMARY", "M", "DIXON", "WATER"), Kind.WATER),
        (("DERIVED", "PRIMARY", "DIXON", "FAT"), Kind.FAT),
        (("ORIGINAL", "PRIMARY", "M", "IN_PHASE"), Kind.IN_PHASE),
        (("ORIGINAL", "PRIMARY", "M", "DIXON", "IN", "PHASE"), Kind.IN_PHASE),
        (("ORIGINAL", "PRIMARY", "IN", "PHASE"), Kind.IN_PHASE),
        (("ORIGINAL", "PRIMARY", "M", "OPP_PHASE"), Kind.OPPOSED_PHASE),
        (("DERIVED", "PRIMARY", "OUT_OF_PHASE", "NONE"), Kind.OPPOSED_PHASE),
        (("DERIVED", "PRIMARY", "W", "W", "DERIVED"), Kind.WATER),
        (("DERIVED", "PRIMARY", "F", "F", "DERIVED"), Kind.FAT),
        (("DERIVED", "PRIMARY", "FF", "FF", "DERIVED"), Kind.FAT_FRACTION),
        (("ORIGINAL", "PRIMARY", "P", "FAT"), Kind.PHASE),
        (("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"), Kind.PHASE),
        (("ORIGINAL", "PRIMARY", "PHASE"), Kind.PHASE),
        (("ORIGINAL", "PRIMARY", "R_FFE", "R", "FFE"), Kind.UNKNOWN),
        (("DERIVED", "PRIMARY", "T2_STAR", "NONE"), Kind.UNKNOWN),
        (("DERIVED", "SECONDARY", "MPR", "WATER"), Kind.UNKNOWN),
        (("DERIVED", "PRIMARY", "WATER_FRACTION"), Kind.UNKNOWN),
    ],
)
def test_image_type_as_scanners_write_it(image_type: tuple[str, ...], kind: Kind) -> None:
    assert kind_of(*image_type) is kind


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("t1_vibe_dixon_tra_F", Kind.FAT),
        ("T1 W DIXON FAT", Kind.FAT),
        ("Fat-Water Dixon_W", Kind.WATER),
        ("t1_vibe_dixon_tra_opp", Kind.OPPOSED_PHASE),
        ("WATER: Ax LAVA-Flex", Kind.WATER),
        ("InPhase: Ax IDEAL", Kind.IN_PHASE),
        ("FatFrac: IDEAL IQ", Kind.FAT_FRACTION),
        ("Ax T1 TSE thigh", Kind.T1),
        ("sub-01_ses-2_T1w", Kind.T1),
        ("subject_f_t1_tse", Kind.T1),
        ("T1 pre contrast", Kind.T1),
        ("T1 TSE fat sat", Kind.UNKNOWN),
        ("t1_tse_tra_fs", Kind.UNKNOWN),
        ("T1 post Gd", Kind.UNKNOWN),
        ("t2_tse_fs_tra", Kind.T2),
        ("T2* map", Kind.UNKNOWN),
        ("cor STIR both thighs", Kind.STIR),
        ("tirm_tra", Kind.STIR),
        ("AAHScout", Kind.UNKNOWN),
        ("thigh_phase", Kind.PHASE),
        ("", Kind.UNKNOWN),
    ],
)
def test_words_of_a_description(description: str, kind: Kind) -> None:
    assert kind_of(description=description) is kind


def test_the_component_decides_over_every_word() -> None:
    assert kind_of("DERIVED", "PRIMARY", "M", "FAT", component="PHASE") is Kind.PHASE
    assert kind_of("ORIGINAL", "PRIMARY", "IN", "PHASE", description="phase", component="MAGNITUDE") is Kind.IN_PHASE


def test_a_letter_counts_where_a_dixon_sequence_is_named_or_at_the_end() -> None:
    assert kind_of(description="W thigh", context="mDIXON-Quant") is Kind.WATER
    assert kind_of(description="W thigh") is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("technique", "acquisition", "kind"),
    [
        (("SE",), Acquisition(repetition_ms=600, echo_ms=12), Kind.T1),
        (("SE",), Acquisition(repetition_ms=4000, echo_ms=80), Kind.T2),
        (("SE", "IR"), Acquisition(repetition_ms=4000, echo_ms=30, inversion_ms=160), Kind.STIR),
        (("GR",), Acquisition(repetition_ms=5, echo_ms=2), Kind.UNKNOWN),
    ],
)
def test_times_decide_where_no_word_does(technique: tuple[str, ...], acquisition: Acquisition, kind: Kind) -> None:
    found = derive_kind(Clues(technique=technique, acquisition=acquisition))
    assert found.kind is kind
    assert found.reason


@pytest.mark.parametrize(
    ("echo", "tesla", "kind"),
    [
        (2.30, 3.0, Kind.IN_PHASE),
        (1.15, 3.0, Kind.OPPOSED_PHASE),
        (2.30, 1.5, Kind.OPPOSED_PHASE),
        (4.60, 1.5, Kind.IN_PHASE),
        (1.70, 3.0, Kind.UNKNOWN),
    ],
)
def test_echoes_of_a_dixon_sequence_without_labels(echo: float, tesla: float, kind: Kind) -> None:
    acquisition = Acquisition(echo_ms=echo, field_tesla=tesla)
    assert derive_kind(Clues(description="t1_vibe_dixon_tra", acquisition=acquisition)).kind is kind


def test_a_mask_is_known_by_its_name() -> None:
    assert is_mask(Clues(description="Thigh_001_seg"))
    assert not is_mask(Clues(description="segmented_echo_fat"))


def test_a_reason_quotes_none_but_our_own_words() -> None:
    found = derive_kind(Clues(description="Doe^Jane fat dixon"))
    assert found.reason == "the description says “fat”"
