import numpy as np
import pytest

from photoz.figures import fig_mock, style
from photoz.files import InputError
from photoz.simulations.realism import compare_with_real
from photoz.simulations.sky import load_reference
from photoz.survey.catalogue import Catalogue

BANDS = ("u", "B", "V", "r", "i", "z")


def make_catalogue(n=2000, bands=BANDS):
    """Galaxies with one relation of colour and redshift."""
    rng = np.random.default_rng(3)
    redshift = rng.uniform(0.05, 1.0, n)
    mag_i = rng.uniform(19.0, 22.4, n)
    slope = np.linspace(1, 0, len(bands)) - (1 / 5 if len(bands) == 6 else 0)
    magnitude = mag_i[:, None] + slope * (0.5 + redshift[:, None])
    flux = 10 ** (-0.4 * (magnitude - 26))
    return Catalogue(
        id=np.arange(n),
        redshift=redshift,
        mag_i=mag_i,
        flux=flux.astype(np.float32),
        error=(0.02 * flux).astype(np.float32),
        bands=tuple(bands),
        survey="toy",
        zero_point=26.0,
        reference_band="i",
    )


@pytest.fixture(scope="module")
def comparison():
    return compare_with_real(make_catalogue())


def lines_of(ax):
    return {line.get_gid(): line for line in ax.lines if line.get_gid()}


def test_panels_and_their_units(comparison):
    figure = fig_mock.draw({"paus_mock": comparison})
    assert len(figure.axes) == 3 + 2 * 5
    n_of_z, magnitude, scatter = figure.axes[:3]
    assert n_of_z.get_xlabel() == "Redshift" and n_of_z.get_ylabel() == "Density"
    assert "[mag]" in magnitude.get_xlabel() and "[1/mag]" in magnitude.get_ylabel()
    assert r"\sigma_{68}" in scatter.get_ylabel()
    assert "[mag]" in figure.axes[3].get_ylabel()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["Real (zCOSMOS), median", "PAUS mock", "16-84 %"]


def test_median_colours_are_those_of_the_mock(comparison):
    figure = fig_mock.draw({"paus_mock": comparison})
    catalogue = make_catalogue()
    inside = (catalogue.redshift >= 0.4) & (catalogue.redshift < 0.6)
    colour = -2.5 * np.log10(catalogue.flux[inside, 0] / catalogue.flux[inside, 1])
    x, y = lines_of(figure.axes[3])["paus_mock"].get_data()
    assert x[2] == pytest.approx(0.5) and y[2] == pytest.approx(np.median(colour), abs=2e-3)


def test_histograms_have_unit_area(comparison):
    for ax in fig_mock.draw({"paus_mock": comparison}).axes[:2]:
        for patch in ax.patches:
            values, edges, _ = patch.get_data()
            assert np.sum(values * np.diff(edges)) == pytest.approx(1)


def test_neighbour_scatter_is_drawn_beside_the_real_one(comparison):
    edges = load_reference()["neighbour_scatter"]["magnitude_edges"]
    values = np.linspace(0.01, 0.02, len(edges) - 1)
    ax = fig_mock.draw({"a": comparison}, {"a": (edges, values)}).axes[2]
    lines = lines_of(ax)
    assert lines["a"].get_ydata() == pytest.approx(values)
    real = load_reference()["neighbour_scatter"]["sigma68"]
    assert lines["real"].get_ydata() == pytest.approx(real)
    # The open first bin ends at 20 and is drawn half a magnitude wide.
    assert lines["a"].get_xdata()[:2] == pytest.approx([19.75, 20.25])


def test_measured_scatter_of_noiseless_colours_is_small():
    edges, scatter = fig_mock.measure_scatter(make_catalogue())
    assert len(scatter) == len(edges) - 1
    assert np.nanmax(scatter) < 0.01


def test_two_mocks_have_two_colours(comparison):
    figure = fig_mock.draw({"a": comparison, "b": comparison})
    lines = lines_of(figure.axes[3])
    assert lines["a"].get_color() != lines["b"].get_color()
    assert figure.get_figwidth() == style.PAGE_WIDTH


def test_unusable_input(comparison):
    with pytest.raises(InputError, match="no mock"):
        fig_mock.draw({})
    with pytest.raises(InputError, match="'a' has no 'redshift_mock'"):
        fig_mock.draw({"a": {k: v for k, v in comparison.items() if k != "redshift_mock"}})
    empty = {**comparison, "redshift_mock": np.zeros_like(comparison["redshift_mock"])}
    with pytest.raises(InputError, match="'a' has no galaxy in the redshift range"):
        fig_mock.draw({"a": empty})
    with pytest.raises(InputError, match="has no u"):
        fig_mock.measure_scatter(make_catalogue(bands=BANDS[1:]))
