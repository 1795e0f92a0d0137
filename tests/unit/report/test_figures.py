"""What figures hold: nothing that was not found, and no room for what is not there."""

from rarefactor.report._profile_plot import join_points


def test_a_profile_that_still_rises_at_its_end_has_no_peak_before_it() -> None:
    heights = [height for _, height in join_points([(0.0, 0.05), (1.0, 0.35), (2.0, 0.53)])]
    assert heights == sorted(heights)
    assert max(heights) == 0.53
