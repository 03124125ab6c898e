"""``python -m mimir_engine`` is the command ``mimir``."""

import sys

from mimir_engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
