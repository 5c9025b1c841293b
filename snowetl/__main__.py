"""``python -m snowetl``."""

import sys

from snowetl.cli.main import main

sys.exit(main())
