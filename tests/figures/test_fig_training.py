import numpy as np
import pandas as pd
import pytest

from photoz.figures import fig_training
from photoz.files import InputError

STEPS = np.arange(60) * 10


def pretraining(n=60):
    step = np.arange(n) * 10
    return pd.DataFrame(
        {
            "step": step,
            "loss": 3 - 0.001 * step,
            "reconstruction_loss": 0.8 - 0.0001 * step,
            "learning_rate": np.where(step < 5 * n, 1e-3, 1e-4),
        }
    )


def finetuning(folds=3):
    parts = [
        pd.DataFrame(
            {"step": STEPS, "fold": f, "loss": -1.0 + f - 0.001 * STEPS, "learning_rate": 1e-3}
        )
        for f in range(folds)
    ]
    return pd.concat(parts, ignore_index=True)


def lines_of(ax):
    return {line.get_gid(): line for line in ax.lines if line.get_gid()}


def test_left_pretraining_right_finetuning():
    figure = fig_training.draw({"standard": pretraining()}, {"standard.longer.100": finetuning()})
    left, right = figure.axes
    assert set(lines_of(left)) == {"standard/loss", "standard/reconstruction_loss"}
    assert set(lines_of(right)) == {"standard.longer.100/loss"}
    titles = [ax.get_legend().get_title().get_text() for ax in (left, right)]
    assert titles == ["Pretraining", "Fine-tuning"]
    assert left.get_xlabel() == "Optimiser step" and "Loss" in left.get_ylabel()


def test_a_network_without_autoencoder_has_no_reconstruction_line():
    history = pretraining().assign(reconstruction_loss=np.nan)
    (ax,) = fig_training.draw({"no_autoencoder": history}, {}).axes
    assert set(lines_of(ax)) == {"no_autoencoder/loss"}


def test_lines_hold_the_losses():
    history = pretraining()
    line = lines_of(fig_training.draw({"a": history}, {}).axes[0])["a/loss"]
    assert line.get_xdata() == pytest.approx(history.step)
    assert line.get_ydata() == pytest.approx(history.loss)


def test_folds_are_averaged_and_spanned():
    ax = fig_training.draw({}, {"a": finetuning(folds=3)}).axes[0]
    assert lines_of(ax)["a/loss"].get_ydata() == pytest.approx(-0.001 * STEPS)
    (band,) = ax.collections
    at_start = band.get_paths()[0].vertices
    at_start = at_start[at_start[:, 0] == 0][:, 1]
    assert (at_start.min(), at_start.max()) == pytest.approx((-1, 1))


def test_long_histories_are_averaged_in_blocks_without_changing_the_mean():
    history = pretraining(n=1000)
    y = lines_of(fig_training.draw({"a": history}, {}).axes[0])["a/loss"].get_ydata()
    assert len(y) == 200 and y.mean() == pytest.approx(history.loss.mean())


def test_learning_rate_steps_are_marked_but_not_a_smooth_schedule():
    def marks(history):
        ax = fig_training.draw({"a": history}, {}).axes[0]
        return [line.get_xdata()[0] for line in ax.lines if line.get_gid() is None]

    assert marks(pretraining()) == [300]
    assert marks(pretraining().assign(learning_rate=np.linspace(1e-3, 0, 60))) == []


def test_the_first_spike_does_not_set_the_range():
    history = pretraining()
    history.loc[0, "loss"] = 1e6
    assert fig_training.draw({"a": history}, {}).axes[0].get_ylim()[1] < 10


def test_held_out_loss_is_drawn_where_there_is_one():
    history = pretraining().assign(validation_loss=np.nan)
    history.loc[::10, "validation_loss"] = 2.0
    lines = lines_of(fig_training.draw({"a": history}, {}).axes[0])
    assert lines["a/validation_loss"].get_ydata().tolist() == [2.0] * 6
    assert lines["a/validation_loss"].get_linestyle() == "--"


def test_unusable_input():
    with pytest.raises(InputError, match="no history"):
        fig_training.draw({}, {})
    with pytest.raises(InputError, match="no column 'loss'"):
        fig_training.draw({"a": pretraining().drop(columns="loss")}, {})
    with pytest.raises(InputError, match="column 'loss' has no finite value"):
        fig_training.draw({"a": pretraining().assign(loss=np.nan)}, {})
