"""The mocks look like real zCOSMOS galaxies, in numbers."""

import json
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from photoz.files import InputError
from photoz.simulations.mock import MockConfig, make_mock, make_template_mock
from photoz.simulations.realism import broad_magnitudes, compare_with_real
from photoz.simulations.reference import build, read_real
from photoz.simulations.sky import load_reference
from photoz.training.neighbours import neighbour_scatter

MAKERS = {"populations": make_mock, "templates": make_template_mock}


@pytest.fixture(scope="module", params=MAKERS)
def mock(request, broad_only):
    # 8566 galaxies, because the scatter depends on how densely colours are sampled
    return MAKERS[request.param](broad_only, MockConfig(), 11)


@pytest.fixture(scope="module")
def comparison(mock):
    return compare_with_real(mock)


def test_neighbour_scatter_is_within_a_quarter_of_the_real_one(mock):
    real = load_reference()["neighbour_scatter"]
    index = [mock.bands.index(name) for name in load_reference()["bands"]]
    scatter = neighbour_scatter(
        mock.flux[:, index],
        mock.error[:, index],
        mock.redshift,
        mock.mag_i,
        index.index(mock.bands.index("i")),
        real["magnitude_edges"],
    )
    assert min(real["n"]) >= 300
    np.testing.assert_allclose(scatter, real["sigma68"], rtol=0.25)


def test_magnitudes_and_redshifts_are_distributed_alike(comparison):
    for name in ("magnitude", "redshift"):
        width = np.diff(comparison[f"{name}_edges"])
        real, other = comparison[f"{name}_real"], comparison[f"{name}_mock"]
        assert (real * width).sum() == pytest.approx(1.0)
        assert 0.5 * (np.abs(real - other) * width).sum() < 0.06
    assert comparison["clustered_fraction_mock"] == pytest.approx(
        comparison["clustered_fraction_real"], abs=0.07
    )


def test_median_colours_are_close_in_every_redshift_bin(comparison):
    offset = comparison["median_offset"]
    assert offset.shape == (5, 5)
    assert np.abs(offset).max() < 0.16
    assert np.abs(offset).mean() < 0.06


def test_colour_widths_are_close(comparison):
    real = np.array(comparison["colours_real"]["all"])
    mock = np.array(comparison["colours_mock"]["all"])
    np.testing.assert_allclose(mock[3] - mock[1], real[3] - real[1], rtol=0.25)


def test_missing_bands_are_named(paus, mock):
    renamed = replace(mock, bands=("w", *mock.bands[1:]))
    with pytest.raises(InputError, match="has no u"):
        broad_magnitudes(renamed)


def test_shipped_statistics_are_those_of_the_catalogue(broad_only, real_galaxies, tmp_path):
    real = read_real(real_galaxies)
    assert len(real["redshift"]) == load_reference()["n"]
    bands = broad_only.bands.subset(load_reference()["bands"])
    # the scatter of neighbours is measured again in tests/test_mock_reference.py
    build(real, bands, load_reference()["neighbour_scatter"], tmp_path)
    for name in ("zcosmos_sky.json", "zcosmos_reference.json"):
        again = json.loads((tmp_path / name).read_text())
        shipped = json.loads(resources.files("photoz.data").joinpath(name).read_text())
        assert again.keys() == shipped.keys()
        for key in ("redshift_counts", "magnitude_counts", "provenance", "n", "neighbour_scatter"):
            assert again.get(key) == shipped.get(key), key
        if "colours" in shipped:
            np.testing.assert_allclose(
                again["colours"]["by_redshift"], shipped["colours"]["by_redshift"], atol=2e-3
            )
