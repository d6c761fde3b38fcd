"""What the planner keeps of pools at AWS."""

from __future__ import annotations

from aifactory.components.rules import Rule

_EFA = "Amazon EC2 User Guide, efa and efa-acc-inst-types"

RULES: tuple[Rule, ...] = (
    Rule(
        "AWS-107",
        "error",
        "A region sells what nodes are bought as",
        "A type that the region doesn't sell in this way is a node group that waits for capacity until it fails, and "
        "it is found out after the network was paid for.",
        "The catalog's prices-aws, or offers of the site with evidence",
    ),
    Rule(
        "AWS-108",
        "error",
        "A pool on EFA lies in one zone",
        "EFA traffic doesn't leave its Availability Zone: ranks in two zones never meet, and nothing says so.",
        _EFA,
    ),
    Rule(
        "AWS-109",
        "error",
        "A placement group and a reservation are a pair that EC2 takes",
        "A Capacity Block is placed by AWS and takes no placement group; a reservation is used from the placement "
        "group that it was made in and from no other. Such a launch is refused, or waits beside capacity that is paid.",
        "Amazon EC2 User Guide, capacity-blocks-how and cr-cpg",
    ),
    Rule(
        "AWS-110",
        "error",
        "A pool on EFA is of a type that has it, with interfaces that are known",
        "Without EFA interfaces NCCL runs over TCP, an order of size slower and without an error; they can't be added "
        "to a node that runs.",
        _EFA,
    ),
    Rule(
        "AWS-111",
        "error",
        "The site says which driver the AMI has",
        "The accelerated AMI owns the driver. Its release decides which CUDA and which GPU run, and nothing asks a "
        "node that isn't there.",
        "Amazon EKS User Guide, ml-eks-optimized-ami; release notes of awslabs/amazon-eks-ami",
    ),
    Rule(
        "AWS-112",
        "error",
        "A gang isn't on Spot",
        "AWS takes a Spot node back with two minutes' notice, and a gang that loses a node stops.",
        "Amazon EC2 User Guide, spot-interruptions",
    ),
    Rule(
        "AWS-113",
        "error",
        "Pods of a node are known",
        "A node takes as many pods as its interfaces have addresses for; without the number, subnets can't be held "
        "against it, and pods wait in ContainerCreating.",
        "aws/amazon-vpc-cni-k8s misc/eni-max-pods.txt",
    ),
    Rule(
        "AWS-114",
        "error",
        "A Capacity Block has as many nodes as one can have",
        "A block holds 64 instances at most; a node group is in one block.",
        "Amazon EC2 User Guide, capacity-blocks-how",
    ),
    Rule(
        "AWS-115",
        "error",
        "A type is sold on Spot, or as a Capacity Block, at all",
        "Some types are sold in no such way anywhere, whatever a region's prices say.",
        "The catalog's aws-instances",
    ),
    Rule(
        "AWS-117",
        "error",
        "What nodes that come and go may cost buys one",
        "A limit below the price of one node is a pool whose pods wait for ever, and nothing says why.",
        "aws/karpenter-provider-aws, NodePool limits",
    ),
    Rule(
        "AWS-118",
        "error",
        "Neuron devices are handed out by the device plugin, whole, on nodes that stay",
        "Slices, turns and DRA are ways of NVIDIA GPUs here; a NodePool whose devices nobody counts before they are "
        "there starts no node.",
        "aws-neuron-sdk, Kubernetes getting started; kubernetes device plugin of Neuron",
    ),
    Rule(
        "AWS-119",
        "error",
        "A pod takes one Neuron device, or all of its node",
        "Devices of a node are joined in a ring or a torus. The default scheduler hands out any of them, and a model "
        "that is split over devices that aren't neighbours doesn't start.",
        "aws-neuron-sdk, Neuron scheduler extension",
    ),
)
