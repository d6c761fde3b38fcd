"""The schema lane in pytest: marker `schema`, fixture `schemas`, and the reason when it is skipped."""

from typing import Any

import pytest
import yaml

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what became of the CEL rules: a rule that can't run here is not a rule that holds."""
    found = Schemas.open()
    if found and found.rules.counts:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in found.rules.counts.most_common())
        terminalreporter.write_line(f"schema lane: CEL rules: {counts}")


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """The stored schemas; the test is skipped when they aren't there."""
    found = Schemas.open()
    if found is None:
        pytest.skip(REASON_ABSENT)
    return found


@pytest.fixture(scope="session")
def sound_resources(schemas: Schemas) -> list[dict[str, Any]]:
    """Custom resources known to be right; the test is skipped when they aren't stored."""
    path = schemas.folder / "facts" / "data" / "layer1-cr-examples.yaml"
    if not path.is_file():
        pytest.skip(f"no {path.name} beside the schemas")
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]
