import re
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import qp

from photoz.files import InputError
from photoz.pdf import GridPDF, MixturePDF, read_pdf, summarise, write_pdf
from photoz.pdf.io import pdf_file


def mixture(n=6, zmin=0.0):
    rng = np.random.default_rng(2)
    return MixturePDF(
        rng.dirichlet(np.ones(3), n), rng.uniform(-0.02, 0.5, (n, 3)), np.full((n, 3), 0.03), zmin
    )


def with_lost_row(pdf):
    weights = pdf.weights.copy()
    weights[1] = np.nan
    return MixturePDF(weights, pdf.means, pdf.sigmas, pdf.zmin)


def test_mixture_round_trip_with_columns_and_zmin(tmp_path):
    pdf = with_lost_row(mixture(zmin=0.01))
    ancil = {"id": np.arange(6) + 10**12, "name": np.array(list("abcdef")), **summarise(pdf)}
    write_pdf(tmp_path / "p.hdf5", pdf, ancil)
    back, columns = read_pdf(tmp_path / "p.hdf5")
    assert isinstance(back, MixturePDF)
    assert back.zmin == 0.01
    np.testing.assert_array_equal(back.valid, pdf.valid)
    np.testing.assert_allclose(back.means, pdf.means, atol=1e-7)
    np.testing.assert_allclose(back.mode(), pdf.mode(), atol=1e-6)
    assert columns.keys() == ancil.keys()
    np.testing.assert_array_equal(columns["id"], ancil["id"])
    assert columns["name"].tolist() == list("abcdef")
    np.testing.assert_array_equal(columns["z_mode"], ancil["z_mode"])


def test_qp_reads_the_same_untruncated_mixture(tmp_path):
    pdf = mixture()
    write_pdf(tmp_path / "p.hdf5", pdf, {"id": np.arange(6), "odds": pdf.odds()})
    ensemble = qp.read(str(tmp_path / "p.hdf5"))
    z = np.linspace(-0.2, 0.8, 101)
    plain = MixturePDF(pdf.weights, pdf.means, pdf.sigmas, zmin=-10)
    np.testing.assert_allclose(ensemble.pdf(z), plain.pdf(z), atol=1e-4)
    # Ours is the same density cut at zero and renormalised.
    above = z > 0
    ours = pdf.pdf(z[above])
    cut = ensemble.pdf(z[above]) / (1 - ensemble.cdf(0.0))
    np.testing.assert_allclose(ours, cut, atol=2e-4)
    np.testing.assert_array_equal(ensemble.ancil["id"], np.arange(6))
    assert qp.is_qp_file(str(tmp_path / "p.hdf5"))


def test_qp_opens_the_suffix_of_the_workflows_files(tmp_path):
    rules = Path(__file__).parents[2] / "workflow" / "rules"
    text = "".join(path.read_text() for path in rules.glob("*.smk"))
    suffixes = re.findall(r"/(?:split-\{split\}|\{variant\})(\.h\w+)\"", text)
    assert len(suffixes) >= 5 and len(set(suffixes)) == 1
    path = tmp_path / f"p{suffixes[0]}"
    write_pdf(path, mixture(), {"id": np.arange(6)})
    ensemble = qp.read(path)
    assert ensemble.npdf == 6
    np.testing.assert_array_equal(ensemble.ancil["id"], np.arange(6))


def test_files_that_qp_wrote_are_read(tmp_path):
    pdf = mixture()
    ensemble = qp.mixmod.create_ensemble(means=pdf.means, stds=pdf.sigmas, weights=pdf.weights)
    ensemble.write_to(str(tmp_path / "m.hdf5"))
    back, ancil = read_pdf(tmp_path / "m.hdf5")
    assert back.zmin == 0.0
    assert ancil == {}
    np.testing.assert_allclose(back.mode(), pdf.mode(), atol=1e-9)
    z = np.linspace(0, 1, 11)
    grid = qp.interp.create_ensemble(xvals=z, yvals=np.tile(1 + z, (2, 1)))
    grid.write_to(str(tmp_path / "g.hdf5"))
    back, _ = read_pdf(tmp_path / "g.hdf5")
    np.testing.assert_allclose(back.pdf(z), np.tile((1 + z) / 1.5, (2, 1)))


