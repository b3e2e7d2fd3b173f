from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig3
from photoz.files import InputError

EDGES = [1, 2, 3, 5, 9, 20]


def make_classes(catalogues=("paus_mock",), variants=("deepz", "no_pretraining", "bcnz2")):
    """Networks get worse where there are few galaxies, the template fit does not."""
    rows = []
    for catalogue in catalogues:
        for variant in variants:
            for k, (low, high) in enumerate(pairwise(EDGES)):
                value = 0.004 if variant == "bcnz2" else 0.01 / (1 + k)
                shared = (catalogue, variant, low, high, 10 * (k + 1), 10 * (k + 1))
                rows.append((*shared, "sigma68", value, 0.1 * value))
                rows.append((*shared, "strict_outliers", 0.1, 0.01))
    names = "catalogue variant count_low count_high galaxies n metric value error"
    return pd.DataFrame(rows, columns=names.split())


def lines_of(ax):
    return {bar.get_label(): bar.lines[0] for bar in ax.containers}


def test_lines_hold_the_numbers_inside_their_classes():
    table = make_classes()
    ax = fig3.draw(table).axes[0]
    lines = lines_of(ax)
    assert set(lines) == {"DEEPZ", "No pretraining", "BCNz2"}
    for name, line in (("deepz", lines["DEEPZ"]), ("bcnz2", lines["BCNz2"])):
        rows = table[(table["variant"] == name) & (table["metric"] == "sigma68")]
        assert line.get_ydata() == pytest.approx(rows["value"].to_numpy())
        x = line.get_xdata()
        assert ((x > rows["count_low"] - 0.5) & (x < rows["count_high"] - 0.5)).all()


def test_the_histogram_counts_galaxies_per_number():
    figure = fig3.draw(make_classes())
    (steps,) = [p for ax in figure.axes for p in ax.patches if p.get_gid() == "histogram"]
    data = steps.get_data()
    assert data.values == pytest.approx([10, 20, 15, 10, 50 / 11])
    assert data.edges == pytest.approx(np.array(EDGES) - 0.5)
    # behind the lines
    assert figure.axes[0].get_zorder() > steps.axes.get_zorder()


def test_axes_are_logarithmic_and_named():
    (ax, _) = fig3.draw(make_classes()).axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert "0.001" in ax.get_xlabel() and "sigma" in ax.get_ylabel()


def test_one_panel_per_catalogue_and_chosen_variants_in_order():
    figure = fig3.draw(make_classes(["paus_mock", "zcosmos"]), variants=["bcnz2", "deepz"])
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["PAUS mock", "zCOSMOS"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["BCNz2", "DEEPZ"]


def test_a_catalogue_without_the_chosen_variants_has_no_panel():
    elsewhere = make_classes(("many_outliers",), ("knn",))
    figure = fig3.draw(pd.concat([make_classes(), elsewhere]), variants=["deepz", "bcnz2"])
    assert sum(bool(ax.containers) for ax in figure.axes) == 1


def test_a_class_without_photo_z_leaves_a_gap():
    table = make_classes()
    table.loc[(table["variant"] == "bcnz2") & (table["count_low"] == 2), "value"] = np.nan
    line = lines_of(fig3.draw(table).axes[0])["BCNz2"]
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False, False, False]


def test_unusable_tables():
    table = make_classes()
    with pytest.raises(InputError, match="no column 'count_low'"):
        fig3.draw(table.drop(columns="count_low"))
    with pytest.raises(InputError, match="no finite value of metric 'nmad'"):
        fig3.draw(table, metric="nmad")
    with pytest.raises(InputError, match="no variant 'deep'"):
        fig3.draw(table, variants=["deep"])
