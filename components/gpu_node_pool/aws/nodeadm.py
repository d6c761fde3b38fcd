"""What a node of Amazon Linux 2023 is told at its first boot."""

from __future__ import annotations

import base64

from aifactory.components.gpu_node_pool.aws.model import UserData

BOUNDARY = "AIFACTORY"
FILES_SOFT, FILES_HARD = 65_536, 1_048_576
"""Open files of a container, as the AMI has them: a list of limits replaces the AMI's own.

Source: awslabs/amazon-eks-ami pull request 1794.
"""


def node_config(found: UserData) -> str:
    """The NodeConfig, to which EKS adds how the cluster is joined.

    Limits of locked memory are those of the runtime's base specification: Kubernetes has no field for them. CPUs are
    kept by kubeReserved and not by reservedSystemCPUs, which a kubelet with cgroups for reserves of its own refuses.
    Source: awslabs/amazon-eks-ami nodeadm, NodeConfig.
    """
    lines = [
        "apiVersion: node.eks.aws/v1alpha1",
        "kind: NodeConfig",
        "spec:",
        "  kubelet:",
        "    config:",
        f"      maxPods: {found.max_pods}",
        "      cpuManagerPolicy: static",
        f"      topologyManagerPolicy: {found.topology_policy}",
        "      kubeReserved:",
        f'        cpu: "{found.reserved_cpus}"',
        f"        memory: {found.reserved_memory_gib}Gi",
    ]
    if found.local_raid:
        lines += ["  instance:", "    localStorage:", "      strategy: RAID0"]
    if found.lustre_over_efa:
        # Runs configure-efa-fsx-lustre-client, which the AMI has. Source: awslabs/amazon-eks-ami
        # nodeadm/api/v1alpha1/nodeconfig_types.go and internal/system/fsx_lustre_efa.go @e13198464f4f.
        lines += ["  featureGates:", "    FSxLustreEFAClient: true"]
    if found.lock_bytes:
        lines += ["  containerd:", "    baseRuntimeSpec:", "      process:", "        rlimits:"]
        lines += _limit("RLIMIT_NOFILE", FILES_SOFT, FILES_HARD)
        lines += _limit("RLIMIT_MEMLOCK", found.lock_bytes, found.lock_bytes)
    return "\n".join(lines) + "\n"


def user_data(found: UserData) -> str:
    """All of it in base64, as a launch template takes it: MIME, with a script that runs before the kubelet starts.

    Source: Amazon EKS User Guide, launch-templates; al2023 initialisation of nodes.
    """
    parts = [("application/node.eks.aws", node_config(found))]
    if found.hugepages_2mi:
        script = f"#!/bin/bash\nset -euo pipefail\nsysctl -w vm.nr_hugepages={found.hugepages_2mi}\n"
        parts.append(("text/x-shellscript", script))
    text = f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{BOUNDARY}"\n\n'
    text += "".join(f"--{BOUNDARY}\nContent-Type: {kind}\n\n{content}\n" for kind, content in parts)
    return base64.b64encode(f"{text}--{BOUNDARY}--\n".encode()).decode()


def _limit(name: str, soft: int, hard: int) -> list[str]:
    return [f"          - type: {name}", f"            soft: {soft}", f"            hard: {hard}"]
