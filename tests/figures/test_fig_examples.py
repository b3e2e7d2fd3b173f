from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from photoz.figures import fig_examples
from photoz.files import InputError
from photoz.pdf import GridPDF, MixturePDF
from photoz.survey.catalogue import Catalogue
from photoz.survey.survey import load_survey

BANDS = load_survey(Path(__file__).parents[2] / "config" / "surveys" / "paus.yaml").bands
N = 21


def make_catalogue():
    rng = np.random.default_rng(0)
    flux = rng.uniform(1, 2, (N, len(BANDS))).astype(np.float32)
    flux[3, 5] = np.nan
    return Catalogue(
        id=np.arange(N),
        redshift=np.linspace(0.2, 0.8, N),
        mag_i=np.linspace(19, 22, N),
        flux=flux,
        error=(0.1 * flux).astype(np.float32),
        bands=BANDS.names,
        survey="paus",
        zero_point=26.0,
        reference_band="i",
    )


def make_pdf(catalogue, width=0.01):
    return MixturePDF(np.ones((N, 1)), catalogue.redshift[:, None] + 0.02, np.full((N, 1), width))


def test_examples_are_chosen_by_the_order_of_odds_alone():
    odds = np.array([0.3, 0.9, np.nan, 0.1, 0.5, 0.7])
    assert fig_examples.choose(odds, (0, 0.5, 1)).tolist() == [3, 4, 1]
    again = fig_examples.choose(np.random.default_rng(1).permutation(1000), (0.95, 0.05))
    values = np.random.default_rng(1).permutation(1000)[again]
    assert values == pytest.approx([949, 50], abs=1)
    with pytest.raises(InputError, match="none of 2 values is finite"):
        fig_examples.choose([np.nan, np.nan], (0.5,))


def test_an_example_has_its_fluxes_in_units_of_the_reference_band_and_its_density():
    catalogue = make_catalogue()
    odds = np.arange(N)[::-1] / N
    (one,) = fig_examples.examples(catalogue, make_pdf(catalogue), odds, [1.0])
    reference = BANDS.index("i")
    assert one.flux[reference] == pytest.approx(1)
    assert one.flux == pytest.approx(catalogue.flux[0] / catalogue.flux[0, reference])
    assert one.error / one.flux == pytest.approx(0.1, rel=1e-5)
    assert (one.z_spec, one.magnitude) == (0.2, 19.0)
    assert one.z_phot == pytest.approx(0.22, abs=1e-4) and one.odds == odds[0]
    assert one.density == pytest.approx(stats.norm.pdf(one.grid, 0.22, 0.01), rel=1e-3, abs=1e-6)
    assert one.grid[0] < one.z_spec and one.grid[-1] > 0.22 + 0.03


def test_each_galaxy_is_a_row_with_lines_at_its_redshift():
    catalogue = make_catalogue()
    grid = np.linspace(0, 1, 501)
    density = stats.norm.pdf(grid, catalogue.redshift[:, None], 0.02)
    chosen = fig_examples.examples(catalogue, GridPDF(grid, density), np.arange(N), [0.9, 0.15])
    figure = fig_examples.draw(chosen, BANDS)
    assert len(figure.axes) == 4
    left, right = figure.axes[2:]
    z = catalogue.redshift[3]
    marked = {line.get_xdata()[0] for line in left.lines if len(line.get_xdata()) == 2}
    assert 3728 * (1 + z) in marked
    points = sum(len(bar.lines[0].get_xdata()) for bar in left.containers)
    assert points == len(BANDS) - 1  # one band was not observed
    assert z in [line.get_xdata()[0] for line in right.lines]
    assert "ODDS" in left.get_title(loc="left") and left.get_xlabel() == "Wavelength [Å]"


def test_a_galaxy_without_density_or_redshift_is_drawn_with_what_there_is():
    catalogue = make_catalogue()
    catalogue.redshift[0] = np.nan
    (one,) = fig_examples.examples(catalogue, make_pdf(make_catalogue()), np.arange(N), [0.0])
    assert np.isnan(one.z_spec) and np.isfinite(one.density).all()
    assert len(fig_examples.draw([one], BANDS).axes) == 2


def test_unusable_input():
    catalogue = make_catalogue()
    with pytest.raises(InputError, match="20 densities for 21 galaxies"):
        fig_examples.examples(catalogue, make_pdf(catalogue).take(slice(20)), np.arange(N), [0.5])
    with pytest.raises(InputError, match="no galaxy given"):
        fig_examples.draw([], BANDS)
    chosen = fig_examples.examples(catalogue, make_pdf(catalogue), np.arange(N), [0.5])
    with pytest.raises(InputError, match="46 fluxes for 2 bands"):
        fig_examples.draw(chosen, BANDS.subset(["u", "i"]))
