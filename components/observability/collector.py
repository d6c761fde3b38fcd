"""Configuration of the collectors: what they take, what they drop, and where the rest goes.

Two of them: one that programs send spans, logs and metrics to, and one on each node that reads logs of pods. Each drops
before it sends, so that text of prompts never leaves the pod of a collector.
Names of components are those that release 0.158 of opentelemetry-collector-k8s takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from aifactory.components import names
from aifactory.components.capabilities import PROMETHEUS_URL
from aifactory.components.observability.buffering import FORWARD_S
from aifactory.components.observability.decided import (
    OFFSETS,
    OTLP_GRPC,
    OTLP_HTTP,
    PROXIES,
    Destination,
    Kept,
    ObservabilityPlan,
)
from aifactory.components.observability.texts import alternatives, any_of, literal, quoted
from aifactory.components.tracing import MODEL_TAG, TENANT_TAG

Tree = dict[str, object]
POD_LOGS = "/var/log/pods"
QUEUES = f"{OFFSETS}/queues"
QUEUE = "file_storage/queue"
BATCH_BYTES = 500_000
"""Of what is sent at once, at least, unless 5 s have passed; at most four times that, which destinations take."""
RENAMED = (
    ("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
    ("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"),
)
"""Attributes of vLLM's spans, and what the conventions call them."""
FORWARD = "forwarded"
HEALTH = 13133
NODE_NAME = "KUBE_NODE_NAME"
"""Variable of an agent with the name of its node. Source: opentelemetry-collector-contrib
processor/k8sattributesprocessor/README.md, As an agent."""
ANYWHERE = "0.0.0.0"  # noqa: S104 - of a pod, whose policies say who gets through
METRICS = 8888
DROPPED = "dropped: it may hold text of a prompt or an answer"
LONGEST = 256
"""Characters of an attribute that is kept: enough for names, not for a conversation."""
SPAN_NAME = "^[A-Za-z0-9_.:/-]{1,80}( [A-Za-z0-9_.:/-]{1,80})?$"
"""Names of spans that pass: the conventions make them of an operation and a model. Others may be sentences."""


def gateway(plan: ObservabilityPlan) -> Tree:
    """What programs send to."""
    pipelines: Tree = {}
    exporters: Tree = {}
    receivers: Tree = {"otlp": {"protocols": _protocols()}}
    if plan.traces:
        sampler = [] if plan.traces_percent >= 100 else ["probabilistic_sampler"]
        pipelines["traces"] = _pipeline("otlp", plan, "traces", *sampler)
        exporters |= _exporter(plan.traces, _waits(plan, "traces"))
    if plan.logs:
        pipelines["logs"] = _pipeline("otlp", plan, "logs")
        exporters |= _exporter(plan.logs, _waits(plan, "logs"))
    if plan.metrics:
        order = ["memory_limiter", "resource", *_batch(plan)]
        exporter = f"otlphttp/{FORWARD}"
        pipelines[f"metrics/{FORWARD}"] = {"receivers": ["prometheus"], "processors": order, "exporters": [exporter]}
        receivers["prometheus"] = {"config": {"scrape_configs": [_own_metrics(plan)]}}
        exporters |= _exporter(plan.metrics, _waits(plan, "metrics"), FORWARD)
    if plan.metrics_url:
        pipelines["metrics"] = _pipeline("otlp", plan, "metrics")
        exporters |= _exporter(Destination("metrics", plan.metrics_url, "prometheus"))
    processors: Tree = {
        **_common(plan),
        # What a program says of itself is not believed: names of tenants and models come from Kubernetes alone.
        "transform/identity": _identity(),
        "transform/requests": _requests(),
        **({} if plan.kept.text else {"transform/prompts": _without_text(plan.kept)}),
        **({} if plan.kept.text else {"filter/metrics": _known_metrics(plan.kept)}),
    }
    if plan.traces and plan.traces_percent < 100:
        processors["probabilistic_sampler"] = {"sampling_percentage": plan.traces_percent}
    found = _configuration(receivers, _used(processors, pipelines), exporters, pipelines)
    return _with_disk(found, {QUEUE: _disk(QUEUES)}) if plan.buffer else found


def _protocols() -> Tree:
    return {
        "grpc": {"endpoint": f"{ANYWHERE}:{OTLP_GRPC}", "max_recv_msg_size_mib": 16},
        "http": {"endpoint": f"{ANYWHERE}:{OTLP_HTTP}"},
    }


