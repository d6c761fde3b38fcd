"""What a queue's plan must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

_KUEUE_LIMITS = "kubernetes-sigs/kueue config/components/crd/bases, v1beta2"

RULES: tuple[Rule, ...] = (
    Rule(
        "QUE-001",
        "error",
        "Guarantees fit the pool",
        "Above the pool's GPUs, the team that asks last waits for GPUs that don't exist.",
        "Kueue documentation, Cluster Queue",
    ),
    Rule(
        "QUE-002",
        "error",
        "A pool belongs to one queue",
        "Two queues that hand out the same nodes each count all of them, so both admit and pods hang.",
        "Kueue documentation, Resource Flavor",
    ),
    Rule(
        "QUE-003",
        "error",
        "Queues of a site agree on Kueue's configuration",
        "Sharing and timeouts are settings of the one controller; with two versions the last writer wins.",
        "kubernetes-sigs/kueue charts/kueue values.yaml, managerConfig",
    ),
    Rule(
        "QUE-004",
        "error",
        "Each tenant can run something",
        "A tenant without guarantee that may not borrow has a queue whose jobs wait for ever, in silence.",
        "Kueue documentation, Cluster Queue",
    ),
    Rule(
        "QUE-005",
        "warning",
        "Guarantees are whole nodes",
        "A gang takes whole nodes, so what is left over of a guarantee serves small jobs only.",
        "kubernetes-sigs/kueue#4329",
    ),
    Rule(
        "QUE-006",
        "error",
        "A tenant lends what it has",
        "A lending limit above the guarantee is refused by Kueue's webhook.",
        "kubernetes-sigs/kueue apis/kueue/v1beta2, ResourceQuota.lendingLimit",
    ),
    Rule(
        "QUE-007",
        "warning",
        "A tenant may borrow what others can lend",
        "A borrowing limit above all there is to borrow reads as a promise that no day keeps.",
        "Kueue documentation, Cluster Queue, BorrowingLimit",
    ),
    Rule(
        "QUE-008",
        "error",
        "A queue has at most 64 pools and 64 resources",
        "The API server refuses a resource group with more flavors or resources.",
        _KUEUE_LIMITS,
    ),
    Rule(
        "QUE-009",
        "error",
        "A pool has at most 8 taints",
        "The API server refuses a flavor with more taints or tolerations.",
        _KUEUE_LIMITS,
    ),
    Rule(
        "QUE-010",
        "error",
        "Topology levels end at the host name",
        "Only with kubernetes.io/hostname as the finest of at most 16 levels are taints honoured and "
        "failed nodes replaced.",
        "kubernetes-sigs/kueue site/static/examples/tas/sample-gpu-queues.yaml",
    ),
    Rule(
        "QUE-011",
        "error",
        "Topology is not counted in DRA devices",
        "Kueue doesn't see DRA devices when it looks for free nodes, and picks nodes whose GPUs are taken.",
        "Kueue documentation, Dynamic Resource Allocation, Limitations",
    ),
    Rule(
        "QUE-012",
        "error",
        "What is excluded from quotas hides nothing that is counted",
        "Excluded resources match by prefix: one that begins a GPU's name lifts the quota on GPUs.",
        "kubernetes-sigs/kueue apis/config/v1beta2, Resources.excludeResourcePrefixes",
    ),
    Rule(
        "QUE-013",
        "warning",
        "Queue and tenant fit one label",
        "Kueue labels pods with the name of their ClusterQueue only where a label can hold it, so that "
        "nobody is charged for the others.",
        "kubernetes-sigs/kueue apis/kueue/v1beta2 constants, ClusterQueueLabel",
    ),
    Rule(
        "QUE-014",
        "error",
        "A namespace has one queue",
        "Jobs that name no queue go to the LocalQueue `default` of their namespace, of which there is one.",
        "kubernetes-sigs/kueue keps/2936-local-queue-defaulting",
    ),
    Rule(
        "QUE-015",
        "error",
        "Weights need fair sharing",
        "With sharing by priority nobody reads the weights, and teams believe in shares that don't exist.",
        "Kueue documentation, Preemption, Fair Sharing",
    ),
    Rule(
        "QUE-016",
        "warning",
        "Quota alone doesn't find a free node",
        "Quota is a sum: 8 GPUs that are free as 4 and 4 admit a pod that needs 8 on one node, and it hangs.",
        "kubernetes-sigs/kueue#4329",
    ),
    Rule(
        "QUE-017",
        "warning",
        "Who lends can take back",
        "With reclaim never, a borrower keeps another team's guaranteed GPUs until its jobs end.",
        "Kueue documentation, Preemption",
    ),
    Rule(
        "QUE-018",
        "error",
        "Tenants live in namespaces of their own",
        "Jobs in a namespace of the cluster or of a release run beside its controllers, under its permissions, "
        "and the quota of one stops the other.",
        "Kubernetes documentation, Namespaces, initial namespaces",
    ),
    Rule(
        "QUE-019",
        "error",
        "A queue's objects have names of their own",
        "Two queues that make one cohort, queue, flavor or priority overwrite each other, and tenants of one "
        "get the quota of the other.",
        "Kueue documentation, Cluster Queue, Cohort",
    ),
    Rule(
        "QUE-020",
        "error",
        "An inference tenant reserves GPUs",
        "A tenant without GPUs has a namespace whose quota refuses each replica.",
        "Kubernetes documentation, Resource Quotas",
    ),
)
