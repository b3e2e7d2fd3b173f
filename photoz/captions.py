"""Captions of figures: reStructuredText with the parameters of the figure's rule filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from photoz.files import InputError, require_file


def caption_html(
    path: str | os.PathLike[str], params: Mapping[str, Any], config: Mapping[str, Any]
) -> str:
    """Render a caption as HTML, as the workflow's own report does.

    Parameters
    ----------
    path : path-like
        reStructuredText, a Jinja template that knows `snakemake.params` and `snakemake.config`.
    params, config : mapping
        Parameters of the figure's rule, and the run's configuration.

    Raises
    ------
    InputError
        If the file is absent, or asks for a parameter that the rule does not have.
    """
    # Both come with Snakemake and are needed by the workflow only.
    import docutils.core
    import jinja2
    from docutils.writers.html5_polyglot import Writer

    template = require_file(path, "a caption").read_text(encoding="utf-8")
    job = SimpleNamespace(params=SimpleNamespace(**params), config=config)
    strict = jinja2.Environment(undefined=jinja2.StrictUndefined)
    try:
        text = strict.from_string(template).render(snakemake=job)
    except jinja2.TemplateError as error:
        raise InputError(f"{path}: {error}") from error
    # No file may be read into a caption, and formulas are for the browser alone.
    settings = {"math_output": "MathML", "file_insertion_enabled": False, "raw_enabled": False}
    settings |= {"report_level": 3, "halt_level": 3, "_disable_config": True}
    parts = docutils.core.publish_parts(text, writer=Writer(), settings_overrides=settings)
    return str(parts["body"]).strip()
