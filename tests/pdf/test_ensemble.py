import numpy as np
import pytest

from photoz.files import InputError
from photoz.pdf.ensemble import average, gather, joined
from photoz.pdf.grid import GridPDF
from photoz.pdf.mixture import MixturePDF

Z = np.linspace(0, 1, 51)


def bump(centres):
    return GridPDF(Z, np.exp(-0.5 * ((Z - np.asarray(centres)[:, None]) / 0.05) ** 2))


def test_the_average_of_grids_is_the_mean_density_of_those_that_have_one():
    first, second = bump([0.2, 0.4, 0.5]), bump([0.3, 0.4, 0.5])
    first = GridPDF(Z, np.where([[False], [True], [True]], np.nan, first.density))
    second = GridPDF(Z, np.where([[False], [False], [True]], np.nan, second.density))
    mean = average([first, second])
    assert mean.density[0] == pytest.approx(0.5 * (first.density[0] + second.density[0]))
    assert mean.density[1] == pytest.approx(second.density[1])
    assert mean.valid.tolist() == [True, True, False]
    assert average([first]) is first


def test_the_average_of_mixtures_is_a_mixture():
    one = MixturePDF(np.ones((2, 1)), np.full((2, 1), 0.5), np.full((2, 1), 0.1))
    assert isinstance(average([one, one]), MixturePDF)


def test_members_must_be_alike():
    one = MixturePDF(np.ones((1, 1)), np.full((1, 1), 0.5), np.full((1, 1), 0.1))
    with pytest.raises(InputError, match="mixtures and grids"):
        average([one, bump([0.2])])
    with pytest.raises(InputError, match="differ in galaxies or redshifts"):
        average([bump([0.2]), bump([0.2, 0.3])])
    with pytest.raises(InputError, match="differ in galaxies or redshifts"):
        average([bump([0.2]), GridPDF(Z + 1, np.ones((1, 51)))])
    with pytest.raises(InputError, match="at least one"):
        average([])


@pytest.mark.parametrize("kind", [int, str])
def test_parts_come_in_the_order_of_the_catalogue(kind):
    ids = np.array([70, 10, 40, 20, 90], dtype=kind)
    centres = {70: 0.7, 10: 0.1, 40: 0.4, 20: 0.2, 90: 0.9}
    parts = [np.array([90, 10], dtype=kind), np.array([40, 70, 20], dtype=kind)]
    pdf, rows = gather([(bump([centres[int(i)] for i in part]), part) for part in parts], ids)
    assert pdf.mode() == pytest.approx([0.7, 0.1, 0.4, 0.2, 0.9], abs=1e-6)
    assert np.concatenate(parts)[rows].tolist() == ids.tolist()


def test_parts_that_do_not_make_the_catalogue_are_refused():
    ids = np.array([1, 2, 3])
    good = (bump([0.1, 0.2]), np.array([1, 2]))
    for other in (np.array([2]), np.array([4])):
        with pytest.raises(InputError, match="not the catalogue's 3"):
            gather([good, (bump([0.3]), other)], ids)
    with pytest.raises(InputError, match="hold 2 galaxies"):
        gather([good], ids)
    with pytest.raises(InputError, match="different grids"):
        gather([good, (GridPDF(Z + 0.5, np.ones((1, 51))), np.array([3]))], ids)
    with pytest.raises(InputError, match="on a grid expected"):
        gather([], ids)


def test_parts_of_a_catalogue_are_joined_in_their_order():
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(2), 5)
    means, sigmas = rng.uniform(0.2, 1, (2, 5, 2))
    whole = MixturePDF(weights, means, 0.1 * sigmas, 0.0)
    parts = [
        MixturePDF(weights[rows], means[rows], 0.1 * sigmas[rows], 0.0)
        for rows in (slice(0, 3), slice(3, 5))
    ]
    together = joined(parts)
    np.testing.assert_array_equal(together.pdf(Z), whole.pdf(Z))
    grids = [GridPDF(Z, part.pdf(Z)) for part in parts]
    expected = GridPDF(Z, whole.pdf(Z)).mode()
    np.testing.assert_allclose(joined(grids).mode(), expected, rtol=1e-12)
    for wrong in ([], [parts[0], grids[0]], [grids[0], GridPDF(Z + 0.1, parts[1].pdf(Z))]):
        with pytest.raises(InputError, match="one kind"):
            joined(wrong)
