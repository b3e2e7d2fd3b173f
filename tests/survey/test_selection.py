import numpy as np
import pytest

from photoz.files import InputError
from photoz.survey import Catalogue, RawCatalogue, Selection, ab_magnitude, select

NAN = np.nan


@pytest.fixture
def raw():
    flux = np.array(
        [[1, 1, 10], [1, 1, 100], [NAN, 1, 100], [1, -1, 100], [1, 1, -5], [1, 1, 100]],
        dtype=np.float32,
    )
    catalogue = Catalogue(
        id=np.arange(6),
        redshift=np.array([0.5, 0.01, 0.5, 0.5, 0.5, NAN]),
        mag_i=ab_magnitude(flux[:, 2], 26),
        flux=flux,
        error=np.ones_like(flux),
        bands=("NB455", "u", "i"),
        survey="toy",
        zero_point=26.0,
        reference_band="i",
    )
    confidence = np.array([3.5, 4.5, 5.0, 9.5, NAN, 3.0])
    return RawCatalogue(catalogue, confidence, {"mask_b": np.array([0, 0, 1, NAN, 0, 0])})


@pytest.mark.parametrize(
    ("cuts", "kept"),
    [
        ({}, [0, 1, 3, 5]),  # measured in every band; a negative u flux is a measurement
        ({"required": []}, [0, 1, 2, 3, 4, 5]),
        ({"required": ["u", "i"]}, [0, 1, 2, 3, 5]),
        ({"required": ["u"]}, [0, 1, 2, 3, 4, 5]),
        ({"required": [], "magnitude_max": 23.5}, [1, 2, 3, 5]),  # mag 23.5 itself is out
        ({"required": [], "magnitude_min": 23.5}, [0]),
        ({"required": [], "redshift_min": 0.01}, [0, 2, 3, 4]),  # strict, and NaN fails
        ({"required": [], "redshift_max": 0.5}, [1]),
        ({"required": [], "confidence": [[3, 5]]}, [0, 1, 5]),  # 5.0 is out
        ({"required": [], "confidence": [[3, 4], [9.3, 9.6]]}, [0, 3, 5]),
        ({"required": [], "unmasked": ["mask_b"]}, [0, 1, 4, 5]),  # unknown mask fails
    ],
)
def test_each_cut(raw, cuts, kept):
    catalogue, left = select(raw, Selection.from_dict(cuts))
    assert catalogue.id.tolist() == kept
    assert left["input"] == 6
    assert list(left.values())[-1] == len(kept)


def test_counts_follow_the_cuts(raw):
    selection = Selection.from_dict({"confidence": [[3, 5]], "redshift_min": 0.02})
    catalogue, left = select(raw, selection)
    assert left == {
        "input": 6,
        "confidence": 3,
        "redshift_min": 1,
        "required": 1,
        "reference_flux": 1,
    }
    assert catalogue.id.tolist() == [0]


def test_what_cannot_be_cut_on_is_an_error(raw):
    without = RawCatalogue(raw.catalogue)
    with pytest.raises(InputError, match="add 'confidence' to the column map"):
        select(without, Selection(confidence=((3, 5),)))
    with pytest.raises(InputError, match=r"needs mask 'mask_B'.*did you mean 'mask_b'"):
        select(raw, Selection(unmasked=("mask_B",)))
    with pytest.raises(InputError, match="required band 'NB456'"):
        select(raw, Selection(required=("NB456",)))


def test_nothing_left_says_which_cut(raw):
    with pytest.raises(InputError, match=r"input 6, magnitude_max 0"):
        select(raw, Selection(magnitude_max=10))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"magnitude_mx": 22}, "did you mean 'magnitude_max'"),
        ({"magnitude_max": "22.5"}, "magnitude_max: a finite number"),
        ({"redshift_min": 1, "redshift_max": 0.5}, "is not below"),
        ({"confidence": [3, 5]}, r"\[low, high\] expected"),
        ({"confidence": [[5, 3]]}, "is empty"),
        ({"confidence": 3}, r"\[low, high\] expected"),
        ({"unmasked": [1]}, "a list of names"),
        ({"unmasked": ["a", "a"]}, "twice"),
        ([], "expected keys and values"),
    ],
)
def test_wrong_configuration(config, message):
    with pytest.raises(InputError, match=message):
        Selection.from_dict(config)


def test_empty_configuration_is_the_default():
    assert Selection.from_dict(None) == Selection.from_dict({}) == Selection()
    assert Selection.from_dict({"required": "u"}).required == ("u",)
