"""The schema lane in pytest: marker `schema`, fixture `schemas`, and the reason when it is skipped."""

import pytest
from support.schemas import REASON_ABSENT, Schemas


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "schema: needs the stored CRDs and chart values (AIFACTORY_SCHEMAS)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the lane, with its reason, when there is no schemas folder."""
    lane = [item for item in items if item.get_closest_marker("schema")]
    if lane and Schemas.open() is None:
        for item in lane:
            item.add_marker(pytest.mark.skip(reason=REASON_ABSENT))


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """The stored schemas; the test is skipped when they aren't there."""
    found = Schemas.open()
    if found is None:
        pytest.skip(REASON_ABSENT)
    return found
