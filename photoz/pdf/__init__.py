"""p(z): densities, their point estimates and quality, and their files."""

from photoz.pdf.grid import PDF, GridPDF
from photoz.pdf.io import read_pdf, write_pdf
from photoz.pdf.mixture import MixturePDF, average
from photoz.pdf.summary import summarise
from photoz.pdf.table import read_photoz_table, write_photoz_table

__all__ = [
    "PDF",
    "GridPDF",
    "MixturePDF",
    "average",
    "read_pdf",
    "read_photoz_table",
    "summarise",
    "write_pdf",
    "write_photoz_table",
]
