import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from photoz.files import InputError
from photoz.survey import (
    FixedSNR,
    SurveyDepth,
    add_noise,
    load_survey,
    noise_model_from_dict,
    read_noise_model,
    write_noise_model,
)


def test_paper_values_per_kind_of_band(survey):
    model = FixedSNR.for_bands(survey.bands)
    assert model.snr == (10, 35, 35)
    error = model.error(np.array([[100.0, 35.0, -70.0]]))
    np.testing.assert_allclose(error, [[10, 1, 2]])


def test_numpy_and_torch_agree():
    flux = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    model = FixedSNR((10.0, 20.0, 30.0))
    tensor = model.error(torch.from_numpy(flux))
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), model.error(flux), rtol=1e-6)
    assert model.error(flux).dtype == np.float32


def test_noise_has_the_stated_scatter_and_is_reproducible():
    flux = np.tile([100.0, 5.0], (20000, 1))
    model = FixedSNR((10, 35))
    noisy, error = add_noise(flux, model, np.random.default_rng(3))
    assert noisy.dtype == error.dtype == np.float32
    np.testing.assert_allclose(((noisy - flux) / error).std(axis=0), 1, atol=0.02)
    np.testing.assert_allclose(noisy.mean(axis=0), [100, 5], rtol=0.002)
    again, _ = add_noise(flux, model, np.random.default_rng(3))
    np.testing.assert_array_equal(noisy, again)


def test_file_round_trip(tmp_path, survey):
    model = FixedSNR.for_bands(survey.bands, narrow=7.5)
    write_noise_model(tmp_path / "m.json", model, survey.bands.names)
    assert read_noise_model(tmp_path / "m.json") == (model, survey.bands.names)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"name": "fixed_srn", "snr": [1]}, "did you mean 'fixed_snr'"),
        ({"snr": [1]}, "no noise model 'None'"),
        ({"name": "fixed_snr", "snr": [0.0]}, "must be positive"),
        ({"name": "fixed_snr", "snr": []}, "must be positive"),
        ({"name": "fixed_snr", "snr": ["a"]}, "a finite number"),
        ({"name": "fixed_snr", "snr": 10}, "must be a list"),
        ({"name": "fixed_snr", "sn": [1]}, "unknown key 'sn'"),
    ],
)
def test_wrong_descriptions(content, message):
    with pytest.raises(InputError, match=message):
        noise_model_from_dict(content)


def test_broken_files_name_themselves(tmp_path):
    path = tmp_path / "m.json"
    for text in ('{"bands": ["u"], "mod', '{"bands": ["u"]}', "[]"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"m\.json"):
            read_noise_model(path)
    path.write_text(json.dumps({"bands": ["u"], "model": {"name": "x"}}))
    with pytest.raises(InputError, match=r"m.json.*no noise model 'x'"):
        read_noise_model(path)


def test_wrong_number_of_bands():
    with pytest.raises(InputError, match="does not have 2 bands"):
        FixedSNR((1, 2)).error(np.ones((4, 3)))


@pytest.fixture(scope="module")
def paus():
    return load_survey(Path(__file__).parents[2] / "config" / "surveys" / "paus.yaml")


def test_survey_depth_gives_signal_to_noise_five_at_the_depth(paus):
    model = SurveyDepth.for_survey(paus, narrow_floor=1e-9, broad_floor=1e-9)
    at_depth = 10 ** (0.4 * (paus.zero_point - paus.depth))[None]
    np.testing.assert_allclose(at_depth / model.error(at_depth), 5, rtol=1e-5)


def test_the_floor_limits_bright_sources(paus):
    model = SurveyDepth.for_survey(paus)
    bright = np.full((1, len(paus.bands)), 1e9)
    expected = np.where(paus.bands.is_narrow, 0.015, 0.03)
    np.testing.assert_allclose(model.error(bright)[0] / 1e9, expected, rtol=1e-6)


def test_counts_of_drawn_galaxies_have_the_slope(paus):
    model = SurveyDepth.for_survey(paus, bright=19, faint=22, slope=0.3)
    uniform = np.random.default_rng(0).random((100_000, 1))
    magnitude = paus.zero_point - 2.5 * np.log10(model.brightness(uniform))
    assert 19 <= magnitude.min() < magnitude.max() <= 22
    # dN/dm ~ 10^(0.3 m): the cumulative counts in closed form
    expected = (10 ** (0.3 * 2) - 1) / (10 ** (0.3 * 3) - 1)
    assert abs(np.mean(magnitude < 21) - expected) < 0.005


def test_survey_depth_is_the_same_for_arrays_and_tensors(paus, tmp_path):
    model = SurveyDepth.for_survey(paus)
    flux = np.random.default_rng(1).normal(10, 5, (3, len(paus.bands))).astype(np.float32)
    np.testing.assert_allclose(model.error(torch.tensor(flux)).numpy(), model.error(flux), 1e-5)
    write_noise_model(tmp_path / "m.json", model, paus.bands.names)
    assert read_noise_model(tmp_path / "m.json") == (model, paus.bands.names)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sky": [0.0]}, "sky must be positive"),
        ({"floor": [0.1, 0.1]}, "different numbers of bands"),
        ({"bright": 23.0}, "not below faint"),
        ({"slope": 0.0}, "slope must be positive"),
        ({"depth": 3}, "unknown key 'depth'"),
    ],
)
def test_impossible_depths_are_refused(wrong, message):
    good = {"name": "survey_depth", "sky": [1.0], "floor": [0.1], "zero_point": 26.0}
    with pytest.raises(InputError, match=message):
        noise_model_from_dict(good | wrong)


def test_a_survey_without_depths_has_no_such_noise(paus):
    shallow = dataclasses.replace(paus, depth=np.full(len(paus.bands), np.nan))
    with pytest.raises(InputError, match="no depth of NB455"):
        SurveyDepth.for_survey(shallow)
