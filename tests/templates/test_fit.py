import logging

import numpy as np
import pytest
from scipy.optimize import nnls

from photoz.files import InputError
from photoz.templates import ModelGrid, TemplateFitConfig, fit_at_redshift, fit_catalogue
from photoz.templates.fit import chi2_curves, compile_kernels
from photoz.templates.multiplicative import multiplicative
from photoz.templates.photometry import prepare

from .conftest import draw


def curves(model, flux, error, **settings):
    config = TemplateFitConfig(**settings)
    every = np.empty((len(model.runs), len(model.redshift), len(flux)))
    result = chi2_curves(model, prepare(model, flux, error, config), config, None, every)
    return result, every


def test_redshifts_are_found(model):
    flux, error, redshift, run, k = draw(model, 60, np.random.default_rng(5), 0.02, 0.0)
    fit = fit_catalogue(model, flux, error)
    dz = (fit.pdf.mode() - redshift) / (1 + redshift)
    assert np.median(abs(dz)) < 0.003
    assert np.mean(abs(dz) > 0.02) < 0.1
    good = abs(dz) < 0.01
    assert np.median(abs(fit.columns["scale"][good] / k[good] - 1)) < 0.02
    assert np.mean(fit.columns["best_run"][good] == run[good]) > 0.4  # runs share templates
    degrees = len(model.bands) - 4
    assert 0.5 * degrees < np.median(fit.columns["chi2"]) < 1.5 * degrees


def test_coarse_to_fine_misses_nothing(model, galaxies):
    flux, error, *_ = galaxies
    for sharp in (1.0, 0.2):
        _, full = curves(model, flux, sharp * error, coarse_step=1)
        result, fine = curves(model, flux, sharp * error, coarse_step=5)
        best = full.min(axis=(0, 1))
        near = full < best + 60
        assert fine[near] == pytest.approx(full[near], rel=1e-5)
        assert result.fitted < 0.9 * full.size
    full = fit_catalogue(model, flux, error, TemplateFitConfig(coarse_step=1))
    fine = fit_catalogue(model, flux, error)
    assert fine.pdf.density == pytest.approx(full.pdf.density, rel=1e-4, abs=1e-6)


def test_p_z_is_the_sum_over_runs_of_exp_of_half_chi2(model, galaxies):
    flux, error, *_ = galaxies
    fit = fit_catalogue(model, flux[:4], error[:4], TemplateFitConfig(coarse_step=1))
    _, every = curves(model, flux[:4], error[:4], coarse_step=1)
    p = np.exp(-0.5 * (every - every.min(axis=(0, 1)))).sum(axis=0).T
    p /= np.trapezoid(p, model.redshift, axis=1)[:, None]
    assert fit.pdf.density == pytest.approx(p, rel=1e-6, abs=1e-9)
    node = p.argmax(axis=1)
    best = every[:, node, np.arange(4)].argmin(axis=0)
    assert fit.columns["best_run"].tolist() == best.tolist()
    assert fit.columns["chi2"] == pytest.approx(every.min(axis=(0, 1)))


def test_the_result_does_not_depend_on_chunks(model, galaxies):
    flux, error, *_ = galaxies
    one = fit_catalogue(model, flux, error, TemplateFitConfig(chunk_size=7))
    two = fit_catalogue(model, flux, error, TemplateFitConfig(chunk_size=64))
    assert one.pdf.density == pytest.approx(two.pdf.density, rel=1e-6, abs=1e-9)
    assert one.columns["chi2"] == pytest.approx(two.columns["chi2"], rel=1e-9)


def test_a_band_that_was_not_observed_has_no_weight(model, galaxies):
    flux, error, *_ = (values[:8].copy() for values in galaxies)
    lost = [1, len(model.bands) - 2]
    rest = tuple(name for i, name in enumerate(model.bands) if i not in lost)
    keep = [model.bands.index(name) for name in rest]
    without = fit_catalogue(model.select_bands(rest), flux[:, keep], error[:, keep])
    holes = [(np.nan, 1.0), (1e9, np.nan), (5.0, 0.0), (5.0, -1.0), (5.0, np.inf)]
    for value, sigma in holes:
        flux[:, lost], error[:, lost] = value, sigma
        fit = fit_catalogue(model, flux, error)
        assert fit.columns["chi2"] == pytest.approx(without.columns["chi2"], rel=1e-6)
        assert fit.pdf.density == pytest.approx(without.pdf.density, rel=1e-4, abs=1e-6)
        if sigma != np.inf:
            assert (fit.columns["n_bands"] == len(keep)).all()


