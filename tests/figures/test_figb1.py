import pandas as pd
import pytest

from photoz.figures import figb1
from photoz.files import InputError
from photoz.metrics.outlier_test import METHODS


def make_outliers(methods=METHODS):
    rows = [
        (method, "u", added, 2000, (3 - k) * added, 0.01, 0.005, 0.001)
        for k, method in enumerate(methods)
        for added in (0.0, 0.1, 0.2)
    ]
    names = "method band added n strict_outliers strict_outliers_error sigma68 sigma68_error"
    return pd.DataFrame(rows, columns=names.split())


def test_lines_are_percentages():
    table = make_outliers()
    (ax,) = figb1.draw(table).axes
    lines = {bar.get_label(): bar.lines[0] for bar in ax.containers}
    assert tuple(lines) == METHODS
    assert lines["Template fit"].get_xdata() == pytest.approx([0, 10, 20])
    assert lines["Template fit"].get_ydata() == pytest.approx([0, 30, 60])
    assert "u [%]" in ax.get_xlabel() and "0.02" in ax.get_ylabel()


def test_every_method_of_the_test_has_a_look_of_its_own():
    assert set(METHODS) == set(figb1.LOOKS)
    looks = list(figb1.LOOKS.values())
    assert len({color for color, _, _ in looks}) == len(looks)
    assert len({marker for _, _, marker in looks}) == len(looks)


def test_another_method_is_drawn_too():
    assert len(figb1.draw(make_outliers(["Neighbours"])).axes[0].containers) == 1


def test_unusable_tables():
    table = make_outliers()
    with pytest.raises(InputError, match="no column 'added'"):
        figb1.draw(table.drop(columns="added"))
    with pytest.raises(InputError, match="is finite"):
        figb1.draw(table.assign(strict_outliers=float("nan")))
