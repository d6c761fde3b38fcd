"""Makes `tests/support` importable as `support` and loads the plugins that live there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ("support.golden", "support.lanes", "support.schemas_lane")
