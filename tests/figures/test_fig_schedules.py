import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig_schedules
from photoz.files import InputError


def trainings():
    rows = [
        (name, catalogue, seconds * (1 + 0.1 * seed), 0.01 / seconds**0.1 + 0.001 * seed)
        for name, seconds in (("short", 10.0), ("long", 100.0))
        for catalogue in ("paus_mock", "cosmos_mock")
        for seed in range(3)
    ]
    return pd.DataFrame(rows, columns=list(fig_schedules.COLUMNS))


def test_a_point_is_the_mean_with_the_error_over_seeds():
    table = trainings()
    figure = fig_schedules.draw(table)
    assert len(figure.axes) == 2
    (line, _, (bars,)) = figure.axes[0].containers[0]
    here = table[(table["catalogue"] == "paus_mock") & (table["name"] == "short")]
    assert line.get_xdata()[0] == pytest.approx(here["seconds"].mean())
    assert line.get_ydata()[0] == pytest.approx(here["sigma68"].mean())
    low, high = bars.get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(0.001 / np.sqrt(3))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["short", "long"]


def test_a_single_training_has_no_error_bar_and_a_missing_column_is_named():
    table = trainings().drop_duplicates(["name", "catalogue"])
    (_, _, (bars,)) = fig_schedules.draw(table).axes[0].containers[0]
    low, high = bars.get_segments()[0][:, 1]
    assert low == high
    with pytest.raises(InputError, match="seconds"):
        fig_schedules.draw(table.drop(columns="seconds"))
