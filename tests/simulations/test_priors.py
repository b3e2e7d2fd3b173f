import numpy as np
import pytest
from astropy.cosmology import Planck15
from scipy.stats import kstest, pearsonr

from photoz.files import InputError
from photoz.simulations.priors import Prior, sample
from photoz.sps import PARAMETERS


@pytest.fixture(scope="module")
def drawn():
    return sample(Prior(), 5000, np.random.default_rng(4))


def test_default_is_table_1(drawn):
    assert set(drawn) == set(PARAMETERS)
    table = {
        "redshift": (0, 1.2),
        "logzsol": (-0.5, 0.2),
        "tau": (0.1, 12),
        "const": (0, 0.25),
        "dust2": (0, 0.6),
        "gas_logu": (-4, 1),
    }
    for name, (low, high) in table.items():
        assert kstest((drawn[name] - low) / (high - low), "uniform").pvalue > 1e-4, name
    assert abs(pearsonr(drawn["redshift"], drawn["dust2"]).statistic) < 0.06


def test_ties_of_section_3_2_2(drawn):
    np.testing.assert_allclose(drawn["tage"], Planck15.age(drawn["redshift"]).value, rtol=1e-5)
    np.testing.assert_array_equal(drawn["gas_logz"], drawn["logzsol"])
    assert (drawn["sf_start"] < drawn["tage"]).all()
    assert kstest(drawn["sf_start"] / drawn["tage"], "uniform").pvalue > 1e-4


def test_named_options():
    prior = Prior.from_mapping({"gas_logu": -2, "redshift": [0, 1.5], "colour_cut": 10})
    drawn = sample(prior, 2000, np.random.default_rng(0))
    assert (drawn["gas_logu"] == -2).all() and drawn["redshift"].max() > 1.4
    assert prior.colour_cut == 10
    assert Prior.from_mapping(None) == Prior()
    assert Prior.from_mapping(prior.to_dict()) == prior


def test_choices_of_paper_and_public_code_have_names():
    names = {"redshift": "public_code", "gas_logu": "cloudy", "colour_cut": "public_code"}
    assert Prior.from_mapping(names) == Prior(
        redshift=(0.0, 1.5), gas_logu=(-4.0, -1.0), colour_cut=10.0
    )
    assert Prior.from_mapping({"gas_logu": "fixed"}).gas_logu == (-2.0, -2.0)
    assert Prior.from_mapping({"redshift": "table1", "gas_logu": "table1"}) == Prior()
    with pytest.raises(InputError, match=r"gas_logu: no choice 'cluody'; did you mean 'cloudy'"):
        Prior.from_mapping({"gas_logu": "cluody"})


def test_same_seed_same_draws():
    a, b = (sample(Prior(), 10, np.random.default_rng(7)) for _ in range(2))
    assert all((a[name] == b[name]).all() for name in a)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"gas_loqu": [-4, 1]}, "unknown key 'gas_loqu'; did you mean 'gas_logu'"),
        ({"tau": [12, 0.1]}, "tau = .* must ascend"),
        ({"tau": [0, 12]}, "tau = .* must ascend within"),
        ({"redshift": [-0.1, 1]}, "redshift"),
        ({"const": [0, 0.5, 1]}, "const = .*give"),
        ({"const": "0-1"}, "const = .*give"),
        ({"dust2": [0, None]}, "dust2: a finite number"),
        ({"colour_cut": 0}, "colour_cut"),
        ({"redshift": [0, float("nan")]}, "redshift"),
    ],
)
def test_wrong_configuration_is_refused(mapping, message):
    with pytest.raises(InputError, match=message):
        Prior.from_mapping(mapping)
