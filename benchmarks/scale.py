"""What many galaxies cost: `photoz predict` at growing sizes, and the disk each form of p(z) takes.

Every size is the command itself, in a process of its own with one thread, on a catalogue as a run
writes it: start, reading, networks, p(z), photo-z table and files included. docs/scale.md goes from
here to 1e8 galaxies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import predict
from benchmarks.train import one_thread
from photoz.pdf import GridPDF, MixturePDF, write_pdf
from photoz.survey.catalogue import Catalogue, write_catalogue
from photoz.training.checkpoints import TrainedNetworks, save_networks
from photoz.training.predict import predict_ensemble

ROOT = Path(__file__).parents[1]
SIZES = (10_000, 100_000)
FULL_SIZES = (10_000, 100_000, 1_000_000)
NETWORKS = (1, 5)
MANY_NETWORKS = 50
"""Ten splits of five folds; measured at the smallest size only."""
GRID = np.linspace(0.01, 1.5, 1491)
"""The redshifts of a template fit by default."""
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(full: bool = False) -> dict[str, Any]:
    """Measure sizes up to 1e5 galaxies, or to 1e6 if `full`.

    Returns
    -------
    dict
        Per number of galaxies and of networks: what `command` returns. Then bytes per galaxy of
        every form of p(z).
    """
    with one_thread():
        trained, galaxies = predict.example(predict.GALAXIES)
        return {
            **sizes(trained, galaxies, FULL_SIZES if full else SIZES),
            "bytes per galaxy": forms(trained, galaxies),
        }


def sizes(
    trained: TrainedNetworks,
    galaxies: Catalogue,
    numbers: Sequence[int],
    networks: Sequence[int] = NETWORKS,
    many: int = MANY_NETWORKS,
) -> dict[str, Any]:
    """Run the command on `numbers` of galaxies with every number of networks."""
    result = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for k in range(max(*networks, many)):  # equal weights cost what different ones cost
            save_networks(folder / f"network-{k}.safetensors", trained, {"data": {}})
        for n in numbers:
            catalogue = folder / "galaxies.h5"
            write_catalogue(catalogue, tiled(galaxies, n))
            for m in (*networks, many) if n == min(numbers) else networks:
                used = [folder / f"network-{k}.safetensors" for k in range(m)]
                name = f"{n} galaxies, {m} networks"
                result[name] = command(catalogue, used, n)
                print(f"{name}: {result[name]['seconds']:.0f} s", file=sys.stderr, flush=True)
    return result


def tiled(galaxies: Catalogue, n: int) -> Catalogue:
    """`n` galaxies: those given again and again, no two alike, lest files compress too well."""
    rng = np.random.default_rng(1)
    many = galaxies.take(np.arange(n) % len(galaxies))
    noise = 0.1 * many.error * rng.standard_normal(many.flux.shape, dtype=np.float32)
    return replace(
        many,
        id=np.arange(n),
        flux=many.flux + noise,
        redshift=many.redshift + rng.uniform(0, 1e-3, n),
        mag_i=many.mag_i + rng.uniform(0, 1e-3, n),
    )


def command(catalogue: Path, networks: Sequence[Path], n: int) -> dict[str, float]:
    """Time `photoz predict`, which writes p(z) and the photo-z table.

    Returns
    -------
    dict
        Seconds by the clock, start included; processor seconds of the start (imports) and of the
        rest; processor us per galaxy and network; peak memory of the process; bytes per galaxy of
        the files read and written.
    """
    pdf, table = catalogue.with_name("pdf.hdf5"), catalogue.with_name("table.parquet")
    start = time.perf_counter()
    done = _in_process(str(catalogue), str(pdf), str(table), *map(str, networks))
    return {
        "seconds": time.perf_counter() - start,
        **done,
        "processor_us_per_galaxy_and_network": 1e6 * done["processor"] / n / len(networks),
        "catalogue_bytes_per_galaxy": catalogue.stat().st_size / n,
        "pdf_bytes_per_galaxy": pdf.stat().st_size / n,
        "table_bytes_per_galaxy": table.stat().st_size / n,
    }


def forms(
    trained: TrainedNetworks, galaxies: Catalogue, networks: Sequence[int] = (1, 5, MANY_NETWORKS)
) -> dict[str, float]:
    """Bytes per galaxy of the p(z) file: mixtures of so many networks, and a grid."""
    one = predict_ensemble([trained], galaxies)
    pdfs: dict[str, MixturePDF | GridPDF] = {
        f"mixture, {m} networks": MixturePDF(
            np.tile(one.weights, m) / m, np.tile(one.means, m), np.tile(one.sigmas, m), one.zmin
        )
        for m in networks
    }
    pdfs[f"grid, {len(GRID)} redshifts"] = GridPDF(GRID, one.pdf(GRID))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pdf.hdf5"
        for name, pdf in pdfs.items():
            write_pdf(path, pdf)
            found[name] = path.stat().st_size / len(pdf)
    return found


def _in_process(*arguments: str) -> dict[str, float]:
    """Run this module in a process with one thread; its last line is its result."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", *arguments],
        cwd=ROOT,
        env=os.environ | _THREADS,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        said = [line for line in lines if line.startswith("photoz: ")] or lines
        raise RuntimeError(f"photoz predict failed: {said[-1]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _predict(catalogue: str, pdf: str, table: str, *networks: str) -> dict[str, float]:
    import photoz.training.predict  # noqa: F401 - what the command imports belongs to the start
    from photoz import cli

    start = time.process_time()
    cli.predict(Path(catalogue), [Path(path) for path in networks], [Path(pdf), Path(table)])
    return {
        "start": start,
        "processor": time.process_time() - start,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    """Largest memory of this process; `getrusage` would count its parent's before it started."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    print(json.dumps(_predict(*sys.argv[1:])))
