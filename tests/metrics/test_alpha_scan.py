"""The points of Fig. 6: one network and the largest ensemble, alpha = 1 on every line."""

import pandas as pd
import pytest

from photoz.files import InputError
from photoz.metrics.alpha_scan import alpha_table

MEMBERS = pd.DataFrame(
    [("mock", v, k, s / k, 0.1) for v, s in (("a", 8.0), ("b", 6.0), ("c", 4.0)) for k in (1, 2)]
    + [("other", "a", 1, 5.0, 0.2)],
    columns=["catalogue", "variant", "networks", "sigma68", "sigma68_error"],
)
POINTS = [
    ("mock", "a", 0.5, "keep_one"),
    ("mock", "b", 0.5, "drop_galaxy"),
    ("mock", "c", 1.0, "keep_one"),
    ("other", "a", 1, "drop_galaxy"),
]


def test_alpha_one_is_a_point_of_every_line():
    table = alpha_table(POINTS, MEMBERS)
    table = table.set_index(["catalogue", "empty_bands", "alpha"]).sort_index()
    ensembles = table[table["networks"] == 2]["sigma68"]
    assert ensembles["mock", "keep_one"].to_dict() == {0.5: 4.0, 1.0: 2.0}
    assert ensembles["mock", "drop_galaxy"].to_dict() == {0.5: 3.0, 1.0: 2.0}
    singles = table[table["networks"] == 1]["sigma68"]
    assert singles["mock", "drop_galaxy"].to_dict() == {0.5: 6.0, 1.0: 4.0}
    # a single split has no ensemble, and a catalogue only its own lines
    assert table.loc["other"]["networks"].tolist() == [1]
    assert table.loc["other"].index.tolist() == [("drop_galaxy", 1.0)]


def test_ensembles_of_a_catalogue_are_of_one_size():
    more = pd.DataFrame([("mock", "a", 3, 2.5, 0.1)], columns=MEMBERS.columns)
    table = alpha_table(POINTS, pd.concat([MEMBERS, more]))
    pd.testing.assert_frame_equal(table, alpha_table(POINTS, MEMBERS))


def test_what_was_not_measured_is_named():
    with pytest.raises(InputError, match="variant 'd' was not measured on 'mock'"):
        alpha_table([("mock", "d", 0.5, "keep_one")], MEMBERS)
    with pytest.raises(InputError, match=r"config/augmentation\.yaml has some"):
        alpha_table([], MEMBERS)
