"""Makes `tests/support` importable as `support` and loads the plugins that live there."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
# A shell starts what runs in its background with interrupts ignored, and all that is started there inherits it: tests
# that interrupt would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ("support.golden", "support.lanes", "support.schemas_lane")


@pytest.fixture(autouse=True, scope="session")
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads what an earlier run left in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
