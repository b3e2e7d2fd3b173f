import pytest
from matplotlib.patches import Rectangle

from photoz.figures import fig1
from photoz.files import InputError

NETWORK = {
    "encoder_layers": 4,
    "decoder_layers": 5,
    "photoz_layers": 3,
    "width": 77,
    "features": 9,
    "components": 6,
    "autoencoder_dropout": 0.025,
    "photoz_dropout": 0.0,
}


def text_of(figure):
    return "\n".join(text.get_text() for text in figure.axes[0].texts)


def bars_of(figure, title):
    patches = figure.axes[0].patches
    return [p for p in patches if isinstance(p, Rectangle) and p.get_gid() == title]


def test_every_number_comes_from_the_arguments():
    text = text_of(fig1.draw(NETWORK, 46))
    for part in (
        "46 bands",
        "Features\n9",
        "46 + 9 = 55",
        "4 layers of 77 nodes\ndropout 2.5 %",
        "5 layers of 77 nodes",
        "3 layers of 77 nodes\ndropout 0 %",
        "3 $\\times$ 6",
        "6 Gaussians",
    ):
        assert part in text
    assert "250" not in text and "10" not in text


def test_one_bar_per_layer_and_pale_bars_without_dropout():
    figure = fig1.draw({**NETWORK, "undropped_layers": 3}, 46)
    assert [len(bars_of(figure, t)) for t in ("Encoder", "Decoder", "Photo-z network")] == [4, 5, 3]
    opacity = [bar.get_facecolor()[3] for bar in bars_of(figure, "Decoder")]
    assert opacity[0] == opacity[1] > opacity[2] == opacity[3] == opacity[4]
    assert len({bar.get_facecolor() for bar in bars_of(figure, "Photo-z network")}) == 1


def test_deep_networks_are_abbreviated():
    figure = fig1.draw({**NETWORK, "photoz_layers": 100}, 46)
    assert 4 <= len(bars_of(figure, "Photo-z network")) < 20
    assert "..." in text_of(figure) and "100 layers" in text_of(figure)


def test_without_features_there_is_no_autoencoder():
    text = text_of(fig1.draw({**NETWORK, "features": 0}, 6))
    assert "Photo-z network" in text and "6 bands" in text
    assert "Encoder" not in text and "Concatenation" not in text


VARIANT = {
    "front_end": "convolutional", "convolution_layers": 2, "convolution_channels": 16,
    "head": "classes", "class_width": 0.001, "class_redshift_max": 1.5,
    "photoz_first_width": 400, "photoz_undropped_layers": 2, "layer_order": "norm_linear_relu",
}  # fmt: skip


def test_variants_of_the_network_are_told():
    figure = fig1.draw(NETWORK | VARIANT, 46)
    text = text_of(figure)
    for part in (
        "1500 classes",
        "bins of 0.001",
        "2 convolutions of 16 channels",
        "of 400, then 77",
    ):
        assert part in text
    assert "Gaussians" not in text
    bars = bars_of(fig1.draw(NETWORK | VARIANT | {"photoz_dropout": 0.1}, 46), "Photo-z network")
    opacity = [bar.get_facecolor()[3] for bar in bars]
    assert opacity[0] > opacity[1] == opacity[2]


@pytest.mark.parametrize("variant", [{}, VARIANT])
def test_texts_do_not_leave_the_figure(variant):
    figure = fig1.draw({**NETWORK, "width": 1024, "encoder_layers": 10} | variant, 46)
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    if renderer is None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        renderer = FigureCanvasAgg(figure).get_renderer()
    box = figure.bbox
    for text in figure.axes[0].texts:
        extent = text.get_window_extent(renderer)
        assert box.x0 <= extent.x0 and extent.x1 <= box.x1, text.get_text()
        assert box.y0 <= extent.y0 and extent.y1 <= box.y1, text.get_text()


@pytest.mark.parametrize(("key", "value"), [("width", 0), ("components", 2.5), ("features", -1)])
def test_impossible_numbers(key, value):
    with pytest.raises(InputError, match=key):
        fig1.draw({**NETWORK, key: value}, 46)


def test_a_missing_key_is_named():
    broken = {key: value for key, value in NETWORK.items() if key != "width"}
    with pytest.raises(InputError, match="no 'width'"):
        fig1.draw(broken, 46)
