"""Passes from the checked model to straight-line programs, one per file; `pipeline` lists them."""
