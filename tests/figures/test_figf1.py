import numpy as np
import pandas as pd
import pytest

from photoz.figures import figf1
from photoz.files import InputError
from photoz.metrics.point import sigma68
from photoz.training.config import EXPOSURE_ORDERS


def make_orders(scale, n=2000):
    rng = np.random.default_rng(0)
    columns = {"dz": rng.normal(0, 3 * scale, n), "order_scatter": scale * rng.lognormal(0, 0.5, n)}
    return pd.DataFrame(columns)


TABLES = {"independent": make_orders(0.002), "fixed": make_orders(0.02), "same": make_orders(0.01)}


def test_every_order_has_a_line_and_the_error_of_one_order():
    (ax,) = figf1.draw(TABLES).axes
    labels = [patch.get_label() for patch in ax.patches]
    assert labels == ["No augmentation", "Same shuffle", "Independent shuffle"]
    upright = [line.get_xdata()[0] for line in ax.get_lines() if len(line.get_xdata()) == 2]
    assert upright == pytest.approx(
        [sigma68(TABLES[k]["dz"]) for k in ("fixed", "same", "independent")]
    )
    share, edges, _ = ax.patches[2].get_data()
    peak = edges[np.argmax(share)]
    assert 0.001 < peak < 0.004
    assert (share * np.diff(np.log10(edges))).sum() == pytest.approx(1.0)


def test_orders_of_training_all_have_a_look():
    assert set(figf1.LOOKS) == set(EXPOSURE_ORDERS) - {None}


def test_unusable_tables():
    with pytest.raises(InputError, match=r"no variant with finetuning\.individual_exposures"):
        figf1.draw({})
    with pytest.raises(InputError, match="no column 'order_scatter'"):
        figf1.draw({"same": TABLES["same"].drop(columns="order_scatter")})
    with pytest.raises(InputError, match="none of it is above 0"):
        figf1.draw({"same": TABLES["same"].assign(order_scatter=0.0)})
