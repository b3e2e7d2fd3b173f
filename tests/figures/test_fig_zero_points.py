from pathlib import Path

import numpy as np
import pytest

from photoz.figures import fig_zero_points
from photoz.files import InputError
from photoz.survey.survey import load_survey
from photoz.templates.zeropoints import ZeroPoints

SURVEYS = Path(__file__).parents[2] / "config" / "surveys"
PAUS = load_survey(SURVEYS / "paus.yaml").bands
BROAD = load_survey(SURVEYS / "cosmos_broadband.yaml").bands


def make_zero_points(names, fold=0, rounds=3):
    """Zero-points that move by a step of their own in each round."""
    step = 0.01 * np.linspace(-1, 1, len(names)) * (1 + fold)
    history = 1 + np.arange(rounds + 1)[:, None] * step
    return ZeroPoints(tuple(names), history[-1], history, 100)


def lines_of(ax):
    return {line.get_gid(): line for line in ax.get_lines() if line.get_gid() in PAUS.names}


def test_lines_are_the_mean_of_the_folds_and_a_finished_fold_keeps_its_values():
    folds = [make_zero_points(PAUS.names, 0, rounds=3), make_zero_points(PAUS.names, 1, rounds=1)]
    upper = fig_zero_points.draw({"paus_mock": folds}, PAUS).axes[0]
    lines = lines_of(upper)
    assert len(lines) == 46
    first, second = folds[0].history[:, 7], folds[1].history[[0, 1, 1, 1], 7]
    line = lines[PAUS.names[7]]
    assert line.get_ydata() == pytest.approx(0.5 * (first + second))
    assert line.get_xdata().tolist() == [0, 1, 2, 3]


def test_narrow_and_broad_bands_differ_in_line_and_marker():
    figure = fig_zero_points.draw({"m": [make_zero_points(PAUS.names)]}, PAUS)
    lines = lines_of(figure.axes[0])
    assert lines["NB455"].get_linestyle() == "-" and lines["u"].get_linestyle() == "--"
    markers = [bar.lines[0].get_marker() for bar in figure.axes[1].containers]
    assert markers == ["o"] * 40 + ["s"] * 6
    assert any("wavelength" in ax.get_ylabel() for ax in figure.axes), "a colour bar"


def test_the_last_zero_points_with_their_range_are_by_wavelength():
    folds = [make_zero_points(PAUS.names, fold) for fold in range(3)]
    lower = fig_zero_points.draw({"m": folds}, PAUS).axes[1]
    bar = lower.containers[3]
    last = np.array([fold.factor[3] for fold in folds])
    assert bar.lines[0].get_xdata()[0] == pytest.approx(PAUS.mean_wavelengths[3])
    assert bar.lines[0].get_ydata()[0] == pytest.approx(last.mean())
    (segment,) = bar.lines[2][0].get_segments()
    assert segment[:, 1] == pytest.approx([last.min(), last.max()])


def test_few_bands_have_names_and_colours():
    figure = fig_zero_points.draw({"zcosmos": [make_zero_points(BROAD.names)]}, BROAD)
    assert len(figure.axes) == 2, "no colour bar"
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == list(BROAD.names)
    assert len({line.get_color() for line in figure.axes[0].get_lines()[:6]}) == 6


def test_one_column_per_catalogue():
    folds = [make_zero_points(PAUS.names)]
    figure = fig_zero_points.draw({"paus_mock": folds, "cosmos_mock": folds}, PAUS)
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["PAUS mock", "COSMOS mock"]


def test_unusable_input():
    with pytest.raises(InputError, match="nothing to draw"):
        fig_zero_points.draw({}, PAUS)
    with pytest.raises(InputError, match="band NB455 is not in the survey"):
        fig_zero_points.draw({"m": [make_zero_points(PAUS.names)]}, BROAD)
    other = [make_zero_points(PAUS.names), make_zero_points(PAUS.names[::-1])]
    with pytest.raises(InputError, match="other bands"):
        fig_zero_points.draw({"m": other}, PAUS)
