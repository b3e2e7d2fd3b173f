"""photoz: photometric redshifts from many-band surveys by transfer learning from simulations."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("photoz")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0+source"
