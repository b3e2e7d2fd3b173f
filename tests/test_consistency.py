"""Choices of a run that do not fit together, told before the first job starts."""

from pathlib import Path

import pytest

from photoz import configuration, consistency
from photoz.files import InputError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def check(monkeypatch):
    monkeypatch.chdir(ROOT)

    def resolved(**changes):
        base = {
            "name": "run",
            "survey": "config/surveys/paus.yaml",
            "catalogues": {"mock": {"kind": "mock"}},
            "simulations": {"fsps": {}},
            "noise": {"bright": {}},
            "networks": {"small": {}, "classifier": {"head": "classes"}},
            "pretraining": {
                "mixture": {"network": "small", "simulation": "fsps", "noise": "bright"},
                "classes": {"network": "classifier", "simulation": "fsps", "noise": "bright"},
            },
            "finetuning": {"usual": {"network": "small"}},
            "variants": {"first": {"finetuning": "usual"}},
        }
        run = configuration.resolve(configuration.merge(base, changes))
        consistency.check(run)

    return resolved


def usual(pretraining=None, **settings):
    """A run whose one variant is trained with these settings."""
    return {
        "finetuning": {"usual": settings},
        "variants": {"first": {"pretraining": pretraining}},
    }


@pytest.mark.parametrize(
    "changes",
    [
        usual("classes", calibrate=False, label_smoothing=0.15, oversampling=1, mixup=0.2),
        usual("mixture", train="head"),
        {"networks": {"small": {"front_end": "convolutional", "convolution_width": 39}}},
        {"networks": {"unused": {"head": "classes"}}},
        {"simulations": {"fsps": {"prior": {"gas_logu": "fixed", "redshift": "public_code"}}}},
    ],
)
def test_variants_of_the_paper_are_accepted(check, changes):
    check(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (usual("classes"), r"finetuning\.usual\.calibrate: .* 'classifier' of the variant 'first'"),
        (usual(network="classifier"), r"usual\.calibrate: .*set it to false"),
        (usual("mixture", label_smoothing=0.1), r"usual\.label_smoothing: .*no classifier"),
        (
            {"networks": {"small": {"features": 0}}, **usual(unlabelled="all")},
            r"usual\.unlabelled: the network 'small' .* no autoencoder",
        ),
        (usual("mixture", train="head", unlabelled="all"), r"usual\.unlabelled: .*`train: head`"),
        (usual(train="head"), r"usual\.train: the variant 'first' is not pretrained"),
        (
            {"networks": {"small": {"front_end": "convolutional", "convolution_width": 4}}},
            r"networks\.small\.convolution_width: 4 .*odd",
        ),
        (
            {"networks": {"small": {"front_end": "convolutional", "convolution_width": 41}}},
            r"networks\.small\.front_end: .*has 40; use `dense`",
        ),
        (
            {"networks": {"classifier": {"class_width": 1.0}}},
            r"networks\.classifier\.class_width: fewer than two",
        ),
        (
            usual("classes", calibrate=False)
            | {"simulations": {"fsps": {"prior": {"redshift": [0, 1.6]}}}},
            r"networks\.classifier\.class_redshift_max: simulation 'fsps' goes to redshift 1\.6",
        ),
        (
            usual("classes", calibrate=False)
            | {"simulations": {"fsps": {"kind": "templates", "redshift": [0.01, 2]}}},
            r"class_redshift_max: simulation 'fsps' goes to redshift 2;",
        ),
    ],
)
def test_choices_that_do_not_fit_are_one_line_that_names_the_key(check, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        check(**changes)
    assert "\n" not in str(caught.value)


def test_a_survey_without_narrow_bands_has_nothing_to_convolve(check, tmp_path):
    survey = tmp_path / "sdss.yaml"
    survey.write_text(
        "name: s\nzero_point: 22.5\nreference_band: r\n"
        "bands: [{name: r, kind: broad, sedpy: sdss_r0}]\n"
    )
    with pytest.raises(InputError, match=r"networks\.small\.front_end: .*sdss\.yaml has 0"):
        check(survey=str(survey), networks={"small": {"front_end": "convolutional"}})
