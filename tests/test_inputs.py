"""Files that jobs read: found without loading them, and checked before the first job."""

import pytest
import yaml

from photoz import configuration, inputs
from photoz.files import InputError
from photoz.survey.survey import load_survey

MAP = {"id": "id", "flux": "f_{band}", "error": "e_{band}"}
EXPOSURES = {"path": "single.csv", "id": "id", "band": "band", "flux": "flux", "error": "error"}


@pytest.fixture
def survey(tmp_path):
    """A survey with a curve of its own; change its content and write it again."""
    folder = tmp_path / "surveys"
    (folder / "curves").mkdir(parents=True)
    (folder / "curves" / "n1.csv").write_text("4500,0\n4510,1\n4590,1\n4600,0\n")
    bands = [
        {"name": "N1", "kind": "narrow", "file": "curves/n1.csv"},
        {"name": "r", "kind": "broad", "sedpy": "sdss_r0"},
    ]
    content = {"name": "mine", "zero_point": 25, "reference_band": "r", "bands": bands}

    def write(**changes):
        path = folder / "mine.yaml"
        path.write_text(yaml.safe_dump(content | changes))
        return path

    return write


def run_on(survey, **catalogue):
    return configuration.resolve(
        {
            "name": "run",
            "survey": str(survey),
            "catalogues": {"mine": {"kind": "file", "path": "data/galaxies.csv"} | catalogue},
            "neighbours": {"near": {}},
            "variants": {"near": {"method": "neighbours", "neighbours": "near"}},
        }
    )


def test_curves_are_those_that_the_survey_reads(survey):
    path = survey()
    (curve,) = inputs.curve_files(run_on(path))
    assert curve == str(path.parent / "curves" / "n1.csv")
    load_survey(path)
    (path.parent / "curves" / "n1.csv").unlink()
    with pytest.raises(InputError, match=curve):
        load_survey(path)


@pytest.mark.parametrize("bands", [17, None, ["u", "r"], [{"source": "paus_narrow_bands"}]])
def test_surveys_without_curves_have_none(survey, bands):
    assert inputs.curve_files(run_on(survey(bands=bands))) == []


def test_exposures_are_beside_the_catalogue_whoever_names_them(survey):
    own = run_on(survey(), columns=MAP | {"exposures": EXPOSURES})
    surveys = run_on(survey(columns=MAP | {"exposures": EXPOSURES}))
    assert inputs.exposure_tables(own, "mine") == ["data/single.csv"]
    assert inputs.exposure_tables(surveys, "mine") == ["data/single.csv"]
    assert inputs.exposure_tables(run_on(survey(), columns=MAP), "mine") == []
    mock = configuration.merge(own, {"catalogues": {"sky": {"kind": "mock"}}})
    assert inputs.exposure_tables(mock, "sky") == []


def test_what_fits_together_is_accepted(survey):
    cuts = {"magnitude_max": 21, "required": ["r"]}
    inputs.check(run_on(survey(), columns=MAP, selection=cuts))
    inputs.check(run_on(survey(columns=MAP)))


@pytest.mark.parametrize(
    ("changes", "catalogue", "message"),
    [
        ({"reference_band": "i"}, {"columns": MAP}, r"mine\.yaml: .*reference_band 'i' is not a b"),
        ({"nmae": "x"}, {"columns": MAP}, r"mine\.yaml: .*unknown key 'nmae'"),
        ({}, {}, r"catalogues\.mine\.columns: missing; .*mine\.yaml has no `columns` either"),
        ({}, {"columns": MAP | {"redshfit": "z"}}, r"mine\.columns: unknown key 'redshfit'; did y"),
        ({}, {"columns": {"id": "id"}}, r"mine\.columns: band N1 has no columns"),
        (
            {},
            {"columns": MAP, "selection": {"magnitude_min": 22, "magnitude_max": 20}},
            r"mine\.selection: magnitude",
        ),
        (
            {},
            {"columns": MAP, "selection": {"required": ["R"]}},
            r"mine\.selection\.required: no band 'R'; did you mean 'r'\?",
        ),
    ],
)
def test_what_does_not_is_named_before_any_job(survey, changes, catalogue, message):
    with pytest.raises(InputError, match=message) as caught:
        inputs.check(run_on(survey(**changes), **catalogue))
    assert "\n" not in str(caught.value)
