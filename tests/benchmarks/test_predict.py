import numpy as np
import pytest
import torch

from benchmarks import predict, references
from photoz.networks import NetworkConfig
from photoz.pdf import read_pdf, summarise

TINY = NetworkConfig(
    encoder_layers=2, decoder_layers=2, photoz_layers=2, width=32, features=3, components=3
)


@pytest.fixture(scope="module")
def example():
    return predict.example(300, steps=60, config=TINY)


def test_every_way_is_timed_and_compared(example):
    result = predict.measure(*example, repeats=1)
    rows = {name: row for name, row in result.items() if "times_public" in row}
    assert {"public", "plain", "ours, all", "ours, network", "bare matrix products"} <= set(rows)
    for row in rows.values():
        assert row["galaxies_per_second"] == pytest.approx(1e6 / row["us_per_galaxy"])
    assert set(result["parts, us per galaxy"]) >= {"mode", "ODDS", "width"}
    # The rivals have the same weights, so they must find the same redshifts up to their bins.
    assert result["public against ours"]["median |shift| of the mode"] < 5e-3
    assert result["public against ours"]["median |shift| of ODDS"] < 0.02


def test_ours_stores_what_it_computes(example, tmp_path):
    trained, galaxies = example
    pdf = predict._ours(trained, galaxies, tmp_path / "pdf.hdf5")
    stored, columns = read_pdf(tmp_path / "pdf.hdf5")
    np.testing.assert_allclose(stored.means, pdf.means, rtol=1e-6)
    np.testing.assert_array_equal(columns["odds"], summarise(pdf)["odds"])


def test_bins_are_the_density_at_the_public_codes_redshifts(example):
    trained, galaxies = example
    pdf = predict.predict_ensemble([trained], galaxies.take(np.arange(5)))
    bins = predict._binned(pdf, rows=2)
    np.testing.assert_allclose(bins, pdf.pdf(references.GRID.numpy()), rtol=1e-4, atol=1e-5)


def test_run_says_when_there_is_no_gpu(monkeypatch, example):
    monkeypatch.setattr(predict, "example", lambda n: example)
    monkeypatch.setattr(predict, "measure", lambda *a: {"threads": torch.get_num_threads()})
    monkeypatch.setattr(predict, "SIZES", (10, 40))
    monkeypatch.setattr(predict.torch.cuda, "is_available", lambda: False)
    result = predict.run(full=True)
    assert result["threads"] == 1
    assert "no GPU" in result["GPU"]["not measured"]
    assert list(result["growth, us per galaxy"]) == ["10 galaxies", "40 galaxies"]