def _own_metrics(plan: ObservabilityPlan) -> Tree:
    """Reads from the site's Prometheus, through its federation, the series that leave the site."""
    chosen = f"{{__name__=~{any_of(plan.forwarded)}}}"
    return {
        "job_name": FORWARD,
        "honor_labels": True,
        "metrics_path": "/federate",
        "params": {"match[]": [literal(chosen)]},
        "scrape_interval": f"{FORWARD_S}s",
        "scrape_timeout": "30s",
        "static_configs": [{"targets": [PROMETHEUS_URL.removeprefix("http://")]}],
    }


def _waits(plan: ObservabilityPlan, signal: str) -> int:
    """Bytes that wait on disk, 0 where nothing has to."""
    return plan.buffer.size(signal) if plan.buffer else 0


def agent(plan: ObservabilityPlan, logs: Destination) -> Tree:
    """What reads the logs of a node."""
    common = _common(plan)
    processors: Tree = {
        **common,
        # Without it each agent would hold every pod of the cluster, and the API server would tell each of all.
        "k8sattributes": {**_tree(common["k8sattributes"]), "filter": {"node_from_env_var": NODE_NAME}},
        **({} if plan.kept.text else {"transform/lines": _known_lines(plan.kept)}),
    }
    lines = [] if plan.kept.text else ["transform/lines"]
    order = ["memory_limiter", "k8sattributes", "resource", *lines, *_batch(plan)]
    pipeline = {"receivers": ["filelog"], "processors": order, "exporters": [f"otlphttp/{logs.signal}"]}
    receiver = {
        "include": [f"{POD_LOGS}/*/*/*.log"],
        # Its own lines would be read, sent, and written about again.
        "exclude": [f"{POD_LOGS}/{plan.identity}_*/*/*.log"],
        "start_at": "end",
        "include_file_path": True,
        "include_file_name": False,
        "storage": "file_storage",
        "operators": [{"id": "container", "type": "container"}],
        # Lines that find the queue full stay in their files, as long as the kubelet keeps these.
        "retry_on_failure": {"enabled": True, **({"max_elapsed_time": "0s"} if plan.buffer else {})},
    }
    exporter = _exporter(logs, plan.buffer.agent_bytes if plan.buffer else 0)
    found = _configuration({"filelog": receiver}, processors, exporter, {"logs": pipeline})
    noted: Tree = {"file_storage": {"directory": OFFSETS, "create_directory": True}}
    found["processors"] = _used(processors, {"logs": pipeline})
    return _with_disk(found, {**noted, **({QUEUE: _disk(QUEUES)} if plan.buffer else {})})


def _tree(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)  # noqa: S101 - made below
    return value


def _with_disk(found: Tree, storages: Tree) -> Tree:
    """The configuration with extensions that keep things on disk."""
    service, extensions = _tree(found["service"]), _tree(found["extensions"])
    named = {**service, "extensions": [*service["extensions"], *storages]}
    return {**found, "extensions": {**extensions, **storages}, "service": named}


def _disk(folder: str) -> Tree:
    """A file that survives a power cut, and shrinks once the queue in it is empty: a copy of what is left is small."""
    return {
        "directory": folder,
        "create_directory": True,
        "fsync": True,
        "recreate": True,
        "compaction": {
            "directory": folder,
            "on_rebound": True,
            "rebound_needed_threshold_mib": 64,
            "rebound_trigger_threshold_mib": 8,
        },
    }


def secrets(*destinations: Destination | None) -> list[tuple[str, str]]:
    """Variables that hold tokens, and the Secrets they come from."""
    return [(_variable(each), each.secret) for each in destinations if each and each.secret]


def _configuration(receivers: Tree, processors: Tree, exporters: Tree, pipelines: Tree) -> Tree:
    reader = {"pull": {"exporter": {"prometheus": {"host": ANYWHERE, "port": METRICS}}}}
    return {
        "receivers": receivers,
        "processors": processors,
        "exporters": exporters,
        "extensions": {"health_check": {"endpoint": f"{ANYWHERE}:{HEALTH}"}},
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"logs": {"level": "warn", "encoding": "json"}, "metrics": {"readers": [reader]}},
            "pipelines": pipelines,
        },
    }


def _pipeline(receiver: str, plan: ObservabilityPlan, signal: str, *more: str) -> Tree:
    """The limit on memory comes first, so that what can't be carried is refused; batches come last."""
    drop = [] if plan.kept.text else ["transform/prompts", *(["filter/metrics"] if signal == "metrics" else [])]
    drop = ["transform/requests", *drop]
    batch = ["batch"] if signal == "metrics" else _batch(plan)
    order = ["memory_limiter", "transform/identity", "k8sattributes", "resource", *drop, *more, *batch]
    return {"receivers": [receiver], "processors": order, "exporters": [f"otlphttp/{signal}"]}


