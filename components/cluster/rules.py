"""Planner rules of the cluster."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "CLU-001",
        "error",
        "Kubernetes is a version that every component supports",
        "A chart refuses to install outside its range, or an operator meets an API that changed; upgrades "
        "of a cluster run one way, so it shows before anything is installed.",
        "NVIDIA/gpu-operator deployments/gpu-operator; cert-manager supported releases; NVIDIA platform support",
    ),
    Rule(
        "CLU-002",
        "error",
        "What the site gives is of the release train's version",
        "Custom resources and chart values are checked against one version; another one drops fields "
        "without a word or refuses them.",
        "NVIDIA/aicr recipes/registry.yaml: pins are one tested set",
    ),
    Rule(
        "CLU-003",
        "error",
        "Node Feature Discovery has one owner",
        "Two of them fight over labels and definitions: labels come and go, and operators place and evict "
        "their pods with them.",
        "NVIDIA/gpu-operator and Mellanox/network-operator bundle node-feature-discovery",
    ),
    Rule(
        "CLU-004",
        "error",
        "The cluster has one SR-IOV operator",
        "Both builds claim the same definitions and both write virtual functions, so nodes drain and reboot in turn.",
        "k8snetworkplumbingwg/sriov-network-operator and the build inside Mellanox/network-operator",
    ),
    Rule(
        "CLU-005",
        "error",
        "Whole GPUs are handed out by the device plugin or by DRA",
        "Each counts the same GPUs as its own, so two pods get one GPU and both fail.",
        "kubernetes-sigs/dra-driver-nvidia-gpu values.yaml: gpuResourcesEnabledOverride; NVIDIA/aicr#1327",
    ),
    Rule(
        "CLU-006",
        "error",
        "The GPU Operator runs a ClusterPolicy or a GPUCluster",
        "They are two ways to run the same drivers; the chart refuses both, after everything before it is installed.",
        "NVIDIA/gpu-operator deployments/gpu-operator/values.yaml: gpuCluster.deployCR",
    ),
    Rule(
        "CLU-007",
        "error",
        "The cluster has at most one default StorageClass",
        "A claim without a class name lands on the class that was made last: data moves to another storage, "
        "and maybe another place, when somebody adds or re-creates a class.",
        "kubernetes.io docs, Storage Classes, default StorageClass",
    ),
    Rule(
        "CLU-008",
        "warning",
        "Controllers that answer admission webhooks have two replicas",
        "Their webhooks fail closed: while the only replica restarts, the API server refuses every job and "
        "certificate.",
        "ai-dynamo/dynamo#12712; kyverno/kyverno#2869; oracle-quickstart/oci-hpc-oke#297",
    ),
    Rule(
        "CLU-009",
        "error",
        "A tenant's namespace is as strict as the factory wants",
        "Below the level that the policy names, a tenant's pod can reach the node, and so every other tenant's data.",
        "kubernetes.io docs, Pod Security Standards",
    ),
    Rule(
        "CLU-010",
        "error",
        "What the site gives has the features that parts use",
        "Objects that need a feature are accepted without it and nothing happens: nodes stay untainted, "
        "virtual functions don't appear.",
        "kubernetes-sigs/node-feature-discovery: master.enableTaints is off by default",
    ),
    Rule(
        "CLU-011",
        "error",
        "No namespace of ours is one of the cluster's own",
        "Labels, quotas and a default-deny policy in kube-system or default stop the cluster itself, and "
        "removing the factory would remove them.",
        "kubernetes.io docs, Namespaces, initial namespaces",
    ),
    Rule(
        "CLU-012",
        "error",
        "Kueue's certificates have one maker",
        "With cert-manager and Kueue's own rotation on at once, each overwrites the other's CA in the "
        "webhooks, and the API server refuses every job in between.",
        "kueue.sigs.k8s.io docs, Configure external cert-manager",
    ),
    Rule(
        "CLU-013",
        "warning",
        "Definitions of a release fit the Secret that Helm keeps it in",
        "The Gateway API's chart carries both channels, about 0.97 of the 1 MiB that a Secret may have; a "
        "patch that is larger can't be installed, and its authors advise a server-side apply.",
        "envoyproxy/gateway charts/gateway-crds-helm/README.md; helm/helm#12277",
    ),
    Rule(
        "CLU-015",
        "error",
        "The GPU Operator and the DRA driver look for the GPU driver in one place, which is not /",
        "The DRA driver publishes no device where its root isn't that of the driver. With / the operator's "
        "validator mounts over its own root and restarts over and over.",
        "NVIDIA/aicr#1087, NVIDIA/aicr#1106; NVIDIA/gpu-operator values.yaml: hostPaths.driverInstallDir",
    ),
    Rule(
        "CLU-014",
        "warning",
        "The cluster has a default StorageClass",
        "A claim without a class name waits for ever when there is none.",
        "kubernetes.io docs, Storage Classes, default StorageClass",
    ),
)
