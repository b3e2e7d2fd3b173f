import numpy as np
import pytest

from photoz.figures import fig2
from photoz.files import InputError

from .conftest import make_metrics


def lines_of(ax):
    return {bar.get_label(): bar.lines[0] for bar in ax.containers}


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_lines_and_error_bars_hold_the_tables_numbers(metrics):
    ax = fig2.draw(metrics).axes[0]
    chosen = metrics[(metrics.bin_by == "mag_i") & (metrics.variant == "no_pretraining")]
    line = lines_of(ax)["No pretraining"]
    assert line.get_ydata() == pytest.approx(chosen.value)
    # Each point stays inside its own bin.
    assert np.all((line.get_xdata() > chosen.bin_low) & (line.get_xdata() < chosen.bin_high))
    (container,) = [c for c in ax.containers if c.get_label() == "No pretraining"]
    low, high = np.array([segment[:, 1] for segment in container.lines[2][0].get_segments()]).T
    assert 0.5 * (high - low) == pytest.approx(chosen.error)


def test_labels_and_legend(metrics):
    figure = fig2.draw(metrics)
    (ax,) = figure.axes
    assert "[mag]" in ax.get_xlabel() and r"\sigma_{68}" in ax.get_ylabel()
    assert legend_of(figure) == ["DEEPZ", "No pretraining"]
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize(
    ("band", "label"), [("i", r"$i_{\rm AB}$ [mag]"), ("NB755", "NB755 (AB) [mag]")]
)
def test_the_magnitude_is_named_after_its_band(metrics, band, label):
    assert fig2.draw(metrics, reference_band=band).axes[0].get_xlabel() == label


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_one_panel_per_catalogue(n):
    figure = fig2.draw(make_metrics([f"field_{k}" for k in range(n)]))
    assert len(figure.axes) == n
    if n > 1:
        assert [ax.get_title() for ax in figure.axes] == [f"Field {k}" for k in range(n)]
    assert len(legend_of(figure)) == 2


def test_chosen_variants_in_the_chosen_order(metrics):
    figure = fig2.draw(metrics, variants=["no_pretraining", "deepz"])
    assert legend_of(figure) == ["No pretraining", "DEEPZ"]
    with pytest.raises(InputError, match="no variant 'depz'"):
        fig2.draw(metrics, variants=["depz"])


def test_a_metric_of_both_signs_has_a_linear_axis(metrics):
    ax = fig2.draw(metrics, metric="bias", bin_by="redshift").axes[0]
    assert ax.get_yscale() == "linear" and ax.get_xlabel() == "Spectroscopic redshift"


def test_empty_bins_leave_gaps_and_do_not_stop_the_figure(metrics):
    metrics.loc[metrics.bin_low == 21, ["value", "error"]] = np.nan
    metrics.loc[metrics.bin_low == 22, "error"] = np.nan
    line = lines_of(fig2.draw(metrics).axes[0])["DEEPZ"]
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False]


def test_open_ended_bins_are_left_out(metrics):
    metrics.loc[metrics.bin_low == 22, "bin_high"] = np.inf
    assert len(lines_of(fig2.draw(metrics).axes[0])["DEEPZ"].get_ydata()) == 2


def test_a_variant_may_be_missing_from_a_catalogue():
    metrics = make_metrics(["a", "b"])
    metrics = metrics[~((metrics.catalogue == "a") & (metrics.variant == "no_pretraining"))]
    figure = fig2.draw(metrics)
    assert [len(ax.containers) for ax in figure.axes] == [1, 2]


def test_unusable_tables(metrics):
    with pytest.raises(InputError, match="no column 'error'"):
        fig2.draw(metrics.drop(columns="error"))
    with pytest.raises(InputError, match="no rows"):
        fig2.draw(metrics.iloc[:0])
    with pytest.raises(InputError, match="no finite value of metric 'sigma68'"):
        fig2.draw(metrics.assign(value=np.nan))
    with pytest.raises(InputError, match="metric 'sgima68'"):
        fig2.draw(metrics, metric="sgima68")
