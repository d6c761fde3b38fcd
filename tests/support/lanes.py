"""The lanes in pytest: what ran in each, and which was skipped and why.

With CI=true a skipped lane fails the run. A test belongs to the lane whose marker it bears, else to the pure
lane. See README.md, "Lanes".
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

LANES = ("pure", "schema", "engine", "cluster")
"""In the order of what they need: Python; stored schemas; the Pulumi engine; a cluster of their own."""
PROPERTY = "lane"
"""How a test's report says its lane. Not by its keywords: folders are among them, and a part is named cluster."""

STAND_IN = "stand-in"
"""How a test's report names something that stood in for the real thing."""


class Lanes:
    """What became of the tests of each lane."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Counter[str]] = {lane: Counter() for lane in LANES}
        self.reasons: dict[str, Counter[str]] = defaultdict(Counter)
        self.stand_ins: dict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once: when it was called, or when it never came to that."""
        if report.when != "call" and (report.when != "setup" or report.passed):
            return
        lane = str(dict(report.user_properties).get(PROPERTY, "pure"))
        self.outcomes[lane][report.outcome] += 1
        for name, value in report.user_properties:
            if name == STAND_IN:
                self.stand_ins[lane].add(str(value))
        if report.skipped:
            self.reasons[lane][reason_of(report)] += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In CI, fail a run that skipped a lane or a part of one."""
        if self.missing() and in_ci() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line for each lane."""
        terminalreporter.ensure_newline()
        terminalreporter.section("lanes")
        for lane in LANES:
            for line in self.lines(lane):
                terminalreporter.write_line(line)
        if self.missing() and in_ci():
            terminalreporter.write_line(f"CI: skipped, so failed: {', '.join(self.missing())}", red=True)

    def missing(self) -> list[str]:
        """The lanes, beyond the pure one, of which a test was skipped."""
        return [lane for lane in LANES[1:] if self.outcomes[lane]["skipped"]]

    def lines(self, lane: str) -> Iterator[str]:
        """What became of a lane, and why tests of it were skipped."""
        counts = self.outcomes[lane]
        outcomes = [outcome for outcome in ("passed", "failed", "skipped") if counts[outcome]]
        said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in outcomes)
        yield f"{lane:<8} {said or 'no tests'}"
        for reason, count in self.reasons[lane].most_common():
            yield f"         skipped {count}: {reason}"
        for what in sorted(self.stand_ins[lane]):
            yield f"         not the real one: {what}"


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was skipped, in the words of who skipped it."""
    words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return words.removeprefix("Skipped: ")


def in_ci() -> bool:
    """Whether a skipped lane is a failure: in CI, where every lane has what it needs."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def pytest_configure(config: pytest.Config) -> None:
    """Count where the summary is written: in the controller, or in the only process."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Lanes(), "lanes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the lane of each test where its report finds it, also in another process."""
    for item in items:
        lane = next((lane for lane in LANES[1:] if item.get_closest_marker(lane)), "pure")
        item.user_properties.append((PROPERTY, lane))
