"""Catalogues with holes: NaN, infinity, an empty band, no exposures, an empty fold."""

import dataclasses

import numpy as np
import pytest
import torch
import yaml

from photoz.files import InputError
from photoz.survey.ingest import ingest
from photoz.survey.splits import fold_part
from photoz.survey.survey import load_survey
from photoz.templates.config import TemplateFitConfig
from photoz.templates.fit import fit_catalogue
from photoz.templates.model import ModelGrid
from photoz.templates.runs import Run
from photoz.templates.zeropoints import calibrate_zero_points
from photoz.training import coadds, galaxies, neighbours, predict
from photoz.training.calibrate import calibrate
from photoz.training.coadds import RandomCoadds
from photoz.training.config import FinetuningConfig
from photoz.training.finetune import finetune
from tests.faults.artefacts import NETWORK, content
from tests.training.conftest import BANDS, break_fluxes, make_catalogue

CPU = torch.device("cpu")
FEW = FinetuningConfig(epochs=3, quiet_epochs=1, batch_size=30)
HOLES = np.array([3, 50, 51, 119])  # one in each fold, and one more


def damaged(value, where="flux", band=1):
    """120 galaxies of which some have `value` as a flux, or the like."""
    sky = make_catalogue(120)
    if where == "exposures":
        flux, error = sky.exposures.flux.copy(), sky.exposures.error.copy()
        flux[HOLES, band] = value
        error[HOLES, band] = value
        return dataclasses.replace(
            sky, exposures=dataclasses.replace(sky.exposures, flux=flux, error=error)
        )
    values = getattr(sky, where).copy()
    values[HOLES if values.ndim == 1 else (HOLES, band)] = value
    return dataclasses.replace(sky, **{where: values})


def folds_of(sky, n_folds=3):
    return np.arange(len(sky)) % n_folds


def train(sky, folds=None):
    folds = folds_of(sky) if folds is None else folds
    return finetune(sky, folds, None, NETWORK, FEW, [0, 0], CPU)


def is_finite(result):
    trained, history = result
    weights = all(torch.isfinite(v).all() for v in trained.network.state_dict().values())
    return weights and np.isfinite(history["loss"]).all()


# --- fluxes that are not finite -------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["flux", "redshift"])
def test_networks_neither_learn_from_nor_are_hurt_by_a_value_that_is_not_finite(value, where):
    sky = damaged(value, where)
    trained, _ = result = train(sky)
    assert is_finite(result)
    calibrate(trained, sky, folds_of(sky), 1.0, [0, 0])
    assert is_finite(result)
    pdf = predict.predict_folds(trained, sky, folds_of(sky))
    without = np.isin(np.arange(120), HOLES) if where == "flux" else np.zeros(120, bool)
    np.testing.assert_array_equal(np.isfinite(pdf.mode()), ~without)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_control_networks_that_take_every_galaxy_are_hurt(monkeypatch, value):
    monkeypatch.setattr(galaxies, "usable_galaxies", lambda sky: np.ones(len(sky), bool))
    assert not is_finite(train(damaged(value)))


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_an_exposure_that_is_not_finite_counts_as_not_taken(value):
    sky = damaged(value, "exposures")
    assert is_finite(train(sky))
    drawn = RandomCoadds(sky, CPU)
    flux, _ = drawn.draw(torch.as_tensor(HOLES)[None], 0.5, [torch.Generator().manual_seed(0)])
    np.testing.assert_array_equal(flux[0, :, 1], sky.flux[HOLES, 1])


def model_of_breaks():
    """A grid of the toy survey's own spectra."""
    redshift = np.linspace(0.05, 0.95, 46)
    flux = break_fluxes(redshift).astype(np.float32)[None]
    narrow = np.array([True] * 4 + [False])
    run = Run("breaks", ("break",), lines=False)
    return ModelGrid(redshift, BANDS, narrow, (run,), (("break",),), flux, {})


FIT = TemplateFitConfig(minimum_bands=3, coarse_step=1)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["flux", "error"])
def test_a_template_fit_leaves_out_a_band_that_is_not_finite(value, where):
    model, sky = model_of_breaks(), damaged(value, where)
    found = fit_catalogue(model, sky.flux, sky.error, FIT)
    flux, error = sky.flux[:, [0, 2, 3, 4]], sky.error[:, [0, 2, 3, 4]]
    alone = fit_catalogue(model.select_bands(("N1", "N3", "N4", "i")), flux, error, FIT)
    assert np.isfinite(found.pdf.density).all()
    np.testing.assert_allclose(found.columns["chi2"][HOLES], alone.columns["chi2"][HOLES])
    assert (found.columns["n_bands"][HOLES] == 4).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_neighbours_leave_out_galaxies_that_are_not_finite(value):
    sky = damaged(value)
    folds = folds_of(sky)
    training = {f: galaxies.training_galaxies(sky, folds, f, 1.0, [0]) for f in range(3)}
    config = neighbours.NeighbourConfig(n_neighbours=5)
    pdf = neighbours.predict_folds(sky, folds, training, config)
    without = np.isin(np.arange(120), HOLES)
    np.testing.assert_array_equal(np.isfinite(pdf.mode()), ~without)


