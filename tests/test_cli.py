"""The command line: predictions as a run makes them, and errors in one line."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from photoz import __version__
from photoz.cli import app
from photoz.files import sha256
from photoz.networks.config import NetworkConfig
from photoz.networks.deepz import DeepZ, seeded_generators
from photoz.networks.transform import FluxRatio
from photoz.pdf.io import read_pdf, write_pdf
from photoz.survey.catalogue import Catalogue, write_catalogue
from photoz.training.checkpoints import TrainedNetworks, save_networks
from photoz.training.predict import predict_ensemble

ROOT = Path(__file__).parents[1]
BANDS = ("u", "r", "i")
SURVEY = """
name: three
zero_point: 25
reference_band: i
bands:
  - {name: u, kind: broad, sedpy: cfht_megacam_us_9301}
  - {name: r, kind: broad, sedpy: subaru_suprimecam_rp}
  - {name: i, kind: broad, sedpy: subaru_suprimecam_ip}
columns: {id: number, redshift: z, flux: "f_{band}", error: "df_{band}"}
"""


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def survey(tmp_path):
    path = tmp_path / "survey.yaml"
    path.write_text(SURVEY)
    return path


@pytest.fixture
def catalogue():
    rng = np.random.default_rng(1)
    flux = rng.uniform(10, 100, (30, 3)).astype(np.float32)
    flux[4, 1] = np.nan
    return Catalogue(
        id=np.arange(100, 130),
        redshift=rng.uniform(0.1, 1, 30),
        mag_i=25 - 2.5 * np.log10(flux[:, 2].astype(float)),
        flux=flux,
        error=np.full_like(flux, 2.0),
        bands=BANDS,
        survey="three",
        zero_point=25.0,
        reference_band="i",
    )


@pytest.fixture
def trained():
    config = NetworkConfig(2, 2, 2, width=8, features=2, components=3, undropped_layers=1)
    network = DeepZ(config, len(BANDS), seeded_generators([1, 2]))
    return TrainedNetworks(network.eval(), FluxRatio(BANDS, "i"))


@pytest.fixture
def networks(tmp_path, trained):
    path = tmp_path / "split-0.safetensors"
    save_networks(path, trained, {"stage": "finetuning", "seed": 3})
    return path


@pytest.fixture
def table(tmp_path, catalogue):
    path = tmp_path / "galaxies.csv"
    columns = {"number": catalogue.id, "z": catalogue.redshift}
    for k, band in enumerate(BANDS):
        columns |= {f"f_{band}": catalogue.flux[:, k], f"df_{band}": catalogue.error[:, k]}
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_a_users_table_gets_the_networks_redshifts(
    tmp_path, table, networks, survey, catalogue, trained
):
    out, pdf_out = tmp_path / "out.parquet", tmp_path / "out.hdf5"
    result = run("predict", table, "-n", networks, "-s", survey, "-o", out, "-o", pdf_out)
    assert result.exit_code == 0, result.output
    assert "30 galaxies" in result.output
    assert "1 have no valid p(z)" in result.output
    expected = predict_ensemble([trained], catalogue)
    photoz = pd.read_parquet(out)
    np.testing.assert_array_equal(photoz["id"], catalogue.id)
    np.testing.assert_allclose(photoz["z_mode"], expected.mode(), atol=1e-5)
    assert photoz["flag"].tolist() == [int(i == 4) for i in range(30)]
    pdf, columns = read_pdf(pdf_out)
    np.testing.assert_allclose(pdf.mean(), expected.mean(), rtol=1e-5)
    np.testing.assert_array_equal(columns["id"], catalogue.id)


def test_a_catalogue_of_a_run_needs_no_survey_and_fits_is_written(tmp_path, catalogue, networks):
    path, out = tmp_path / "catalogue.h5", tmp_path / "out.fits"
    write_catalogue(path, catalogue)
    result = run("predict", path, "--networks", networks, "--networks", networks, "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(b"SIMPLE  =")


def test_a_folder_stands_for_the_networks_in_it(tmp_path, catalogue, networks, trained):
    folder = tmp_path / "training"
    folder.mkdir()
    other = DeepZ(trained.network.config, len(BANDS), seeded_generators([8, 9]))
    other = dataclasses.replace(trained, network=other.eval())
    for name, item in {"split-0": trained, "split-1": other}.items():
        save_networks(folder / f"{name}.safetensors", item, {})
    (folder / ".split-2-x7f.safetensors").write_bytes(b"a killed training left this")
    (folder / "split-0.history.parquet").write_bytes(b"PAR1")
    path = tmp_path / "catalogue.h5"
    write_catalogue(path, catalogue)
    pdfs = {}
    for name, given in {
        "folder": [folder],
        "files": [folder / "split-0.safetensors", folder / "split-1.safetensors"],
        "both": [networks, folder],
    }.items():
        options = [item for path in given for item in ("-n", path)]
        result = run("predict", path, *options, "-o", tmp_path / f"{name}.h5")
        assert result.exit_code == 0, result.output
        pdfs[name] = read_pdf(tmp_path / f"{name}.h5")[0]
    np.testing.assert_array_equal(pdfs["folder"].weights, pdfs["files"].weights)
    np.testing.assert_array_equal(pdfs["folder"].means, pdfs["files"].means)
    np.testing.assert_allclose(
        pdfs["both"].mean(),
        predict_ensemble([trained, trained, other], catalogue).mean(),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"catalogue": "absent.csv"}, "absent.csv: "),
        ({"networks": "absent.safetensors"}, "absent.safetensors: network weights not found"),
        ({"networks": ROOT / "config"}, "config: no .safetensors file in this folder"),
        ({"out": "out.txt"}, "out.txt: end its name in .parquet or .fits (table) or .hdf5 (p(z))"),
        ({"survey": None}, "say with --survey which of its columns hold what"),
        ({"survey": "absent.yaml"}, "absent.yaml: survey not found"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, table, networks, survey, change, message):
    arguments = {"catalogue": table, "networks": networks, "survey": survey, "out": "out.fits"}
    arguments |= change
    command = ["predict", arguments["catalogue"], "-n", arguments["networks"]]
    command += ["-o", tmp_path / arguments["out"]]
    if arguments["survey"] is not None:
        command += ["-s", arguments["survey"]]
    result = run(*command)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("photoz: ")
    assert result.stderr.count("\n") == 1


def test_training_galaxies_are_noticed(tmp_path, catalogue, trained):
    path, weights = tmp_path / "c.h5", tmp_path / "n.safetensors"
    write_catalogue(path, catalogue)
    save_networks(weights, trained, {"data": {"results/catalogues/c.h5": sha256(path)}})
    result = run("predict", path, "-n", weights, "-o", tmp_path / "z.parquet")
    assert result.exit_code == 0
    assert "warning: networks were trained on galaxies of" in result.output
    write_catalogue(path, catalogue.take(np.arange(20)))
    assert "warning" not in run("predict", path, "-n", weights, "-o", tmp_path / "z.fits").output


def test_networks_of_other_bands_are_refused(tmp_path, catalogue, trained, table, survey):
    path = tmp_path / "other.safetensors"
    other = dataclasses.replace(trained, transform=FluxRatio(("g", "r", "i"), "i"))
    save_networks(path, other, {})
    result = run("predict", table, "-n", path, "-s", survey, "-o", tmp_path / "x.hdf5")
    assert result.exit_code == 2
    assert "band" in result.stderr
    assert not (tmp_path / "x.hdf5").exists()


def test_inspect_shows_what_is_in_each_kind_of_file(tmp_path, catalogue, networks, trained):
    write_catalogue(tmp_path / "catalogue.h5", catalogue)
    write_pdf(tmp_path / "pdf.hdf5", predict_ensemble([trained], catalogue), {"id": catalogue.id})
    pd.DataFrame({"z_mode": [0.5, np.nan]}).to_parquet(tmp_path / "table.parquet")
    np.savez(tmp_path / "grid.npz", spectrum=np.zeros((2, 3)))
    (tmp_path / "model.json").write_text(json.dumps({"model": {"name": "fixed_snr"}}))
    names = ("catalogue.h5", "pdf.hdf5", "table.parquet", "grid.npz", "model.json")
    result = run("inspect", networks, *(tmp_path / name for name in names))
    assert result.exit_code == 0, result.output
    for text in ("30 x 3 float32", "u, r, i", "100 to 129", "2 rows", "0.5 to 0.5, 1 missing"):
        assert text in result.output
    for text in ("fixed_snr", "2 x 3 float64", "finetuning", "n_networks", "ancil/id"):
        assert text in result.output


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.h5", b"not hdf5", "not a readable .h5 file"),
        ("x.parquet", b"PAR1", "not a readable .parquet file"),
        ("x.safetensors", b"abc", "not a readable weight file"),
        ("x.json", b"{", "not a readable .json file"),
        ("x.doc", b"word", "cannot tell what this is"),
        ("x.h5", b"", "is empty"),
    ],
)
def test_inspect_says_what_is_wrong_with_a_file(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    result = run("inspect", path)
    assert result.exit_code == 2
    assert message in result.stderr


def test_validate_says_fine_or_names_the_key(tmp_path):
    result = run("validate", ROOT / "config" / "config.yaml")
    assert result.exit_code == 0, result.output
    assert "fine" in result.output
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("sede: 1\n")
    result = run("validate", ROOT / "config" / "config.yaml", wrong)
    assert result.exit_code == 2
    assert result.stderr == (
        "photoz: config: sede: unknown key (did you mean 'seed'?); known here: "
        + result.stderr.split("known here: ")[1]
    )


def test_a_wheel_that_is_none_is_an_error(tmp_path):
    wheel = tmp_path / "x.whl"
    wheel.write_bytes(b"zip?")
    result = run("build-ssp-grid", wheel, tmp_path / "grid.npz")
    assert result.exit_code == 2
    assert str(wheel) in result.stderr
    assert not (tmp_path / "grid.npz").exists()


def test_version_and_help_are_quick_and_need_no_torch():
    code = "import sys; from photoz.cli import app; sys.argv = ['photoz', '--version']\n"
    code += "try:\n    app()\nfinally:\n    assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == f"photoz {__version__}\n"
    assert done.stderr == ""
    assert "predict" in run("--help").output
