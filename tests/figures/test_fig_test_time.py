import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig_test_time
from photoz.files import InputError
from photoz.metrics.random_coadds import CUTS


def make_cuts(catalogues=("paus_mock",)):
    kept = np.round(np.arange(0.05, 1.001, 0.05), 2)
    parts = [
        pd.DataFrame(
            {
                "catalogue": catalogue,
                "sort_by": cut,
                "completeness": kept,
                "sigma68": 0.007 * kept ** (0.2 * k),
                "sigma68_error": 2e-4,
            }
        )
        for catalogue in catalogues
        for k, cut in enumerate(CUTS)
    ]
    return pd.concat(parts, ignore_index=True)


def test_every_cut_has_a_line_of_its_own():
    (ax,) = fig_test_time.draw(make_cuts()).axes
    lines = {line.get_gid(): line for line in ax.get_lines()}
    assert set(lines) == set(CUTS) == set(fig_test_time.LOOKS)
    assert len({line.get_color() for line in lines.values()}) == 4
    assert lines["low_variation"].get_ydata()[-1] == pytest.approx(0.007)
    assert lines["odds"].get_xdata()[0] == pytest.approx(5)


def test_a_panel_for_every_catalogue():
    figure = fig_test_time.draw(make_cuts(("paus_mock", "no_outliers")))
    assert [ax.get_title() for ax in figure.axes] == ["PAUS mock", "No outliers"]


def test_unusable_tables():
    with pytest.raises(InputError, match="no column 'completeness'"):
        fig_test_time.draw(make_cuts().drop(columns="completeness"))
    with pytest.raises(InputError, match="is finite"):
        fig_test_time.draw(make_cuts().assign(sigma68=np.nan))
