"""The compiled solver against scipy's non-negative least squares and against trying everything."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar, nnls

from photoz.templates.kernels import fit_each, fit_nodes


def solve(flux, n_narrow, observed, error, free=True, paired=False, limits=(0.1, 10.0)):
    """chi2, k and amplitudes of galaxies (g, band) with model fluxes (template, g, band)."""
    weight = (1 / error**2).T.copy()
    out = np.empty((len(observed), 2 + len(flux)))
    every = np.ones(len(observed), bool)
    constant = (observed**2 / error**2).sum(axis=1)
    fit_each(
        *(flux.astype(np.float32), 0, len(flux), n_narrow, weight, weight * observed.T, constant),
        *(every & free, every & paired, np.array(limits), out),
    )
    return out[:, 0], out[:, 1], out[:, 2:]


@pytest.fixture(scope="module")
def problems(model, galaxies):
    """Thousands of problems: real galaxies' fits at right and wrong redshifts, in every run."""
    flux, error, *_ = galaxies
    rng = np.random.default_rng(2)
    narrow_first = np.argsort(~model.is_narrow, kind="stable")
    made = []
    for run in range(len(model.runs)):
        for node in rng.integers(len(model.redshift), size=6):
            own = model.run_flux(run)[:, node][:, narrow_first].astype(float)
            made.append((own, flux[:, narrow_first], error[:, narrow_first]))
    return made, int(model.is_narrow.sum())


def scipy_chi2(own, n_narrow, flux, error, k=1.0):
    factor = np.where(np.arange(len(flux)) < n_narrow, k, 1.0)
    return nnls((own * factor / error).T, flux / error)[1] ** 2


def test_chi2_is_that_of_scipy_for_thousands_of_problems(problems):
    made, n_narrow = problems
    count = 0
    for own, flux, error in made:
        wide = np.repeat(own[:, None], len(flux), axis=1)
        chi2, k, amplitude = solve(wide, n_narrow, flux, error)
        fixed, one, _ = solve(wide, n_narrow, flux, error, free=False)
        assert (one == 1).all()
        assert (amplitude >= 0).all()
        for i in range(len(flux)):
            expected = scipy_chi2(own, n_narrow, flux[i], error[i], k[i])
            assert chi2[i] == pytest.approx(expected, rel=1e-5)
            expected = scipy_chi2(own, n_narrow, flux[i], error[i])
            assert fixed[i] == pytest.approx(expected, rel=1e-5)
            count += 2
    assert count > 3000


def test_k_is_at_the_minimum(problems):
    made, n_narrow = problems
    for own, flux, error in made[::12]:
        wide = np.repeat(own[:, None], 10, axis=1)
        chi2, k, _ = solve(wide, n_narrow, flux[:10], error[:10])
        for i in range(10):
            profile = minimize_scalar(
                lambda k, i=i: scipy_chi2(own, n_narrow, flux[i], error[i], k),  # noqa: B023
                bounds=(0.5 * k[i], 2 * k[i]),
                method="bounded",
                options={"xatol": 1e-7},
            )
            assert chi2[i] <= profile.fun + 1e-4


def test_k_stays_within_its_limits(problems):
    made, n_narrow = problems
    own, flux, error = made[0]
    wide = np.repeat(own[:, None], len(flux), axis=1)
    for limits, end in (((0.5, 0.7), 0.7), ((1.4, 2.0), 1.4)):
        chi2, k, _ = solve(wide, n_narrow, flux, error, limits=limits)
        assert ((k >= limits[0]) & (k <= limits[1])).all()
        at_end = np.isclose(k, end)
        assert at_end.any()
        i = np.flatnonzero(at_end)[0]
        assert chi2[i] == pytest.approx(scipy_chi2(own, n_narrow, flux[i], error[i], end), rel=1e-5)


def test_pairs_are_the_best_of_all_pairs(problems):
    made, n_narrow = problems
    for own, flux, error in made[::7]:
        wide = np.repeat(own[:, None], 5, axis=1)
        chi2, _, amplitude = solve(wide, n_narrow, flux[:5], error[:5], paired=True)
        assert ((amplitude > 0).sum(axis=1) <= 2).all()
        for i in range(5):
            best = min(
                scipy_chi2(own[list(two)], n_narrow, flux[i], error[i])
                for two in combinations(range(len(own)), 2)
            )
            assert chi2[i] == pytest.approx(best, rel=1e-6)


def test_where_one_starts_does_not_matter(problems, model):
    made, n_narrow = problems
    rng = np.random.default_rng(3)
    own, flux, error = made[20]
    n, size = len(flux), len(own)
    columns = -(-n // 8) * 8
    weight = np.zeros((own.shape[1], columns))
    weight[:, :n] = (1 / error**2).T
    weighted = np.zeros_like(weight)
    weighted[:, :n] = (flux / error**2).T
    constant = (flux**2 / error**2).sum(axis=1)
    results = []
    for masks in (np.zeros(n, int), np.full(n, 2**size - 1), rng.integers(2**size, size=n)):
        chi2, mask, k = np.empty((1, n)), np.empty((1, n), int), np.empty((1, n))
        fit_nodes(
            *(own[:, None].astype(np.float32), 0, size, np.array([0]), n_narrow, weight, weighted),
            *(constant, np.ones(n, bool), np.zeros(n, bool), np.array([0.1, 10.0])),
            *(masks, rng.uniform(0.8, 1.2, n), chi2, mask, k),
        )
        results.append((chi2[0], k[0]))
    for chi2, k in results[1:]:
        assert chi2 == pytest.approx(results[0][0], rel=1e-6)
        assert k == pytest.approx(results[0][1], rel=1e-3)


def test_templates_that_repeat_each_other_do_no_harm():
    rng = np.random.default_rng(4)
    base = rng.uniform(0.5, 1.5, (3, 12))
    own = np.concatenate([base, base, base[:1] + base[1:2], np.zeros((1, 12))])
    flux = rng.uniform(0.5, 1.5, (200, 12)) - 0.3
    error = np.full_like(flux, 0.1)
    wide = np.repeat(own[:, None], 200, axis=1)
    chi2, _, amplitude = solve(wide, 8, flux, error, free=False)
    expected = [scipy_chi2(own, 8, f, e) for f, e in zip(flux, error, strict=True)]
    assert chi2 == pytest.approx(expected, rel=1e-6)
    assert not amplitude[:, -1].any()


def test_negative_fluxes_get_no_model():
    own = np.ones((2, 1, 6))
    chi2, k, amplitude = solve(own, 3, -np.ones((1, 6)), np.ones((1, 6)))
    assert (chi2[0], k[0]) == (6.0, 1.0)
    assert not amplitude.any()