@pytest.mark.parametrize("value", ["inf", "-inf", "1e400"])
def test_an_infinite_flux_in_a_users_table_is_named(tmp_path, value):
    survey = {
        "name": "mine", "description": "one band", "zero_point": 26.0, "reference_band": "i",
        "bands": [{"name": "i", "kind": "broad", "sedpy": "sdss_i0"}],
        "selection": {"required": "all"},
        "columns": {"id": "id", "redshift": "z", "flux": "f_{band}", "error": "e_{band}"},
    }  # fmt: skip
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(survey))
    table = tmp_path / "galaxies.csv"
    table.write_text(f"id,z,f_i,e_i\n1,0.5,2,0.1\n2,0.6,{value},0.1\n")
    survey = load_survey(tmp_path / "mine.yaml")
    with pytest.raises(InputError, match=r"galaxies\.csv.*row 2"):
        ingest(table, survey.columns, survey)


# --- a band without data --------------------------------------------------------------------------


def empty_band():
    sky = make_catalogue(120)
    flux, error = sky.flux.copy(), sky.error.copy()
    flux[:, 2], error[:, 2] = np.nan, np.nan
    return dataclasses.replace(sky, flux=flux, error=error)


def test_networks_name_a_band_without_data():
    with pytest.raises(InputError, match="no galaxy has a flux in N3: leave out such bands"):
        train(empty_band())


def test_control_a_catalogue_with_all_bands_is_fine():
    assert is_finite(train(make_catalogue(120)))


def test_networks_predict_nothing_where_a_band_has_no_data():
    trained, _ = train(make_catalogue(120))
    pdf = predict.predict_folds(trained, empty_band(), np.arange(120) % 3)
    assert np.isnan(pdf.mode()).all()


def test_a_template_fit_does_without_a_band_without_data():
    model, sky = model_of_breaks(), empty_band()
    assert np.isfinite(fit_catalogue(model, sky.flux, sky.error, FIT).pdf.density).all()


def test_zero_points_of_a_band_without_data_stay():
    model, sky = model_of_breaks(), empty_band()
    found = calibrate_zero_points(model, sky, np.ones(120, bool), FIT)
    assert np.isfinite(found.factor).all()


# --- a galaxy without exposures -------------------------------------------------------------------


def without_exposures():
    sky = make_catalogue(120)
    flux, error = sky.exposures.flux.copy(), sky.exposures.error.copy()
    flux[HOLES], error[HOLES] = np.nan, np.nan
    return dataclasses.replace(
        sky, exposures=dataclasses.replace(sky.exposures, flux=flux, error=error)
    )


def test_a_galaxy_without_exposures_keeps_the_flux_of_its_catalogue():
    sky = without_exposures()
    drawn = RandomCoadds(sky, CPU)
    index = torch.arange(120)[None]
    flux, complete = drawn.draw(index, 0.5, [torch.Generator().manual_seed(0)])
    np.testing.assert_array_equal(flux[0][HOLES], sky.flux[HOLES])
    assert complete[0][HOLES].all()
    assert (flux[0].numpy() != sky.flux).any(), "the others are drawn"
    assert is_finite(train(sky))


def test_control_a_plain_quotient_of_sums_is_not_finite(monkeypatch):
    monkeypatch.setattr(coadds.torch, "where", lambda condition, value, other: value)
    assert not is_finite(train(without_exposures()))


# --- a fold without galaxies ----------------------------------------------------------------------


@pytest.mark.parametrize("empty", [0, 1])
def test_a_fold_without_galaxies_trains_and_predicts_the_others(empty):
    sky = make_catalogue(120)
    folds = folds_of(sky)
    folds[folds == empty] = 2
    trained, _ = result = train(sky, folds)
    assert is_finite(result)
    calibrate(trained, sky, folds, 1.0, [0, 0])
    assert np.isfinite(predict.predict_folds(trained, sky, folds).mode()).all()


def test_a_fold_that_leaves_nothing_to_learn_from_is_said():
    sky = make_catalogue(120)
    with pytest.raises(InputError, match="a fold leaves 0 galaxies to learn from"):
        train(sky, np.zeros(120, int))


def test_a_part_of_a_fold_without_galaxies_is_fitted_with_templates():
    model, sky = model_of_breaks(), make_catalogue(120)
    part = sky.take(fold_part(folds_of(sky), 0, 60, 100))
    assert len(part) == 0
    fit = fit_catalogue(model, part.flux, part.error, FIT, None, None, part.mag_i)
    assert fit.pdf.density.shape == (0, 46)
    assert {len(column) for column in fit.columns.values()} == {0}


def test_what_is_compared_here_is_compared_bit_by_bit():
    assert content(np.array([np.nan])) == content(np.array([np.nan]))
    assert content(np.array([0.0])) != content(np.array([-0.0]))
