import numpy as np
import pytest

from photoz.figures import fig_spectra
from photoz.files import InputError

WAVE = np.linspace(3000, 11000, 200)
NARROW = ((np.array([6000.0, 6050, 6100]), np.array([0.0, 0.5, 0.0])), True)
BROAD = ((np.array([4000.0, 5000, 9000]), np.array([0.0, 0.8, 0.0])), False)


def test_one_panel_per_spectrum_within_the_filters():
    figure = fig_spectra.draw({"a": (WAVE, WAVE), "b": (WAVE, 2 * WAVE)}, [NARROW, BROAD])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["a", "b"]
    spectrum = figure.axes[1].lines[-1]
    assert spectrum.get_ydata() == pytest.approx(2 * spectrum.get_xdata())
    assert spectrum.get_xdata().max() <= 9000
    assert r"\AA" in figure.axes[1].get_xlabel()


def test_band_fluxes_are_drawn_with_errors():
    fluxes = {"a": ([6050.0], [3.0], [0.4])}
    ax = fig_spectra.draw({"a": (WAVE, np.full(200, 3.0))}, [NARROW, BROAD], fluxes).axes[0]
    (container,) = ax.containers
    assert container.lines[0].get_ydata().tolist() == [3.0]
    (segment,) = container.lines[2][0].get_segments()
    assert segment[:, 1] == pytest.approx([2.6, 3.4])


def test_unusable_input():
    with pytest.raises(InputError, match="0 spectra"):
        fig_spectra.draw({}, [NARROW])
    with pytest.raises(InputError, match="'a': no finite flux"):
        fig_spectra.draw({"a": (WAVE, np.full(200, np.nan))}, [NARROW])
