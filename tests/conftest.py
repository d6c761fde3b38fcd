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


@pytest.fixture(autouse=True, scope="session")
def _a_day_that_stands_still() -> Iterator[None]:
    """Prices grow old; tests don't. Noon of 2026-11-29, in UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1795953600")
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_account_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test asks the account of whoever runs it, nor waits for an instance's metadata."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(tmp_path_factory.getbasetemp() / "none"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield
