"""Every flag that a measurement may carry: how much it matters, what it means, what to do about it.

Convention: severities as in :class:`~rarefactor.imaging._scan.Severity`; where a flag may have two, the graver stands
here. The documentation's table is made of this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rarefactor.results import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagWords:
    """A flag in words for those who find it in a table."""

    severity: Severity
    meaning: str
    next_step: str


def _note(meaning: str, next_step: str) -> FlagWords:
    return FlagWords(severity=Severity.NOTE, meaning=meaning, next_step=next_step)


def _warning(meaning: str, next_step: str) -> FlagWords:
    return FlagWords(severity=Severity.WARNING, meaning=meaning, next_step=next_step)


def _refused(meaning: str, next_step: str) -> FlagWords:
    return FlagWords(severity=Severity.REFUSED, meaning=meaning, next_step=next_step)


_READING = {
    "copied_files": _note("The same image lies in the folder twice; one was taken.", "Nothing."),
    "several_examinations": _warning("The folder holds several examinations.", "Keep one visit in one folder."),
    "lossy_compression": _warning("The images were compressed with loss.", "Export them without loss."),
    "unreadable_series": _warning("A series that was not needed cannot be read.", "Export it again if it is needed."),
    "duplicate_series": _warning("Two series show the same; one was taken.", "Name the right one with `series`."),
    "empty_copy": _note("A nearly empty copy (phase images) was passed over.", "Nothing."),
    "unused_series": _note("Series that are not measured, or not recognised.", "Name them with `series` if needed."),
    "incomplete_dixon": _warning("Fat without water, or water without fat.", "Export what is missing."),
    "one_slice": _warning("One slice: a shift along the leg cannot be seen.", "Do not trust its rate."),
    "in_phase_differs": _warning("The in-phase image is not fat + water.", "Look for a swap, or another scan's image."),
    "opposed_phase_differs": _warning(
        "The opposed-phase image is not |water − fat|.", "Look for a swap, or another scan's image."
    ),
    "echoes_exchanged": _warning("In-phase and opposed-phase images have each other's names.", "Correct the names."),
}
_MEASURING = {
    "swapped": _refused(
        "Fat and water are swapped in slices of a leg; these are left out.",
        "Reconstruct the scan again, or exchange the images there.",
    ),
    "folded_above_half": _warning(
        "Only in-phase and opposed-phase magnitudes: fat above one half reads as below.",
        "Export fat and water.",
    ),
    "noise_from_body": _note("The air was set to zero; noise was estimated in the body.", "Nothing."),
    "t1_corrected": _note("The fat fraction was corrected for T1.", "Say so; the sentence says by how much."),
    "t1_bias_unknown": _warning(
        "TR, flip angle or field strength are unknown: fat may read too high.", "Add a sidecar, or use the DICOM files."
    ),
    "t1_estimate": _warning(
        "Estimated from T1-weighted images, not measured.", "Do not mix with Dixon; see Limits below."
    ),
    "one_leg": _warning("Only one leg is shown.", "Check the field of view."),
    "cut_field_of_view": _warning("The edge of the image cuts a leg.", "Check which muscles are cut."),
    "oedema_semi_quantitative": _note("Signal relative to the least affected muscle.", "Compare within a patient."),
    "oedema_fat_unknown": _warning("Fat in the muscle was not accounted for.", "Read oedema beside the fat fraction."),
    "oedema_not_measured": _note("There is a fat-suppressed image, but it could not be used.", "Read the sentence."),
    "ordinal_grades": _warning("Grades are ranks: their differences are not distances.", "Prefer the fat fraction."),
}
_REGIONS = {
    "empty_mask": _refused("A region has no voxel that can be measured.", "Look at the mask."),
    "incomplete": _warning("Some masks of a compartment are empty.", "Compare its fat fraction with care."),
    "few_voxels": _warning("A region of very few voxels.", "Do not use it alone."),
    "many_left_out": _warning("Many voxels of a region lie below the noise.", "Look at the picture."),
    "one_sided_labels": _warning("A muscle is drawn in one leg only.", "Draw it in both, or use one side."),
    "unequal_legs": _warning("Far more muscle is drawn in one leg.", "Look at the mask."),
    "mask_outside": _warning("Part of the mask lies where there is no signal.", "Is the mask of this visit?"),
    "muscles_exchanged": _warning("Medial muscles lie outside of lateral ones.", "Check the table of names."),
    "fascia_unseen": _warning("The fascia is hardly seen in some slices.", "Look at the outlines, or draw a mask."),
    "no_compartment": _refused("No slice with a muscle compartment was found.", "Draw a mask."),
}
_COMPARING = {
    "poor_registration": _warning("The visits do not fit onto each other well.", "Look at the carried outlines."),
    "small_common_view": _warning("The visits show little of the thigh in common.", "Read the rate with care."),
    "protocol_unknown": _note("The files do not say how the visits were scanned.", "Check the protocol."),
    "drift_sequence": _refused("Another sequence at the second visit.", "No rate, unless `allow` with a reason."),
    "drift_repetition_ms": _refused("Another repetition time.", "No rate, unless `allow` with a reason."),
    "drift_flip_degrees": _refused("Another flip angle.", "No rate, unless `allow` with a reason."),
    "drift_shift": _refused(
        "Slices lie elsewhere along the leg: warned above half a slice, refused above one.",
        "No rate above one slice, unless `allow` with a reason.",
    ),
    "drift_echo_ms": _warning("Another echo time.", "Check the protocol."),
    "drift_inversion_ms": _warning("Another inversion time.", "Check the protocol."),
    "drift_field_tesla": _warning("Another field strength.", "Check the protocol."),
    "drift_coil": _warning("Another coil.", "Check the protocol."),
    "drift_scanner": _warning("Another scanner.", "Check the protocol."),
    "drift_software": _note("Other software of the scanner.", "Nothing, usually."),
    "drift_spacing_mm": _warning("Another distance of slices.", "Check the protocol."),
    "mixed_sequence": _refused("Dixon at one visit, an estimate from T1 at the other.", "Measure both alike."),
    "mixed_estimator": _refused("Two estimators.", "Measure both alike."),
    "mixed_masks": _warning("Regions drawn in different ways at the visits.", "Use masks of one kind."),
    "faster_than_published": _note("Faster than has been published.", "Look at the pictures of the change."),
}
FLAGS: Mapping[str, FlagWords] = {**_READING, **_MEASURING, **_REGIONS, **_COMPARING}


def write_flag_table() -> str:
    """Return all flags as a table in Markdown.

    Examples
    --------
    >>> write_flag_table().splitlines()[2]
    '| `copied_files` | note | The same image lies in the folder twice; one was taken. | Nothing. |'
    """
    rows = (
        f"| `{name}` | {each.severity} | {_cell(each.meaning)} | {each.next_step} |" for name, each in FLAGS.items()
    )
    return "".join(f"{row}\n" for row in ("| flag | severity | meaning | what to do |", "|---|---|---|---|", *rows))


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
