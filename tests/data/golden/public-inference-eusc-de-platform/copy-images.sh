#!/bin/sh
# Copies the images of public-inference-eusc-de-platform into the account's own registry, from which alone its nodes pull.
# Run it where the registries that images.txt names, the charts, and the API of ECR can be reached, once the base is up.
# Needs crane, helm and aws, with credentials that may push to these repositories. What is there already stays.
set -eu
cd "$(dirname "$0")"
host='777788889999.dkr.ecr.eusc-de-east-1.amazonaws.eu'
prefix='mirror/public-inference-eusc-de'
own='^[^:]*image:[[:space:]]*["'\'']?(777788889999[.]dkr[.]ecr[.]eusc-de-east-1[.]amazonaws[.]eu/|000011112222[.]dkr[.]ecr[.]eusc-de-east-1[.]amazonaws[.]eu/)'

for tool in crane helm aws; do
  command -v "$tool" > /dev/null || { echo "$tool is missing" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rendered() {
  helm template ai-gateway-crds-helm oci://docker.io/envoyproxy/ai-gateway-crds-helm --version v1.1.0 --namespace envoy-ai-gateway-system --kube-version 1.35 --skip-crds --values helm/ai-gateway-crds-helm.yaml
  helm template envoy-gateway-crds oci://docker.io/envoyproxy/gateway-crds-helm --version v1.9.0 --namespace envoy-gateway-system --kube-version 1.35 --skip-crds --values helm/envoy-gateway-crds.yaml
  helm template gateway-crds-helm oci://docker.io/envoyproxy/gateway-crds-helm --version v1.9.0 --namespace envoy-gateway-system --kube-version 1.35 --skip-crds --values helm/gateway-crds-helm.yaml
  helm template kserve-crd oci://ghcr.io/kserve/charts/kserve-crd --version v0.20.0 --namespace kserve --kube-version 1.35 --skip-crds --values helm/kserve-crd.yaml
  helm template aws-load-balancer-controller aws-load-balancer-controller --repo https://aws.github.io/eks-charts --version 3.5.0 --namespace aws-load-balancer-controller --kube-version 1.35 --skip-crds --values helm/aws-load-balancer-controller.yaml
  helm template cert-manager oci://quay.io/jetstack/charts/cert-manager --version v1.21.1 --namespace cert-manager --kube-version 1.35 --skip-crds --values helm/cert-manager.yaml
  helm template kube-prometheus-stack oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack --version 88.5.3 --namespace monitoring --kube-version 1.35 --skip-crds --values helm/kube-prometheus-stack.yaml
  helm template node-feature-discovery oci://registry.k8s.io/nfd/charts/node-feature-discovery --version 0.19.0 --namespace node-feature-discovery --kube-version 1.35 --skip-crds --values helm/node-feature-discovery.yaml
  helm template gpu-operator gpu-operator --repo https://helm.ngc.nvidia.com/nvidia --version v26.7.0 --namespace gpu-operator --kube-version 1.35 --skip-crds --values helm/gpu-operator.yaml
  helm template keda keda --repo https://kedacore.github.io/charts --version 2.20.2 --namespace keda --kube-version 1.35 --skip-crds --values helm/keda.yaml
  helm template gateway-helm oci://docker.io/envoyproxy/gateway-helm --version v1.9.0 --namespace envoy-gateway-system --kube-version 1.35 --skip-crds --values helm/gateway-helm.yaml
  helm template ai-gateway-helm oci://docker.io/envoyproxy/ai-gateway-helm --version v1.1.0 --namespace envoy-ai-gateway-system --kube-version 1.35 --skip-crds --values helm/ai-gateway-helm.yaml
  helm template kserve-resources oci://ghcr.io/kserve/charts/kserve-resources --version v0.20.0 --namespace kserve --kube-version 1.35 --skip-crds --values helm/kserve-resources.yaml
}

# Tags of charts inside of charts stand in no values: the charts say them.
rendered > "$work/rendered"
awk '!/^#/ && NF > 2 {print $3}' images.txt > "$work/names"
grep -o "$host/$prefix/[A-Za-z0-9._/:@-]*" "$work/rendered" >> "$work/names" || true
sort -u "$work/names" | grep -E '[:@]' > "$work/copies"

# An image that a chart takes from elsewhere would never arrive at a node. Definitions only speak of images.
awk '/^---/ {show(); next} {text = text $0 "\n"; if (/^kind: CustomResourceDefinition/) skip = 1} END {show()}
  function show() {if (!skip) printf "%s", text; text = ""; skip = 0}' "$work/rendered" > "$work/objects"
grep -E '^[[:space:]-]*image:[[:space:]]*[^[:space:]]' "$work/objects" | grep -vE "$own" | sort -u > "$work/outside" || true
if [ -s "$work/outside" ]; then
  echo "These images of charts are no copies; nothing was copied:" >&2
  cat "$work/outside" >&2
  exit 1
fi

aws ecr get-login-password --region 'eusc-de-east-1' | crane auth login --username AWS --password-stdin "$host"
while read -r copy; do
  if crane digest "$copy" > /dev/null 2>&1; then
    echo "is there   $copy"
    continue
  fi
  # The registry became a folder, and the colon before its port a _.
  original=$(echo "${copy#"$host/$prefix/"}" | sed -E 's,^([^/]*)_([0-9]+)/,\1:\2/,')
  echo "copying    $original"
  crane copy "$original" "$copy"
done < "$work/copies"
