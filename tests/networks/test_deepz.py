"""The whole network: shapes, lockstep equivalence, variants."""

import pytest
import torch

from photoz.networks import DeepZ, NetworkConfig, seeded_generators
from photoz.networks.deepz import stacked
from photoz.networks.density import negative_log_likelihood

SMALL = NetworkConfig(encoder_layers=4, decoder_layers=4, photoz_layers=3, width=16, features=4)


def inputs(n, galaxies=40, bands=7):
    return torch.rand(n, galaxies, bands, generator=torch.Generator().manual_seed(5)).double()


def test_the_paper_network_has_the_papers_layers():
    network = DeepZ(NetworkConfig(), 46, seeded_generators([0]))
    for stack, n_in, n_out in [
        (network.encoder, 46, 10),
        (network.decoder, 10, 46),
        (network.photoz, 56, 30),
    ]:
        assert len(stack.hidden) == 10
        assert stack.hidden[0].weight.shape == (1, n_in, 250)
        assert stack.output.weight.shape == (1, 250, n_out)
    assert [layer.p for layer in network.encoder.hidden] == [0.02] * 7 + [0.0] * 3
    assert [layer.p for layer in network.photoz.hidden] == [0.01] * 10


@pytest.mark.parametrize("order", ["linear_norm_relu", "norm_linear_relu"])
def test_lockstep_networks_equal_single_ones(order):
    config = NetworkConfig(
        encoder_layers=4, decoder_layers=4, photoz_layers=3, width=16, features=4, layer_order=order
    )
    seeds = [11, 12, 13]
    together = DeepZ(config, 7, seeded_generators(seeds)).double()
    x, z = inputs(3), torch.rand(3, 40).double()
    loss = negative_log_likelihood(together(x, seeded_generators(seeds)), z)
    loss.sum().backward()
    for k, seed in enumerate(seeds):
        alone = DeepZ(config, 7, seeded_generators([seed])).double()
        single = negative_log_likelihood(
            alone(x[k : k + 1], seeded_generators([seed])), z[k : k + 1]
        )
        single.sum().backward()
        torch.testing.assert_close(loss[k : k + 1], single, rtol=1e-10, atol=1e-12)
        for (name, a), b in zip(alone.named_parameters(), together.parameters(), strict=True):
            if b.grad is not None:
                torch.testing.assert_close(
                    a.grad[0], b.grad[k], rtol=1e-8, atol=1e-10, msg=lambda m, n=name: f"{n}: {m}"
                )


def test_members_repeats_and_stacks_predict_alike():
    network = DeepZ(SMALL, 7, seeded_generators([1]))
    x = inputs(1).float()
    network.settle(x)
    three = network.repeated(3)
    again = stacked([three.member(2), three.member(0)])
    expected = network(x).mean
    for candidate in (three.member(1), again.member(0)):
        torch.testing.assert_close(candidate(x).mean, expected)
    with pytest.raises(ValueError, match="single"):
        three.repeated(2)


def test_the_public_codes_network_can_be_named():
    config = NetworkConfig(
        encoder_layers=5, decoder_layers=5, photoz_layers=15, photoz_first_width=400,
        photoz_dropout=0.02, photoz_undropped_layers=3, autoencoder_dropout=0.01,
        layer_order="norm_linear_relu",
    )  # fmt: skip
    hidden = DeepZ(config, 46, seeded_generators([0])).photoz.hidden
    shapes = [tuple(layer.linear.weight.shape[1:]) for layer in hidden]
    assert shapes == [(56, 400), (400, 250)] + [(250, 250)] * 13
    assert [layer.p for layer in hidden] == [0.02] * 12 + [0.0] * 3


def test_network_without_autoencoder_reads_only_the_bands():
    config = NetworkConfig(photoz_layers=2, width=8, features=0)
    network = DeepZ(config, 7, seeded_generators([0]))
    assert network.features(inputs(1).float()) is None
    assert network.photoz.hidden[0].weight.shape == (1, 7, 8)


def test_prediction_does_not_depend_on_the_other_galaxies():
    network = DeepZ(SMALL, 7, seeded_generators([1]))
    x = inputs(1).float()
    network.settle(x)
    torch.testing.assert_close(network(x).mean[:, :3], network(x[:, :3]).mean)


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"features": -1}, {"photoz_dropout": 1.0}, {"layer_order": "sideways"}]
)
def test_impossible_shapes_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NetworkConfig(**wrong)
