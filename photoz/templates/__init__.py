"""Empirical galaxy templates: the library, and template fits built on it."""

from photoz.templates.library import (
    EMISSION_LINES,
    EmissionLine,
    TemplateLibrary,
    line_luminosities,
    load_template_library,
)

__all__ = [
    "EMISSION_LINES",
    "EmissionLine",
    "TemplateLibrary",
    "line_luminosities",
    "load_template_library",
]
