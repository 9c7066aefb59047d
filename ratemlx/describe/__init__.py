"""A page about a model, made from the model alone: text, equations, tables and figures, as Markdown.

Reads checked models and runs them; knows nothing of XML, of MkDocs or of a command line.
"""

from ratemlx.describe.page import Page, describe

__all__ = ["Page", "describe"]
