"""What figures hold: nothing that was not found, and no room for what is not there."""

from dataclasses import replace

from rarefactor.report._effects import COUPLED, model_effects
from rarefactor.report._forest import compute_scale
from rarefactor.report._patients import choose_distances
from rarefactor.report._profile_plot import join_points
from rarefactor.report._source import read_source
from rarefactor.results import Estimate, Results


def test_a_profile_that_still_rises_at_its_end_has_no_peak_before_it() -> None:
    heights = [height for _, height in join_points([(0.0, 0.05), (1.0, 0.35), (2.0, 0.53)])]
    assert heights == sorted(heights)
    assert max(heights) == 0.53


def test_an_estimate_far_out_lies_on_the_axis_of_a_forest_plot_though_bounds_leave_it() -> None:
    far = Estimate(analysis="multivariable", measure="odds_ratio", estimate=140.0, low=8.0, high=31_634.0)
    scale = compute_scale([far])
    assert scale.high == 200


def test_a_coupled_factor_bears_its_mark_in_figures_as_in_tables(results: Results) -> None:
    source = read_source(results)
    effect = replace(model_effects(source, results.models[0])[0], coupled=True)
    assert effect.signs.endswith(COUPLED)


def test_as_many_distances_are_named_as_there_are_odds_ratios_beside_them() -> None:
    rows = [
        Estimate(analysis="sensitivity", measure="cooks_distance", group=f"S-{n}", estimate=1 / n, n=1)
        for n in range(1, 11)
    ]
    rows.append(replace(rows[-1], group="others", estimate=0.05, n=33))
    shown = choose_distances(rows, 3)
    assert [row.group for row in shown] == ["S-1", "S-2", "S-3", "S-4", "others"]
    assert (shown[-1].estimate, shown[-1].n) == (1 / 5, 39)
