import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig6
from photoz.files import InputError
from photoz.metrics.alpha_scan import alpha_table


def make_members(catalogues=("paus_mock",)):
    """Two networks of every variant; the scatter is least at 0.8."""
    rows = [
        (catalogue, f"{way}_{alpha:g}", k, 0.007 * (1 + (alpha - 0.8) ** 2) / k**0.15, 1e-4)
        for catalogue in catalogues
        for way in ("keep_one", "drop_galaxy")
        for alpha in (0.5, 0.8, 1.0)
        for k in (1, 2)
    ]
    return pd.DataFrame(
        rows, columns=["catalogue", "variant", "networks", "sigma68", "sigma68_error"]
    )


def make_points(catalogues=("paus_mock",)):
    points = [(c, f"keep_one_{a:g}", a, "keep_one") for c in catalogues for a in (0.5, 0.8, 1.0)]
    return points + [
        (c, f"drop_galaxy_{a:g}", a, "drop_galaxy") for c in catalogues for a in (0.5,)
    ]


def test_four_lines_as_in_the_paper():
    (ax,) = fig6.draw(alpha_table(make_points(), make_members())).axes
    lines = {bar.get_label(): bar.lines[0] for bar in ax.containers}
    assert len(lines) == 4
    kept = lines["One network, one exposure kept"]
    assert kept.get_xdata() == pytest.approx([0.5, 0.8, 1.0])
    assert lines["2 networks, galaxy dropped"].get_xdata() == pytest.approx([0.5, 1.0])
    assert kept.get_color() == lines["One network, galaxy dropped"].get_color()
    assert kept.get_color() != lines["2 networks, one exposure kept"].get_color()


def test_a_panel_for_every_catalogue():
    names = ("paus_mock", "no_outliers", "many_outliers")
    figure = fig6.draw(alpha_table(make_points(names), make_members(names)))
    assert [ax.get_title() for ax in figure.axes] == ["PAUS mock", "No outliers", "Many outliers"]


def test_unusable_tables():
    table = alpha_table(make_points(), make_members())
    with pytest.raises(InputError, match="no column 'alpha'"):
        fig6.draw(table.drop(columns="alpha"))
    with pytest.raises(InputError, match="is finite"):
        fig6.draw(table.assign(sigma68=np.nan))
