"""`python -m ratemlx`: the command line without its script."""

from __future__ import annotations

import sys

from ratemlx.cli import main

sys.exit(main())
