"""``python -m rarefactor`` is the command ``rarefactor``."""

import sys

from rarefactor.cli import main

if __name__ == "__main__":
    sys.exit(main())