def _batch(plan: ObservabilityPlan) -> list[str]:
    """What waits on disk is made into batches behind its queue. Before it they would be lost with the power, and a full
    queue would be told to nobody who could try again."""
    return [] if plan.buffer else ["batch"]


def _used(processors: Tree, pipelines: Tree) -> Tree:
    """Processors that a pipeline names: a collector warns of others."""
    named = {name for each in pipelines.values() if isinstance(each, dict) for name in each["processors"]}
    return {name: body for name, body in processors.items() if name in named}


def _common(plan: ObservabilityPlan) -> Tree:
    labels = [
        {"tag_name": "aifactory.tenant", "key": names.TENANT_LABEL, "from": "namespace"},
        {"tag_name": "aifactory.model", "key": names.MODEL_LABEL, "from": "pod"},
    ]
    metadata = ["k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.node.name", "k8s.container.name"]
    return {
        "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
        "k8sattributes": {
            "auth_type": "serviceAccount",
            "extract": {"metadata": metadata, "labels": labels},
            "pod_association": [
                {"sources": [{"from": "resource_attribute", "name": "k8s.pod.uid"}]},
                {"sources": [{"from": "connection"}]},
            ],
        },
        "resource": {"attributes": [{"key": "aifactory.site", "value": literal(plan.site), "action": "upsert"}]},
        "batch": {"timeout": "5s", "send_batch_size": 8192, "send_batch_max_size": 16384},
    }


def _identity() -> Tree:
    """Forgets what the sender says of where it runs and whose it is: the address it sends from says it."""
    told = ["k8s.pod.uid", "k8s.pod.name", "k8s.namespace.name", "k8s.node.name", "k8s.container.name"]
    told += ["aifactory.tenant", "aifactory.model", "aifactory.site", TENANT_TAG]
    return _of_all("resource", [f"delete_key(resource.attributes, {quoted(name)})" for name in told])


def _requests() -> Tree:
    """Tenants of requests from doors alone, since nobody else knows whose a request is; and names of the pinned
    conventions where an engine has older ones."""
    door = f'resource.attributes["k8s.namespace.name"] == "{PROXIES}"'

    def unless_a_door(path: str) -> str:
        return f'delete_key({path}.attributes, "{TENANT_TAG}") where not ({door})'

    span = [unless_a_door("span")]
    for old, new in RENAMED:
        given = f'span.attributes["{old}"]'
        span.append(f'set(span.attributes["{new}"], {given}) where {given} != nil')
        span.append(f'delete_key(span.attributes, "{old}")')
    named, pod = f'span.attributes["{MODEL_TAG}"]', 'resource.attributes["aifactory.model"]'
    span.append(f"set({named}, {pod}) where {named} == nil and {pod} != nil")
    scope = {"context": "scope", "statements": [f'delete_key(scope.attributes, "{TENANT_TAG}")']}
    event = {"context": "spanevent", "statements": [f'delete_key(spanevent.attributes, "{TENANT_TAG}")']}
    point = {"context": "datapoint", "statements": [unless_a_door("datapoint")]}
    return {
        "error_mode": "propagate",
        "trace_statements": [scope, {"context": "span", "statements": span}, event],
        "metric_statements": [scope, point],
        "log_statements": [scope, {"context": "log", "statements": [unless_a_door("log")]}],
    }


def _of_all(context: str, statements: list[str]) -> Tree:
    """The same statements for all signals. What fails is not sent: an error that is ignored would let it pass."""
    each = [{"context": context, "statements": statements}]
    return {
        "error_mode": "propagate",
        "trace_statements": each,
        "metric_statements": each,
        "log_statements": each,
    }


def _without_text(kept: Kept) -> Tree:
    """Only attributes that hold no text pass, and no body. Lists of what to drop would miss the next name of it."""
    known = f"[{', '.join(quoted(name) for name in kept.attributes)}]"

    def only(path: str) -> list[str]:
        return [f"keep_keys({path}, {known})", f"truncate_all({path}, {LONGEST})"]

    resource = {"context": "resource", "statements": only("resource.attributes")}
    scope = {"context": "scope", "statements": only("scope.attributes")}
    span = [
        *only("span.attributes"),
        'set(span.status.message, "")',
        'set(span.trace_state, "")',
        f'set(span.name, "span") where not IsMatch(span.name, {quoted(literal(SPAN_NAME))})',
    ]
    event = ["keep_keys(spanevent.attributes, [])", 'set(spanevent.name, "event")']
    log = [*only("log.attributes"), f"set(log.body, {quoted(DROPPED)})"]
    return {
        "error_mode": "propagate",
        "trace_statements": [
            resource,
            scope,
            {"context": "span", "statements": span},
            {"context": "spanevent", "statements": event},
        ],
        "metric_statements": [
            resource,
            scope,
            {"context": "metric", "statements": ['set(metric.description, "")']},
            {"context": "datapoint", "statements": only("datapoint.attributes")},
        ],
        "log_statements": [resource, scope, {"context": "log", "statements": log}],
    }


