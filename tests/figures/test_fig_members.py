import pandas as pd
import pytest

from photoz.figures import fig_members
from photoz.files import InputError


def make_sizes(catalogues=("paus_mock",), variants=("deepz", "no_pretraining"), n=20):
    rows = [
        (catalogue, variant, k, 0.006 * (1 + v) * (0.8 + 0.2 / k), 1e-4)
        for catalogue in catalogues
        for v, variant in enumerate(variants)
        for k in range(1, n + 1)
    ]
    return pd.DataFrame(
        rows, columns=["catalogue", "variant", "networks", "sigma68", "sigma68_error"]
    )


def test_a_line_for_every_variant():
    (ax,) = fig_members.draw(make_sizes()).axes
    lines = [bar.lines[0] for bar in ax.containers]
    assert [bar.get_label() for bar in ax.containers] == ["DEEPZ", "No pretraining"]
    assert list(lines[0].get_xdata()) == list(range(1, 21))
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_a_panel_for_every_catalogue_and_variants_in_the_order_asked_for():
    table = make_sizes(("paus_mock", "cosmos_mock"), n=3)
    axes = fig_members.draw(table, variants=["no_pretraining"]).axes
    assert [ax.get_title() for ax in axes] == ["PAUS mock", "COSMOS mock"]
    assert [len(ax.containers) for ax in axes] == [1, 1]


def test_unusable_tables():
    with pytest.raises(InputError, match="no column 'networks'"):
        fig_members.draw(make_sizes().drop(columns="networks"))
    with pytest.raises(InputError, match="no variant 'deep'"):
        fig_members.draw(make_sizes(), variants=["deep"])
