"""What the planner keeps about GPU nodes."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GPU-001",
        "error",
        "One way hands out the GPUs of a site",
        "Device plugin and DRA driver know nothing of each other: where both run, each gives away every "
        "GPU, and pods fail at start instead of waiting.",
        "NVIDIA/aicr#1327",
    ),
    Rule(
        "GPU-002",
        "error",
        "The owner of the driver is known",
        "An immutable host refuses a driver container, and a driver that the host owns is of the version "
        "that the host has: both end as nodes whose operands wait for ever.",
        "NVIDIA GPU Operator, pre-installed drivers; NVIDIA/gpu-operator#487",
    ),
    Rule(
        "GPU-003",
        "error",
        "The driver runs the accelerator",
        "An older driver loads and finds no device, so the node offers no GPU and says nothing.",
        "NVIDIA GPU Operator platform support",
    ),
    Rule(
        "GPU-004",
        "error",
        "With DRA all pools of a site have their driver in one place",
        "The DRA driver has one nvidiaDriverRoot; where it is wrong, no device is published.",
        "NVIDIA/aicr#1087, #1106",
    ),
    Rule(
        "GPU-005",
        "error",
        "The pool's fabric is there and reaches its nodes",
        "rdma.enabled waits for OFED symbols; on nodes without an RDMA fabric the driver pod never gets ready.",
        "NVIDIA/cloud-native-stack#95",
    ),
    Rule(
        "GPU-006",
        "error",
        "Superchips with multi-node NVLink are no pool of this kind",
        "They need ComputeDomains, IMEX masked on the hosts, arm64 images everywhere and MIG off; without "
        "them NVLink between nodes stays unused or jobs fail at start.",
        "kubernetes-sigs/dra-driver-nvidia-gpu#524, #767; NVIDIA GPU Operator release notes on CDMM",
    ),
    Rule(
        "GPU-007",
        "error",
        "The accelerator has the MIG profiles",
        "The MIG manager marks a node whose GPU lacks a profile as failed and leaves it without GPUs.",
        "NVIDIA/mig-parted deployments/systemd/config-default.yaml",
    ),
    Rule(
        "GPU-008",
        "error",
        "MIG instances fit one GPU together",
        "An instance starts only at certain memory slices, so profiles can fail although their sum fits.",
        "NVIDIA MIG user guide, supported profiles; NVIDIA/go-nvml placements",
    ),
    Rule(
        "GPU-009",
        "error",
        "One MIG strategy at a site",
        "The strategy is one value of the ClusterPolicy; a second one would be dropped in silence and pods "
        "would ask for resources that no node has.",
        "NVIDIA/gpu-operator values.yaml, mig.strategy",
    ),
    Rule(
        "GPU-010",
        "error",
        "Kubernetes has what DRA needs",
        "ResourceClaims are stable since 1.34; before, pods with a claim stay pending.",
        "kubernetes.io, dynamic resource allocation; EKS User Guide, device management",
    ),
    Rule(
        "GPU-011",
        "error",
        "GPUDirect Storage has storage to read, and is one choice of the site",
        "The operator's validator waits for nvidia-fs on every GPU node; and without a shared file system "
        "cuFile copies through the CPU and says nothing.",
        "NVIDIA/gds-nvidia-fs#31, #4",
    ),
    Rule(
        "GPU-012",
        "error",
        "The site has the nodes",
        "Nodes that aren't there make a quota that admits jobs which never start.",
        "the site's inventory",
    ),
    Rule(
        "GPU-013",
        "error",
        "A rack powers the nodes in it",
        "Over its limit a rack trips its breaker, and every job on it dies at once.",
        "the site's power",
    ),
    Rule(
        "GPU-014",
        "error",
        "The site powers all nodes together",
        "A gang raises the power of all its nodes in the same second; a site that was planned on the average trips.",
        "the site's power",
    ),
    Rule(
        "GPU-015",
        "error",
        "The nodes lie together where the pool asks for it",
        "Collectives that cross the spine share its links with everything else.",
        "the site's inventory",
    ),
    Rule(
        "GPU-016",
        "error",
        "Several training nodes share a fabric",
        "Without one NCCL falls back to TCP sockets, far slower and without an error.",
        "NVIDIA/nccl#489",
    ),
    Rule(
        "GPU-017",
        "error",
        "The accelerator is one that the GPU Operator runs",
        "Other vendors need their own driver, device plugin and exporter.",
        "NVIDIA GPU Operator platform support",
    ),
    Rule(
        "GPU-018",
        "error",
        "The driver release is in the catalog",
        "A release that was never published ends as ImagePullBackOff on every node.",
        "components/catalog/drivers.yaml",
    ),
    Rule(
        "GPU-019",
        "error",
        "A given GPU Operator hands out whole GPUs",
        "MIG and time-slicing are settings of its ClusterPolicy, which isn't ours to change.",
        "NVIDIA/gpu-operator values.yaml, migManager.config, devicePlugin.config",
    ),
    Rule(
        "GPU-020",
        "error",
        "Quotas that size a pool guarantee GPUs on it",
        "A pool without nodes is no pool, and whoever wrote `quotas` expects some.",
        "the blueprint",
    ),
    Rule(
        "GPU-021",
        "warning",
        "Pods of whole nodes aren't held to one NUMA node",
        "single-numa-node refuses every pod whose GPUs lie at two sockets, so a gang of whole nodes never starts.",
        "kubernetes.io, topology manager policies",
    ),
    Rule(
        "GPU-022",
        "warning",
        "The accelerator's figures are sourced well",
        "Sizes, power and cost follow from them.",
        "components/catalog/accelerators.yaml",
    ),
    Rule(
        "GPU-023",
        "warning",
        "Drivers are replaced one node at a time",
        "Each node that is replaced loses its capacity; quotas and gangs have to do without several at once.",
        "NVIDIA/gpu-operator#2509",
    ),
    Rule(
        "GPU-024",
        "warning",
        "The kernel is one that GPU nodes are tested on",
        "The reference stacks are tested from this kernel on; on an older one a fault is nobody's but yours.",
        "NVIDIA/aicr, operating system floor (Ubuntu 24.04, Linux 6.8)",
    ),
    Rule(
        "GPU-025",
        "warning",
        "Somebody taints the nodes",
        "Without a taint any pod may take CPUs and memory that a GPU job of the whole node needs.",
        "kubernetes-sigs/node-feature-discovery, enableTaints",
    ),
    Rule(
        "GPU-026",
        "warning",
        "Tenants don't take turns on one GPU",
        "Time-slicing isolates neither memory nor faults: one tenant's error kills the others' processes.",
        "NVIDIA GPU Operator, time-slicing GPUs",
    ),
    Rule(
        "GPU-027",
        "error",
        "A node has no more GPUs than its baseboard",
        "Quotas, gangs and acceptance count GPUs by node: with more than there are, none of them is ever met.",
        "components/catalog/accelerators.yaml, scale_up_domain",
    ),
    Rule(
        "GPU-028",
        "warning",
        "A node draws at least what its GPUs draw",
        "Racks are filled by this figure. Below what the GPUs alone draw, the first gang at full load trips the rack.",
        "components/catalog/accelerators.yaml, power_w",
    ),
)