def _known_metrics(kept: Kept) -> Tree:
    """Metrics of programs that the conventions know; a name is text, too."""
    known = " or ".join(f"name == {quoted(name)}" for name in kept.metrics)
    return {"error_mode": "propagate", "metrics": {"metric": [f"not ({known})"]}}


def _known_lines(kept: Kept) -> Tree:
    """Lines of namespaces where nobody sees prompts pass, and fields of gateways' access logs; of all others it stays
    known that there was one."""
    known = quoted(literal(f"^(?:{alternatives(kept.bodies)})$"))
    passing = f'IsMatch(resource.attributes["k8s.namespace.name"], {known})'
    where = f"not {passing} and not {_OF_PROXIES}" if kept.access else f"not {passing}"
    attributes = f"[{', '.join(quoted(name) for name in kept.attributes)}]"
    return {
        "error_mode": "propagate",
        "log_statements": [
            {"context": "resource", "statements": [f"keep_keys(resource.attributes, {attributes})"]},
            {
                "context": "log",
                "statements": [
                    f"keep_keys(log.attributes, {attributes})",
                    f"set(log.body, {quoted(DROPPED)}) where {where}",
                ],
            },
            *(_access_lines(kept.access) if kept.access else ()),
        ],
    }


_OF_PROXIES = f'resource.attributes["k8s.namespace.name"] == {quoted(PROXIES)}'


def _access_lines(fields: tuple[str, ...]) -> Iterator[Tree]:
    """The fields that a gateway writes, and nothing else of the line: an operator prints JSON there, too.

    What isn't read stays text, and all text of that namespace is dropped: reading alone may fail, and quietly, since
    an error would print the line.
    """
    line = 'log.cache["line"]'
    whole = " and ".join(f"{line}[{quoted(name)}] != nil" for name in ("request_id", "tenant", "model"))
    names = ", ".join(quoted(name) for name in fields)
    yield {
        "context": "log",
        "error_mode": "silent",
        "statements": [
            f'set({line}, ParseJSON(log.body)) where {_OF_PROXIES} and IsMatch(log.body, "^{{")',
            f"keep_keys({line}, [{names}]) where {whole}",
            f"set(log.body, {line}) where {whole}",
        ],
    }
    yield {
        "context": "log",
        "statements": [f"set(log.body, {quoted(DROPPED)}) where {_OF_PROXIES} and IsString(log.body)"],
    }


def _exporter(to: Destination, waits: int = 0, name: str = "") -> Tree:
    """`waits`: bytes that wait on disk until they can be sent, however long that takes. 0: some wait in memory."""
    headers: Tree = {}
    if to.secret:
        # The one expansion that is meant: the token of the Secret.
        headers["Authorization"] = f"Bearer ${{env:{_variable(to)}}}"
    if to.organisation:
        headers["X-Scope-OrgID"] = literal(to.organisation)
    body: Tree = {
        "endpoint": literal(to.url),
        "retry_on_failure": {"enabled": True, "max_elapsed_time": "0s" if waits else "1h"},
        "sending_queue": {
            "enabled": True,
            **(_on_disk(waits) if waits else {"queue_size": 2000}),
        },
        **({"headers": headers} if headers else {}),
    }
    return {f"otlphttp/{name or to.signal}": body}


def _on_disk(waits: int) -> Tree:
    batch = {"flush_timeout": "5s", "sizer": "bytes", "min_size": BATCH_BYTES, "max_size": 4 * BATCH_BYTES}
    return {"storage": QUEUE, "sizer": "bytes", "queue_size": waits, "batch": batch}


def _variable(to: Destination) -> str:
    return f"TOKEN_{to.signal.upper()}"


def components(configuration: Tree) -> Iterable[tuple[str, str]]:
    """Kinds of component that a configuration uses, as `(section, kind)`."""
    for section in ("receivers", "processors", "exporters", "extensions"):
        body = configuration[section]
        assert isinstance(body, dict)  # noqa: S101 - made above
        yield from ((section, str(name).partition("/")[0]) for name in body)
