import numpy as np
import pytest

from photoz.figures import fig8
from photoz.files import InputError

EVEN = (np.arange(200) + 0.5) / 200


def steps_of(ax):
    from matplotlib.patches import StepPatch

    return [patch for patch in ax.patches if isinstance(patch, StepPatch)]


def test_an_even_distribution_is_one_everywhere_and_far_from_no_bin():
    ax = fig8.draw({"paus_mock": EVEN}, {"paus_mock": EVEN}).axes[0]
    single, ensemble = steps_of(ax)
    values, edges, _ = ensemble.get_data()
    assert values == pytest.approx(np.ones(20)) and edges == pytest.approx(np.linspace(0, 1, 21))
    assert single.get_linestyle() != "-" and ensemble.get_linestyle() in ("-", "solid")


def test_the_legend_gives_the_distance_to_uniform():
    # All mass in the lower half: the two distributions are half apart at 1/2.
    legend = fig8.draw({}, {"a": np.linspace(0, 0.5, 5000)}).axes[0].get_legend()
    labels = [text.get_text() for text in legend.get_texts()]
    assert "Ensemble, KS = 0.500" in labels and any("15 %" in label for label in labels)
    assert not any("Single network" in label for label in labels)


def test_galaxies_without_pit_are_left_out_of_the_normalisation():
    pit = np.concatenate([EVEN, np.full(500, np.nan)])
    (patch,) = steps_of(fig8.draw({}, {"a": pit}).axes[0])
    assert patch.get_data().values == pytest.approx(np.ones(20))


def test_both_ends_are_counted():
    (patch,) = steps_of(fig8.draw({}, {"a": np.array([0.0, 1.0])}).axes[0])
    values = patch.get_data().values
    assert values[0] == values[-1] == 10 and values[1:-1].sum() == 0


def test_one_panel_per_catalogue_with_axis_labels():
    figure = fig8.draw({"paus_mock": EVEN}, {"paus_mock": EVEN, "zcosmos": EVEN})
    assert [ax.get_title() for ax in figure.axes] == ["PAUS mock", "zCOSMOS"]
    assert [len(steps_of(ax)) for ax in figure.axes] == [2, 1]
    assert all("PIT" in ax.get_xlabel() for ax in figure.axes)


def test_unusable_input():
    with pytest.raises(InputError, match="no catalogue"):
        fig8.draw({}, {})
    with pytest.raises(InputError, match=r"PIT of a, ensemble: none of 3 values is finite"):
        fig8.draw({}, {"a": np.full(3, np.nan)})
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        fig8.draw({}, {"a": np.array([0.5, 1.2])})
