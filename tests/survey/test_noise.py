import json

import numpy as np
import pytest

from photoz.files import InputError
from photoz.survey import (
    FixedSNR,
    add_noise,
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
    torch = pytest.importorskip("torch")
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