def test_grid_round_trip_and_qp(tmp_path):
    z = np.linspace(0, 1.2, 61)
    pdf = GridPDF(z, np.exp(-0.5 * ((z - np.array([[0.3], [0.7], [np.nan]])) / 0.1) ** 2))
    write_pdf(tmp_path / "g.hdf5", pdf, {"id": [1, 2, 3]})
    back, _ = read_pdf(tmp_path / "g.hdf5")
    assert isinstance(back, GridPDF)
    assert back.valid.tolist() == [True, True, False]
    np.testing.assert_allclose(back.density[:2], pdf.density[:2], rtol=1e-6, atol=1e-12)
    ensemble = qp.read(str(tmp_path / "g.hdf5"))
    at = np.linspace(0.1, 1, 17)
    np.testing.assert_allclose(ensemble.pdf(at)[:2], pdf.pdf(at)[:2], rtol=1e-5)


def test_same_input_same_bytes(tmp_path):
    names = tmp_path / "a.hdf5", tmp_path / "b.hdf5"
    for name in names:
        write_pdf(name, mixture(), {"id": np.arange(6)})
        time.sleep(1.1 if name is names[0] else 0)  # a stamped second would differ
    assert names[0].read_bytes() == names[1].read_bytes()


def test_broken_files_are_told(tmp_path):
    whole = tmp_path / "p.hdf5"
    write_pdf(whole, mixture())
    cut = tmp_path / "cut.hdf5"
    cut.write_bytes(whole.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"cut\.hdf5.*not a complete"):
        read_pdf(cut)
    with h5py.File(whole, "r+") as file:
        del file["data/stds"]
    with pytest.raises(InputError, match="stds"):
        read_pdf(whole)
    (tmp_path / "text.hdf5").write_text("no HDF5")
    with pytest.raises(InputError, match="not a complete"):
        read_pdf(tmp_path / "text.hdf5")
    with pytest.raises(InputError, match="not found"):
        read_pdf(tmp_path / "absent.hdf5")


def test_other_kinds_say_how_to_convert(tmp_path):
    hist = qp.hist.create_ensemble(bins=np.linspace(0, 1, 4), pdfs=np.ones((2, 3)))
    hist.write_to(str(tmp_path / "h.hdf5"))
    with pytest.raises(InputError, match=r"'hist'.*convert_to"):
        read_pdf(tmp_path / "h.hdf5")


def test_columns_must_fit(tmp_path):
    with pytest.raises(InputError, match="'id'"):
        write_pdf(tmp_path / "p.hdf5", mixture(), {"id": np.arange(5)})
    assert list(tmp_path.iterdir()) == []


def test_a_file_written_in_blocks_is_the_one_written_at_once(tmp_path):
    pdf = with_lost_row(mixture(zmin=0.01))
    ancil = {"id": np.array(["a", "bb", "ccc", "d", "e", "f"]), **summarise(pdf)}
    write_pdf(tmp_path / "whole.hdf5", pdf, ancil)
    with pdf_file(tmp_path / "blocks.hdf5") as file:
        for part in (slice(0, 1), slice(1, 5), slice(5, 6)):
            file.append(pdf.take(part))
        file.describe(ancil)
    whole, columns = read_pdf(tmp_path / "whole.hdf5")
    blocks, others = read_pdf(tmp_path / "blocks.hdf5")
    assert blocks.zmin == 0.01
    for name in ("weights", "means", "sigmas"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))
    assert others.keys() == columns.keys()
    for name, values in columns.items():
        np.testing.assert_array_equal(others[name], values)
    z = np.linspace(0.0, 0.5, 5)
    for file_name in ("whole.hdf5", "blocks.hdf5"):
        read = qp.read(str(tmp_path / file_name))
        assert read.npdf == 6 and read.pdf(z).shape == (6, 5)


def test_a_grid_can_be_written_in_blocks(tmp_path):
    grid = GridPDF(np.linspace(0, 1, 4), np.array([[0.0, 1, 1, 0], [0, 2, 1, 0]]))
    with pdf_file(tmp_path / "grid.hdf5") as file:
        file.append(grid.take([0]))
        file.append(grid.take([1]))
    back, _ = read_pdf(tmp_path / "grid.hdf5")
    np.testing.assert_allclose(back.density, grid.density, rtol=1e-6)


def test_an_unfinished_file_leaves_nothing_behind(tmp_path):
    with pytest.raises(InputError, match="beside 6"), pdf_file(tmp_path / "p.hdf5") as file:
        file.append(mixture())
        file.describe({"id": np.arange(5)})
    assert list(tmp_path.iterdir()) == []
