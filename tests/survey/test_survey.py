from pathlib import Path

import numpy as np
import pytest
import yaml

from photoz.files import InputError
from photoz.survey import load_survey

SURVEYS = Path(__file__).parents[2] / "config" / "surveys"


@pytest.fixture
def minimal(tmp_path):
    (tmp_path / "g.dat").write_text("4000 0\n4500 1\n5500 1\n6000 0\n")
    return {
        "name": "mine",
        "zero_point": 25,
        "reference_band": "g",
        "bands": [{"name": "g", "kind": "broad", "file": "g.dat"}],
    }


def load(folder, config):
    path = folder / "survey.yaml"
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return load_survey(path)


def pivot(w, t):
    """Pivot wavelength by trapezoids: the number that filter services publish."""
    return np.sqrt(np.trapezoid(t * w, w) / np.trapezoid(t / w, w))


def test_paus():
    survey = load_survey(SURVEYS / "paus.yaml")
    narrow = tuple(f"NB{10 * k + 455}" for k in range(40))
    assert survey.bands.names == (*narrow, "u", "B", "V", "r", "i", "z")
    assert survey.zero_point == 26
    assert survey.reference_index == 44
    assert survey.bands.is_narrow.sum() == 40
    assert survey.selection.magnitude_max == 22.5
    assert (survey.exposures.minimum, survey.exposures.nominal) == (3, 5)
    assert survey.exposures.maximum == 10
    # 22.9 in the blue to 22.2 at 8450 A, linear in wavelength
    centre = survey.bands.mean_wavelengths[:40]
    expected = 22.9 - 0.7 * (np.clip(centre, 4550, 8450) - 4550) / 3900
    np.testing.assert_allclose(survey.depth[:40], expected)
    assert (survey.depth[40:] > 25).all()


def test_cosmos_broadband():
    survey = load_survey(SURVEYS / "cosmos_broadband.yaml")
    assert survey.bands.names == ("u", "B", "V", "r", "i", "z")
    pivots = [pivot(band.wavelength, band.transmission) for band in survey.bands]
    np.testing.assert_allclose(pivots, [3828, 4448, 5470, 6276, 7671, 9028], atol=30)


def test_minimal_survey_with_own_curve(tmp_path, minimal):
    survey = load(tmp_path, minimal)
    assert survey.bands["g"].mean_wavelength == pytest.approx(5000)
    assert np.isnan(survey.depth).all()
    assert survey.columns == {} and survey.selection.required == "all"


def change(**keys):
    return lambda config: config.update(keys)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change(zeropoint=26), "unknown key 'zeropoint'; did you mean 'zero_point'"),
        (change(reference_band="G"), "not a band; did you mean 'g'"),
        (change(zero_point="26"), "zero_point: a finite number expected"),
        (lambda c: c.pop("bands"), "'bands' is missing"),
        (change(bands={"g": 1}), "a list expected"),
        (change(bands=[{"source": "pau_narrow_bands"}]), "did you mean 'paus_narrow_bands'"),
        (lambda c: c["bands"][0].update(knd="x"), "unknown key 'knd'; did you mean 'kind'"),
        (lambda c: c["bands"][0].update(sedpy="sdss_g0"), "either 'sedpy'"),
        (lambda c: c["bands"][0].update(file="h.dat"), "h.dat: response curve of band g not"),
        (lambda c: c["bands"][0].update(name=5), "must be a text"),
        (lambda c: c["bands"][0].update(kind="medium"), "'narrow' or 'broad'"),
        (lambda c: c["bands"].append(c["bands"][0]), "defined twice"),
        (change(depth={"h": 25}), "depth: unknown key 'h'"),
        (change(depth={"g": "deep"}), "depth: g: a finite number"),
        (change(exposures={"nominal": 2}), "does not hold"),
        (change(exposures={"nominal": 5.5}), "whole number"),
        (change(selection={"mag_max": 22}), "unknown key 'mag_max'; did you mean 'magnitude_max'"),
        (change(selection={"required": ["h"]}), "required band 'h'"),
        (change(columns={"id": "id"}), "band g has no columns"),
        (change(columns=5), "columns: expected keys and values"),
        (change(columns={"idd": "id"}), "unknown key 'idd'; did you mean 'id'"),
    ],
)
def test_mistakes_name_the_file_and_suggest(tmp_path, minimal, edit, message):
    edit(minimal)
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, minimal)
    assert "survey.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "not valid YAML"),
        ("name: a\nname: b\n", "'name' occurs twice"),
        ("- a\n- b\n", "expected `key: value` lines"),
        ("", "empty"),
        ("# only a comment\n", "expected `key: value` lines"),
    ],
)
def test_broken_yaml(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, text)


def test_a_band_overrides_its_kind_in_depth(tmp_path, minimal):
    minimal["depth"] = {"g": 27, "broad": {4000: 25, 6000: 26}}
    assert load(tmp_path, minimal).depth.tolist() == [27]
    del minimal["depth"]["g"]
    np.testing.assert_allclose(load(tmp_path, minimal).depth, 25.5, atol=1e-9)
