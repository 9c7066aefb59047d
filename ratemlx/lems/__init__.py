"""The model language: XML to a checked `Document`. Knows nothing of SymPy, kernels or runs."""

from ratemlx.lems.document import Document
from ratemlx.lems.parse import parse_file, parse_text

__all__ = ["Document", "parse_file", "parse_text"]
