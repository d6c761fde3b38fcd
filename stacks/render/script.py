"""`apply.sh`: the same objects and releases by kubectl and helm, in the same order, with the same gates.

Server-side apply without --force-conflicts: a field that somebody else has set since stops the run, with the
name of the field and of who set it. Rows leave to controllers what is theirs to write, so this happens only
after a change by hand, and a change that was made by hand at night is not to be undone without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from aifactory.components.rows import Gate, HelmRow, KubernetesRow, Wave
from aifactory.stacks.assembly.handing import placeholder
from aifactory.stacks.assembly.rowset import HANDOFF
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.charts import chart_reference, chart_repository, release_labels, values_file
from aifactory.stacks.render.manifests import Step

_TEMPLATE = Path(__file__).parent / "templates" / "apply.sh"
_OBJECTS_A_GATE = 100
"""Objects that one `kubectl wait` names, far below what a command line holds."""


def apply_script(stack: Stack, ordered: Sequence[Step]) -> str:
    """The script."""
    waves: dict[Wave, list[Step]] = {}
    for step in ordered:
        waves.setdefault(step.wave, []).append(step)
    lines = [_head(stack, list(waves))]
    notes = _by_hand(stack, list(waves))
    labels = release_labels(stack)
    for wave, members in waves.items():
        lines.append(f"\nif wave {wave}; then\n")
        lines.extend(f"  {line}\n" for line in notes.get(wave, ()))
        lines.extend(f"  {line}\n" for step in members for line in _step_lines(step, labels))
        lines.append("fi\n")
    lines.append(_FOOT.replace("@stack@", stack.name))
    return "".join(lines)


_FOOT = """
doing=''
if [ -n "$dry" ]; then
  say "" "dry run: $accepted steps taken, $early can't be judged yet, $refused refused"
  [ "$refused" -eq 0 ] || exit 1
else
  say "" "stack @stack@ is applied${to:+, up to wave $to}"
fi
"""


def _head(stack: Stack, waves: Sequence[Wave]) -> str:
    cluster = stack.plan.place.cluster
    values = {
        "stack": stack.name,
        "wave": waves[-1] if waves else "",
        "waves": " ".join(waves),
        "context": quote(cluster.kubeconfig.context),
        "kubeconfig": kubeconfig_word(cluster.kubeconfig.file),
        "kubernetes": ".".join(cluster.version.removeprefix("v").split(".")[:2]),
    }
    text = _TEMPLATE.read_text(encoding="utf-8")
    if stack.handed:
        text = text.replace(_CHECKS, _refusal(stack) + _CHECKS)
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


_CHECKS = "for tool in kubectl helm; do\n"
"""Where the script begins to ask for things."""


def _refusal(stack: Stack) -> str:
    """Ends the script while files hold placeholders: an API server, or a chart, would take them for names."""
    placeholders = " ".join(quote(placeholder(ref)) for ref in stack.handed)
    return f"""\
# What the base of this site hands over stands in files as a placeholder.
for awaited in {placeholders}; do
  files=$(grep -rlF -e "$awaited" manifests helm 2> /dev/null) || true # a folder may be missing
  [ -z "$files" ] || fail "the base of this site hands over what stands in these files as $awaited:
$files
Deploy both layers: aifactory up. Or write the value there; the base has it: pulumi stack output {HANDOFF} --json"
done

"""


def kubeconfig_word(file: str) -> str:
    """The kubeconfig file as a word of a shell. A path not below `~` counts from the stack's folder."""
    return f'"$HOME"/{quote(file[2:])}' if file.startswith("~/") else quote(file)


def _by_hand(stack: Stack, waves: Sequence[Wave]) -> dict[Wave, list[str]]:
    """Work on hosts and switches, at the first wave that may rest on it."""
    found: dict[Wave, list[str]] = {}
    for folder, rows in (("hosts", list(stack.host_rows)), ("switches", list(stack.switch_rows))):
        first = min((row.wave for row in rows), default=None)
        wave = next((wave for wave in waves if first and wave >= first), None)
        if wave:
            found.setdefault(wave, []).append(f"by_hand {folder}/README.md")
    return found


def _step_lines(step: Step, labels: Mapping[str, str]) -> Iterator[str]:
    for release in step.releases:
        yield _release_line(release, values_file(labels[release.id]))
    for part, _ in step.objects:
        yield f"objects {step.path(part)}"
    yield from _gate_lines([row for _, rows in step.objects for row in rows])


def _release_line(row: HelmRow, values: str) -> str:
    repository = chart_repository(row)
    words = [row.namespace, row.name, str(row.timeout_s), chart_reference(row), values]
    words += [*(["--repo", repository] if repository else []), "--version", row.version]
    return "release " + " ".join(map(quote, words))


def _gate_lines(rows: Sequence[KubernetesRow]) -> Iterator[str]:
    """One line for objects that wait for the same, as the queues of all tenants do."""
    alike: dict[tuple[Gate, str], list[str]] = {}
    for row in rows:
        if row.gate and row.body["kind"] == "Job" and row.gate.condition == "Complete":
            yield " ".join(map(quote, ["job", str(row.gate.timeout_s), row.namespace, row.name]))
        elif row.gate:
            alike.setdefault((row.gate, row.namespace), []).append(f"{kind_name(row)}/{row.name}")
    for (gate, namespace), names in alike.items():
        for start in range(0, len(names), _OBJECTS_A_GATE):
            words = [str(gate.timeout_s), gate_text(gate), namespace, *names[start : start + _OBJECTS_A_GATE]]
            yield "gate " + " ".join(map(quote, words))


def gate_text(gate: Gate) -> str:
    """A gate as `kubectl wait --for` takes it."""
    return f"condition={gate.condition}" if gate.condition else f"jsonpath={{{gate.path}}}={gate.value}"


def kind_name(row: KubernetesRow) -> str:
    """The kind with its group: other groups have kinds of the same name."""
    group = str(row.body["apiVersion"]).rpartition("/")[0]
    return str(row.body["kind"]).lower() + (f".{group}" if group else "")
