import numpy as np
import pytest

from photoz.figures import fig9, style
from photoz.files import InputError

from .conftest import make_curves


def lines_of(ax):
    return {line.get_gid(): line for line in ax.lines if line.get_gid()}


def test_curves_hold_the_tables_numbers(curves):
    top, bottom = fig9.draw(curves).axes
    row = curves[(curves.variant == "knn") & (curves.sort_by == "optimal")]
    for ax, value in ((top, row.sigma68), (bottom, 100 * row.strict_outliers)):
        line = lines_of(ax)["knn/optimal"]
        assert line.get_xdata() == pytest.approx(100 * row.completeness)
        assert line.get_ydata() == pytest.approx(value)


def test_odds_is_solid_and_optimal_dashed_and_width_only_on_request(curves):
    lines = lines_of(fig9.draw(curves).axes[0])
    assert set(lines) == {"deepz/odds", "deepz/optimal", "knn/odds", "knn/optimal"}
    assert lines["deepz/odds"].get_linestyle() == "-"
    assert lines["deepz/optimal"].get_linestyle() == "--"
    assert "deepz/width" in lines_of(fig9.draw(curves, cuts=["odds", "width"]).axes[0])


def test_the_target_is_a_horizontal_line_of_the_upper_panel(curves):
    def levels(ax):
        return [line.get_ydata()[0] for line in ax.lines if len(set(line.get_ydata())) == 1]

    top, bottom = fig9.draw(curves, target=0.0042).axes
    assert levels(top) == [0.0042] and levels(bottom) == []
    assert levels(fig9.draw(curves, target=np.nan).axes[0]) == []


def test_the_target_is_drawn_for_the_survey_that_it_is_meant_for_only():
    curves = make_curves(["paus_mock", "zcosmos"])

    def has_target(**choice):
        figure = fig9.draw(curves, **choice)
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        lines = [any(set(x.get_ydata()) == {0.0035} for x in ax.lines) for ax in figure.axes[:2]]
        return [*lines, "Target 0.0035" in labels]

    assert has_target() == [True, True, True]
    assert has_target(target_on=["paus_mock"]) == [True, False, True]
    assert has_target(target_on=[]) == [False, False, False]


def test_labels_units_and_legend(curves):
    figure = fig9.draw(curves)
    top, bottom = figure.axes
    assert bottom.get_xlabel() == "Completeness [%]" and "[%]" in bottom.get_ylabel()
    assert r"\sigma_{68}" in top.get_ylabel()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    expected = ["DEEPZ", "k nearest neighbours", "ODDS cut", "Optimal cut", "Target 0.0035"]
    assert labels == expected


def test_two_panels_per_catalogue():
    figure = fig9.draw(make_curves(["paus_mock", "zcosmos"]))
    assert len(figure.axes) == 4
    assert figure.get_figwidth() == style.PAGE_WIDTH
    assert len(fig9.draw(make_curves(["a", "b"]), catalogues=["b"]).axes) == 2


def test_unusable_tables(curves):
    with pytest.raises(InputError, match="no column 'completeness'"):
        fig9.draw(curves.drop(columns="completeness"))
    with pytest.raises(InputError, match="column 'strict_outliers' has no finite value"):
        fig9.draw(curves.assign(strict_outliers=np.nan))
    with pytest.raises(InputError, match="no quality cut 'optimal'"):
        fig9.draw(curves[curves.sort_by == "odds"])
    with pytest.raises(InputError, match="no rows"):
        fig9.draw(curves.iloc[:0])