def test_too_few_bands_get_a_flag_and_no_number(model, galaxies):
    flux, error = galaxies[0][:3].copy(), galaxies[1][:3].copy()
    flux[1, 4:] = np.nan
    flux[2] = np.nan
    fit = fit_catalogue(model, flux, error)
    assert fit.columns["flag"].tolist() == [0, 1, 1]
    assert fit.pdf.valid.tolist() == [True, False, False]
    for name in ("chi2", "qz", "scale", "colour_excess"):
        assert np.isfinite(fit.columns[name]).tolist() == [True, False, False]
    assert fit.columns["best_run"].tolist()[1:] == [-1, -1]
    nothing = fit_catalogue(model, flux[2:], error[2:])
    assert nothing.columns["flag"].tolist() == [1]
    assert len(fit_catalogue(model, flux[:0], error[:0])) == 0


def test_broad_bands_alone_have_k_1_and_two_templates(model, galaxies):
    flux, error, redshift, *_ = galaxies
    names = tuple(np.array(model.bands)[~model.is_narrow])
    broad = model.select_bands(names)
    columns = [model.bands.index(name) for name in names]
    own_flux, own_error = flux[:, columns], error[:, columns]
    fit = fit_catalogue(broad, own_flux, own_error)
    assert (fit.columns["scale"] == 1).all()
    # In the survey with narrow bands, a galaxy that lost them all is treated alike.
    lost = flux.copy()
    lost[:, model.is_narrow] = np.nan
    same = fit_catalogue(model, lost, error)
    assert same.columns["chi2"] == pytest.approx(fit.columns["chi2"], rel=1e-6)
    # More templates would fit better.
    photometry = prepare(broad, own_flux, own_error, TemplateFitConfig())
    best = fit_at_redshift(broad, photometry, redshift)
    node = np.searchsorted(model.redshift, redshift - 1e-9)
    for i in range(5):
        own = broad.run_flux(best.run[i])[:, node[i]].astype(float)
        free = nnls((own / own_error[i]).T, own_flux[i] / own_error[i])[1] ** 2
        assert best.chi2[i] >= free - 1e-6


def test_narrow_bands_alone_have_k_1(model, galaxies):
    flux, error = galaxies[0][:5].copy(), galaxies[1][:5]
    flux[:, ~model.is_narrow] = np.nan
    assert (fit_catalogue(model, flux, error).columns["scale"] == 1).all()
    fixed = TemplateFitConfig(fit_scale=False)
    assert (fit_catalogue(model, *galaxies[:2], fixed).columns["scale"] == 1).all()


def test_zero_points_multiply_the_model(model, galaxies):
    flux, error = galaxies[0][:6], galaxies[1][:6]
    factor = np.linspace(0.8, 1.2, len(model.bands))
    plain = fit_catalogue(model, flux, error)
    scaled = fit_catalogue(model, flux * factor, error * factor, zero_points=factor)
    assert scaled.columns["chi2"] == pytest.approx(plain.columns["chi2"], rel=1e-6)
    assert scaled.pdf.density == pytest.approx(plain.pdf.density, rel=1e-5, abs=1e-8)


def test_the_order_of_bands_does_not_matter(model, galaxies):
    flux, error = galaxies[0][:6], galaxies[1][:6]
    shuffled = np.random.default_rng(6).permutation(len(model.bands))
    other = model.select_bands(np.array(model.bands)[shuffled])
    plain = fit_catalogue(model, flux, error)
    fit = fit_catalogue(other, flux[:, shuffled], error[:, shuffled])
    assert fit.columns["chi2"] == pytest.approx(plain.columns["chi2"], rel=1e-6)


