"""What the planner keeps of a cluster at AWS."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "AWS-101",
        "error",
        "A subnet holds the addresses of what runs in it",
        "Each pod and each interface takes an address of the VPC; where none is left, pods wait in ContainerCreating "
        "and a node group can't be updated, because new nodes come before the old ones go.",
        "Amazon EKS User Guide, managed-node-update-behavior; aws/amazon-vpc-cni-k8s",
    ),
    Rule(
        "AWS-102",
        "error",
        "The VPC's address space divides into its subnets",
        "A subnet can't grow, nor can a VPC's first network change: too small a one is made again with all in it.",
        "Amazon VPC User Guide, subnet sizing: /28 to /16, five addresses of each are AWS's own",
    ),
    Rule(
        "AWS-103",
        "error",
        "The private API has a stated path to it",
        "Without a public endpoint nobody reaches the cluster unless packets find the VPC: the platform layer would "
        "hang at its first object.",
        "Amazon EKS User Guide, cluster-endpoint: private only",
    ),
    Rule(
        "AWS-104",
        "error",
        "A region is where, and whose, the site says",
        "Residency is judged by country and operator of the site; a region's name says neither.",
        "The catalog's regions, from botocore partitions.json and endpoints.json",
    ),
    Rule(
        "AWS-105",
        "error",
        "The registry of EKS's own images is known",
        "Without a way to public registries the load balancer controller comes from a registry whose account differs "
        "by region; a wrong one is a pull that fails for ever.",
        "Amazon EKS User Guide, add-ons-images",
    ),
    Rule(
        "AWS-106",
        "error",
        "Each add-on has a version for the cluster's Kubernetes",
        "An add-on without a version is whatever is AWS's default on the day, so the same plan makes two clusters.",
        "Amazon EKS User Guide, addon-compat",
    ),
    Rule(
        "AWS-170",
        "error",
        "Nodes reach a registry that has the platform's images",
        "Without a way out nodes reach ECR of their region and nothing else: every pod of the platform would wait for "
        "its image for ever.",
        "Amazon EKS User Guide, private-clusters: images come from a registry inside the VPC",
    ),
    Rule(
        "AWS-171",
        "error",
        "Images of every chart are known where nodes pull copies",
        "A chart whose images nobody wrote out names public registries, which such nodes don't reach.",
        "The catalog's rows of images.chart_images, from values files of the charts",
    ),
    Rule(
        "AWS-140",
        "error",
        "What is applied to the cluster by hand is definitions alone",
        "Nothing runs in a cluster that the base makes. What has a chart is a release of ours; a second one beside it "
        "would fight for the same objects.",
        "The release train: releases without a chart, whose definitions arrive by manifest",
    ),
)
