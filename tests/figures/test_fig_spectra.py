from pathlib import Path

import numpy as np
import pytest

from photoz.figures import fig_spectra
from photoz.files import InputError
from photoz.sps.examples import example_spectra
from photoz.sps.grid import load_grid
from photoz.survey.bands import BandSet
from photoz.survey.survey import load_survey

SURVEY = load_survey(Path(__file__).parents[2] / "config" / "surveys" / "paus.yaml")


@pytest.fixture(scope="module")
def examples():
    return example_spectra(load_grid(), SURVEY.bands, 0.25)


def test_points_are_what_the_network_sees(examples):
    figure = fig_spectra.draw(examples, SURVEY.bands, 0.25, "i")
    ax = figure.axes[1]
    young = examples[0]
    ratios = young.flux / young.flux[SURVEY.reference_index]
    squares = [line for line in ax.get_lines() if line.get_marker() == "s"]
    broad = ~SURVEY.bands.is_narrow
    np.testing.assert_allclose(squares[0].get_ydata(), ratios[broad])
    assert squares[0].get_ydata()[4] == 1
    low, high = ax.get_ylim()
    assert low < ratios.min() and high > ratios.max()


def test_one_panel_per_history_under_the_bands(examples):
    figure = fig_spectra.draw(examples, SURVEY.bands, 0.25, "i")
    assert len(figure.axes) == 4
    assert {"u", "B", "z"} <= {text.get_text() for text in figure.axes[0].texts}
    for ax, name in zip(figure.axes[1:], ("Young", "Intermediate", "Old"), strict=True):
        assert any(text.get_text().startswith(name) for text in ax.texts)
    assert "z = 0.25" in figure.axes[-1].get_xlabel()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["No dust", "dust2 = 0.6", "Narrow bands", "Broad bands"]


def test_a_survey_of_broad_bands_has_no_narrow_ones_in_the_legend(examples):
    bands = BandSet(tuple(band for band in SURVEY.bands if band.kind == "broad"))
    figure = fig_spectra.draw(example_spectra(load_grid(), bands, 0.1), bands, 0.1, "i")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["No dust", "dust2 = 0.6", "Broad bands"]


def test_nothing_to_draw():
    with pytest.raises(InputError, match="no example"):
        fig_spectra.draw([], SURVEY.bands, 0.25, "i")
