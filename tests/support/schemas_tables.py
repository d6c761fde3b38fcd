"""Choices of the schema lane that no stored file makes: which CRD copy counts, what a chart leaves open."""

from collections.abc import Mapping

PREFERRED: Mapping[str, str] = {
    "gateway-api-standard": "the release train installs the standard channel",
    "karpenter-aws": "the train runs the AWS build; its NodeClass rules are stricter than the core's",
    "nic-configuration-operator": "part of Network Operator 26.4.1, the train's release; 26.7 is a candidate",
    "nvidia-network-operator": "26.4.1 is the train's release; 26.7 is a candidate",
    "spectrum-x-operator": "part of Network Operator 26.4.1, the train's release; 26.7 is a candidate",
    "sriov-network-operator-nvidia": "the build inside the Network Operator chart, which the train installs",
}
"""Project that answers for a CRD which several projects hold, and why."""

CLUSTER_SCOPED: frozenset[str] = frozenset(
    [
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceCIDR",
        "StorageClass",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ]
)
"""Native kinds without a namespace. The stored OpenAPI files have no paths, which would say it."""

SUB_CHARTS: Mapping[str, Mapping[str, str]] = {
    "dynamo-platform": {
        "dynamo-operator": "dynamo-operator",
        "grove": "grove-charts",
        "kai-scheduler": "kai-scheduler",
    },
    "falco": {"falcosidekick": "falcosidekick"},
    "gpu-operator": {"node-feature-discovery": "node-feature-discovery"},
    "kube-prometheus-stack": {"grafana": "grafana", "kube-state-metrics": "kube-state-metrics"},
    "network-operator": {
        "maintenance-operator-chart": "maintenance-operator-chart",
        "node-feature-discovery": "node-feature-discovery",
        "sriov-network-operator": "sriov-network-operator",
    },
}
"""Stored chart of each dependency, by chart and alias: what Chart.yaml says, which is not stored."""

FIELDS: Mapping[str, Mapping[str, None]] = {
    "affinity": dict.fromkeys(("nodeAffinity", "podAffinity", "podAntiAffinity")),
    "resources": dict.fromkeys(("claims", "limits", "requests")),
}
"""Values that a chart copies into a Kubernetes field: these keys may be there too, whatever the defaults."""

OPEN_ENDS = ("annotations", "labels", "nodeselector", "securitycontext")
"""Ends of the names of values that a chart copies into a Kubernetes map: open, whatever the defaults are."""

KNOWN: Mapping[tuple[str, str], str] = {
    ("kube-prometheus-stack", f"prometheus-node-exporter.image.{field}"): "charts/prometheus-node-exporter/values.yaml"
    for field in ("registry", "repository")
}
"""Values that a chart reads and its values.yaml doesn't name, by chart and path: the upstream reason.

At most five.
"""

PASSED_ON: Mapping[tuple[str, str], str] = {
    ("kube-prometheus-stack", "grafana.grafana.ini"): "sections of Grafana's configuration, written as they are",
    ("loki", "loki.limits_config"): "a section of Loki's configuration, written as it is",
    ("tempo", "tempo.storage.trace"): "a section of Tempo's configuration, written as it is",
}
"""Values that a chart writes into the configuration of its program, by chart and path: open, whatever the defaults."""
