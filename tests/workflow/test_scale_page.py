"""The workflow of docs/scale.md is one that Snakemake takes."""

import re
import subprocess
import sys

from tests.workflow.conftest import ROOT


def test_the_workflow_of_the_page_predicts_every_file_of_galaxies(tmp_path):
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    source = re.search(r"```python\n(CHUNKS.*?)```", page, re.DOTALL)[1]
    (tmp_path / "Snakefile").write_text(source)
    for name in ("galaxies/part-0.h5", "galaxies/part; touch x.h5", "networks/split-0.safetensors"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run", "--printshellcmds"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert re.search(r"^predict +2$", said, re.MULTILINE)
    assert "photoz predict galaxies/part-0.h5 --networks networks" in said
    assert "photoz predict 'galaxies/part; touch x.h5' --networks networks" in said