def test_a_share_of_the_flux_widens_the_errors(model, galaxies):
    flux, error = galaxies[0][:20], galaxies[1][:20]
    config = TemplateFitConfig(error_narrow=0.05, error_broad=0.1)
    share = np.where(model.is_narrow, 0.05, 0.1) * flux
    expected = fit_catalogue(model, flux, np.hypot(error, share)).columns["chi2"]
    assert fit_catalogue(model, flux, error, config).columns["chi2"] == pytest.approx(expected)


def test_the_multiplicative_method_stays_above_the_minimum_and_nears_it(model, galaxies):
    flux, error, redshift, *_ = galaxies
    node = np.searchsorted(model.redshift, redshift[:5] - 1e-9)
    excess = []
    for iterations in (30, 1000, 30000):
        found = []
        for i in range(5):
            own = model.run_flux(3)[:, node[i] : node[i] + 1]
            chi2, k, amplitude = multiplicative(
                own, model.is_narrow, flux[i], 1 / error[i] ** 2, iterations=iterations
            )
            factor = np.where(model.is_narrow, k, 1.0)
            fitted = factor * (amplitude[0] @ own[:, 0])
            assert chi2[0] == pytest.approx((((flux[i] - fitted) / error[i]) ** 2).sum(), rel=1e-6)
            exact = nnls((own[:, 0] * factor / error[i]).T, flux[i] / error[i])[1] ** 2
            found.append(chi2[0] - exact)
        assert min(found) > -1e-6
        excess.append(np.mean(found))
    assert excess[0] > excess[1] > excess[2]
    assert excess[2] < 0.1


def test_the_method_may_be_the_published_one(model, galaxies):
    flux, error = galaxies[0][:2], galaxies[1][:2]
    small = ModelGrid(
        *(model.redshift[::10], model.bands, model.is_narrow, model.runs[:2], model.templates[:2]),
        *(model.flux[:12, ::10], {}),
    )
    exact, least = curves(small, flux, error, coarse_step=1)
    config = {"method": "multiplicative", "iterations": 200, "scale_every": 5}
    published, reached = curves(small, flux, error, **config)
    assert published.fitted == exact.fitted == least.size
    assert (reached > least - 1e-3).all()
    few = fit_catalogue(small, flux, error, TemplateFitConfig(**config))
    assert few.columns["chi2"] == pytest.approx(reached.min(axis=(0, 1)))


def test_compiling_is_said_once(caplog):
    compile_kernels.cache_clear()
    with caplog.at_level(logging.INFO):
        compile_kernels()
        compile_kernels()
    first, second = (record.message for record in caplog.records)
    assert first.endswith("getting the compiled kernels")
    assert "compiled" in second or "loaded" in second


def test_qz_is_small_for_good_fits(model):
    flux, error, redshift, *_ = draw(model, 150, np.random.default_rng(7), 0.1, 0.02)
    fit = fit_catalogue(model, flux, error)
    off = abs(fit.pdf.mode() - redshift) / (1 + redshift)
    good = fit.columns["qz"] < np.median(fit.columns["qz"])
    assert off[good].mean() < 0.5 * off[~good].mean()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "exakt"}, "did you mean 'exact'"),
        ({"scale_min": 2.0}, "enclose 1"),
        ({"coarse_step": 0}, "coarse_step must be at least 1"),
        ({"margin": -1.0}, "margin must not be negative"),
        ({"error_broad": float("nan")}, "error_broad"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        TemplateFitConfig(**settings)


def test_shapes_are_checked(model, galaxies):
    flux, error, redshift, *_ = galaxies
    with pytest.raises(InputError, match="select_bands"):
        fit_catalogue(model, flux[:, 1:], error[:, 1:])
    with pytest.raises(InputError, match="positive zero-points"):
        fit_catalogue(model, flux, error, zero_points=np.zeros(len(model.bands)))
    photometry = prepare(model, flux, error, TemplateFitConfig())
    with pytest.raises(InputError, match=r"between 0\.2 and 0\.7"):
        fit_at_redshift(model, photometry, redshift + 1)
