"""`apply.sh`: the same objects and releases by kubectl and helm, in the same order, with the same gates."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from aifactory.components.rows import Gate, HelmRow, KubernetesRow, Wave
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.charts import chart_reference, chart_repository, values_file
from aifactory.stacks.render.manifests import Step

_HEAD = """\
#!/usr/bin/env bash
# Applies stack {stack} with kubectl and helm, wave by wave. Safe to run again: it continues where it stopped.
#
#   ./apply.sh                    apply everything
#   ./apply.sh --from WAVE        start at a wave, such as 05-hardware
#   ./apply.sh --dry-run          ask the API server what it would accept, change nothing
#
# Uses context {context_shown} unless KUBE_CONTEXT says otherwise.
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"

context="${{KUBE_CONTEXT:-}}"
[ -n "$context" ] || context={context}
from="" dry=""
while [ $# -gt 0 ]; do
  case "$1" in
    --from) from="${{2:?--from needs a wave}}"; shift 2 ;;
    --dry-run) dry="--dry-run=server"; shift ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done
for tool in kubectl helm; do
  command -v "$tool" > /dev/null || {{ echo "$tool is not installed" >&2; exit 3; }}
done

wanted() {{ [ -z "$from" ] || [[ ! "$1" < "$from" ]]; }}
apply() {{
  kubectl --context "$context" apply --server-side --field-manager=aifactory ${{dry:+"$dry"}} -f "$1"
}}
release() {{ helm --kube-context "$context" upgrade --install ${{dry:+"$dry"}} "$@"; }}
gate() {{ [ -n "$dry" ] || kubectl --context "$context" wait "$@"; }}
"""


def apply_script(stack: Stack, ordered: list[Step]) -> str:
    """The script."""
    context = stack.plan.place.cluster.kubeconfig.context
    lines = [_HEAD.format(stack=stack.name, context=quote(context), context_shown=context)]
    waves: dict[Wave, list[Step]] = {}
    for step in ordered:
        waves.setdefault(step.wave, []).append(step)
    for wave, members in waves.items():
        lines.append(f"\nif wanted {wave}; then\n  echo '== {wave}'\n")
        lines.extend(f"  {line}\n" for step in members for line in _step_lines(step))
        lines.append("fi\n")
    lines.append(f"\necho {quote(f'stack {stack.name} is applied')}\n")
    return "".join(lines)


def _step_lines(step: Step) -> Iterator[str]:
    for release in step.releases:
        yield _release_line(release)
    for part, _ in step.objects:
        yield f"apply manifests/{step.wave}/{step.file(part)}"
    for _, rows in step.objects:
        for row in rows:
            if row.gate:
                yield _gate_line(row, row.gate)


def _release_line(row: HelmRow) -> str:
    repository = chart_repository(row)
    words = [row.name, chart_reference(row), *(["--repo", repository] if repository else [])]
    words += ["--version", row.version, "--namespace", row.namespace, "--values", values_file(row)]
    words += ["--wait", "--timeout", f"{row.timeout_s}s"]
    return "release " + " ".join(quote(word) for word in words)


def _gate_line(row: KubernetesRow, gate: Gate) -> str:
    group = str(row.body["apiVersion"]).rpartition("/")[0]
    kind = str(row.body["kind"]).lower() + (f".{group}" if group else "")
    wanted = f"condition={gate.condition}" if gate.condition else f"jsonpath={{{gate.path}}}={gate.value}"
    words = [f"--for={wanted}", f"--timeout={gate.timeout_s}s", f"{kind}/{row.name}"]
    words += ["--namespace", row.namespace] if row.namespace else []
    return "gate " + " ".join(quote(word) for word in words)
