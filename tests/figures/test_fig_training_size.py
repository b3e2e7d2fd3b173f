import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig_training_size
from photoz.files import InputError

SIZES = [("single", "single_tenth", 0.1), ("single", "single", 1.0)]
SIZES += [("no_pretraining", "no_pretraining_tenth", 0.1), ("no_pretraining", "no_pretraining", 1)]


def make_sizes(catalogues=("paus_mock",)):
    """Scatter of all galaxies, and rows that must not be drawn."""
    rows = []
    for catalogue in catalogues:
        for variant, value in (("single", 0.007), ("no_pretraining", 0.009), ("knn", 0.5)):
            for ending, factor in (("", 1.0), ("_tenth", 2.0)):
                name = variant + ending
                everything = (catalogue, name, "all", 980, 20, "sigma68", factor * value, 1e-4)
                rows += [everything, (catalogue, name, "mag_i", 10, 0, "sigma68", 9.0, 0.1)]
    columns = "catalogue variant bin_by n n_invalid metric value error"
    return pd.DataFrame(rows, columns=columns.split())


def lines_of(ax):
    return {bar.get_label(): bar.lines[0] for bar in ax.containers}


def test_lines_are_scatter_against_galaxies_in_training():
    (ax,) = fig_training_size.draw(make_sizes(), SIZES, n_folds=5).axes
    lines = lines_of(ax)
    assert set(lines) == {"DEEPZ, one network", "No pretraining"}
    line = lines["DEEPZ, one network"]
    assert line.get_xdata() == pytest.approx([80, 800])  # four of five folds of 1000 galaxies
    assert line.get_ydata() == pytest.approx([0.014, 0.007])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_one_panel_per_catalogue():
    figure = fig_training_size.draw(make_sizes(["paus_mock", "cosmos_mock"]), SIZES)
    assert [ax.get_title() for ax in figure.axes] == ["PAUS mock", "COSMOS mock"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["DEEPZ, one network", "No pretraining"]


def test_unusable_tables():
    table = make_sizes()
    with pytest.raises(InputError, match="no column 'n_invalid'"):
        fig_training_size.draw(table.drop(columns="n_invalid"), SIZES)
    with pytest.raises(InputError, match="differ in their training_fraction"):
        fig_training_size.draw(table, [("other", "other", 1.0)])
    with pytest.raises(InputError, match="no finite value"):
        fig_training_size.draw(table.assign(value=np.nan), SIZES)
