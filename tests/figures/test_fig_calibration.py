import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photoz.figures import fig_calibration
from photoz.files import InputError

N = 3000


def make_pit(width=1.0):
    """PIT of Gaussian p(z) that are `width` times too wide, whatever the magnitude."""
    error = np.random.default_rng(1).normal(size=N)
    mag = np.random.default_rng(2).uniform(19, 22.5, N)
    return pd.DataFrame({"pit": stats.norm.cdf(error / width), "mag_i": mag})


def make_scores(catalogues=("paus_mock",), variants=("deepz", "knn")):
    rows = [
        (c, v, "mag_i", low, low + 1, "crps", 0.002 * (k + 1) * (b + 1), 1e-4)
        for c in catalogues
        for k, v in enumerate(variants)
        for b, low in enumerate((20.0, 21.0))
    ]
    rows += [(c, v, "all", np.nan, np.nan, "crps", 9.0, 0.1) for c in catalogues for v in variants]
    return pd.DataFrame(rows, columns=list(fig_calibration.METRIC_COLUMNS))


def test_groups_are_thirds_by_magnitude():
    table = make_pit()
    table.loc[:2, "pit"] = np.nan
    groups = fig_calibration.magnitude_groups(table)
    assert [len(pit) for pit in groups.values()] == [999, 999, 999]
    known = table.dropna().sort_values("mag_i")
    assert next(iter(groups.values())) == pytest.approx(known["pit"].to_numpy()[:999])
    first, last = next(iter(groups)), list(groups)[-1]
    assert first.startswith("19.0 - ") and last.endswith(" - 22.5")


@pytest.mark.parametrize(("width", "side"), [(1.5, 1), (0.6, -1)])
def test_coverage_is_above_zero_for_wide_densities_and_below_for_narrow_ones(width, side):
    ax = fig_calibration.draw({"paus_mock": make_pit(width)}, make_scores()).axes[1]
    lines = [line for line in ax.lines if line.get_gid()]
    assert len(lines) == 3
    for line in lines:
        level, excess = line.get_data()
        expected = 2 * stats.norm.cdf(width * stats.norm.ppf(0.5 + level / 2)) - 1 - level
        assert excess == pytest.approx(expected, abs=0.06)
        assert (side * excess[10:40] > 0).all()


def test_panels_show_pit_coverage_and_crps_of_each_catalogue():
    names = ["paus_mock", "cosmos_mock"]
    figure = fig_calibration.draw(dict.fromkeys(names, make_pit()), make_scores(names))
    assert len(figure.axes) == 6
    assert figure.axes[0].get_title(loc="left") == "PAUS mock"
    labels = [ax.get_xlabel() for ax in figure.axes[3:]]
    assert labels[:2] == ["PIT", "Central probability"] and "[mag]" in labels[2]
    bars = {bar.get_label(): bar.lines[0] for bar in figure.axes[2].containers}
    assert bars["k nearest neighbours"].get_ydata() == pytest.approx([0.004, 0.008])
    assert len(figure.legends[0].get_texts()) == 2
    chosen = fig_calibration.draw({"paus_mock": make_pit()}, make_scores(), variants=["knn"])
    assert len(chosen.axes[2].containers) == 1


def test_unusable_input():
    with pytest.raises(InputError, match="no catalogue"):
        fig_calibration.draw({}, make_scores())
    with pytest.raises(InputError, match="no column 'mag_i'"):
        fig_calibration.draw({"a": make_pit().drop(columns="mag_i")}, make_scores(["a"]))
    with pytest.raises(InputError, match="fewer than three"):
        fig_calibration.draw({"a": make_pit().assign(pit=np.nan)}, make_scores(["a"]))
    with pytest.raises(InputError, match="no variant 'x'"):
        fig_calibration.draw({"a": make_pit()}, make_scores(["a"]), variants=["x"])
