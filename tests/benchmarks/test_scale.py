import numpy as np
import pytest

from benchmarks import predict, scale
from tests.benchmarks.test_predict import TINY


@pytest.fixture(scope="module")
def example():
    return predict.example(300, steps=20, config=TINY)


def test_galaxies_are_repeated_under_ids_of_their_own(example):
    galaxies = example[1]
    many = scale.tiled(galaxies, 650)
    assert len(many) == 650 == len(np.unique(many.id))
    np.testing.assert_array_equal(many.error[600:], galaxies.error[:50])
    assert np.all(np.abs(many.flux[600:] - galaxies.flux[:50]) < galaxies.error[:50])
    assert len(np.unique(many.flux[:, 0])) == 650 == len(np.unique(many.redshift))


def test_the_command_itself_is_measured(example):
    trained, galaxies = example
    result = scale.sizes(trained, galaxies, (200, 400), networks=(1,), many=2)
    assert list(result) == [
        "200 galaxies, 1 networks",
        "200 galaxies, 2 networks",
        "400 galaxies, 1 networks",
    ]
    one, two, more = result.values()
    for row in result.values():
        assert row["seconds"] > 0 and row["processor"] > 0 and 100 < row["peak_mb"] < 4000
    # twice the components beside the same columns; the same table whatever the networks
    components = 3 * 4 * TINY.components
    assert two["pdf_bytes_per_galaxy"] > one["pdf_bytes_per_galaxy"] > components
    assert more["table_bytes_per_galaxy"] < 2 * one["table_bytes_per_galaxy"]


def test_bytes_are_those_of_single_precision(example):
    trained, galaxies = example
    found = scale.forms(trained, galaxies, networks=(1, 4))
    one, four = found["mixture, 1 networks"], found["mixture, 4 networks"]
    components = 3 * 4 * TINY.components  # weight, mean and width of each
    assert four - one == pytest.approx(3 * components, rel=0.01)
    assert found["grid, 1491 redshifts"] == pytest.approx(4 * 1491, rel=0.02)


def test_a_failed_command_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match=r"failed: photoz: .*absent\.h5: catalogue not found"):
        scale.command(tmp_path / "absent.h5", [tmp_path / "no.safetensors"], 1)
