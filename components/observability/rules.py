"""What the plan of observability must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

_RES = "Policy rule RES-007: sinks of logs, traces and metrics obey the place rules of the data that they show"

RULES: tuple[Rule, ...] = (
    Rule(
        "OBS-001",
        "error",
        "A destination of telemetry says where it is",
        "Telemetry names tenants, models and machines. A place that nobody declared can't be compared with rules, "
        "and unknown places are allowed nothing.",
        _RES,
    ),
    Rule(
        "OBS-002",
        "error",
        "Telemetry stays where the data that it shows may be",
        "A sink in another country, or of an operator with a foreign parent, carries tenants' activity out by the back "
        "door, however well prompts are kept.",
        _RES,
    ),
    Rule(
        "OBS-003",
        "error",
        "Text of prompts is kept only where each data class allows it",
        "Spans and logs are read by operators and kept in other stores than answers: text there escapes the rules of "
        "deletion, access and residency.",
        "OpenTelemetry GenAI conventions 1.41.1: content of messages is opt-in, as it is likely to be sensitive",
    ),
    Rule(
        "OBS-004",
        "error",
        "Each signal that is collected has a destination",
        "A collector without an exporter doesn't start, and one that only prints fills the disks of nodes.",
        "OpenTelemetry Collector documentation, configuration of pipelines",
    ),
    Rule(
        "OBS-005",
        "error",
        "A site has one observability part",
        "Two of them would set one Prometheus and one Loki, and call people twice.",
        "kube-prometheus-stack and loki are one release each",
    ),
    Rule(
        "OBS-006",
        "warning",
        "Somebody receives the alerts",
        "An alert that nobody receives looks like a healthy site.",
        "Prometheus documentation, Alerting overview",
    ),
    Rule(
        "OBS-007",
        "warning",
        "Each model has a promised time to the first token",
        "Without a number nobody is called when answers begin late, which is what users notice first.",
        "vLLM documentation, metrics",
    ),
    Rule(
        "OBS-008",
        "warning",
        "Destinations name their networks",
        "Without them the policy of the namespace opens their port to every address, and a name that resolves "
        "elsewhere takes the data along.",
        "Kubernetes documentation, Network Policies: policies know addresses and no names",
    ),
    Rule(
        "OBS-009",
        "error",
        "What a given Prometheus must do is done by whoever runs it",
        "A Prometheus of the site isn't ours to configure: remote write and alert receivers written here would do "
        "nothing.",
        "docs/decisions/0020-observability.md",
    ),
    Rule(
        "OBS-010",
        "error",
        "A promise is about a model that the site serves",
        "A promise about another name never calls anybody, and looks kept.",
        "docs/decisions/0020-observability.md",
    ),
    Rule(
        "OBS-011",
        "error",
        "Telemetry waits out the longest outage on disk",
        "A buffer that is smaller than the outage loses the hours that somebody will ask about, and one that is larger "
        "than the disk takes models and Prometheus down with it.",
        "open-telemetry/opentelemetry-collector exporter/exporterhelper/README.md, persistent queue",
    ),
    Rule(
        "OBS-012",
        "error",
        "It is known what the disk of buffers holds",
        "Volumes of a node's disk have no limit of their own: a claim of any size is granted, and the disk fills.",
        "rancher/local-path-provisioner: the requested size is not enforced",
    ),
    Rule(
        "OBS-013",
        "error",
        "What leaves by an uplink that may be gone can wait",
        "Prometheus sends again for two hours and forgets at a restart; Loki and Tempo refuse what they can't flush.",
        "prometheus.io docs, remote write tuning",
    ),
    Rule(
        "OBS-014",
        "error",
        "The uplink carries what is collected",
        "A queue that fills faster than it empties is full for good, and everything after that is lost.",
        "docs/decisions/0023-telemetry-at-the-edge.md",
    ),
    Rule(
        "OBS-015",
        "error",
        "What watches a site fits beside what it watches",
        "On a node that everything shares, a monitor that asks for too much keeps models from starting, or is evicted "
        "when it is needed.",
        "docs/decisions/0021-edge-sites.md, one node",
    ),
    Rule(
        "OBS-016",
        "error",
        "The data of Prometheus lies on no NFS",
        "NFS is mostly not POSIX-compliant: the database is damaged for good, and with it all alerts, while dashboards "
        "still look well.",
        "prometheus.io docs, storage, operational aspects: NFS filesystems are not supported",
    ),
    Rule(
        "OBS-017",
        "warning",
        "The data of Prometheus lies on a device or a local disk",
        "A file system that many nodes share is slower at small writes, and stops with each of its servers; what "
        "watches a site must not wait for what it watches.",
        "prometheus.io docs, storage, operational aspects: a local file system is strongly recommended",
    ),
    Rule(
        "OBS-018",
        "warning",
        "Somebody notices when alerts are dead",
        "Prometheus or its disk may stop, and a site that tells nothing looks healthy. The alert that is always on "
        "shows that the way works, if whoever receives it calls when it ends.",
        "kube-prometheus-stack, rule Watchdog: to be sent to a dead man's switch",
    ),
)
