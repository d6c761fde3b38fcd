#!/usr/bin/env bash
# Applies stack public-inference-sto-aws-platform with kubectl and helm, wave by wave, each step after what it waits for.
# Safe to run again: what is there and right stays as it is, what is missing is made. It deletes nothing.
#
#   ./apply.sh                      all waves
#   ./apply.sh --from WAVE          start at a wave, such as 10-workloads
#   ./apply.sh --to WAVE            end after a wave
#   ./apply.sh --dry-run            ask the API server what it would take; change nothing
#   ./apply.sh --force-conflicts    take back fields that somebody else has set since
#   ./apply.sh --waves              list the waves
#
# The cluster is the one that the site names; KUBECONFIG and KUBE_CONTEXT override it.
# Needs kubectl 1.30 or newer and helm 3.16 or newer.
# Exit code: 0 done, 1 a step failed or was refused, 2 wrong option, 3 a tool or the cluster is missing.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

export KUBECONFIG="${KUBECONFIG:-}"
[ -n "$KUBECONFIG" ] || KUBECONFIG="$HOME"/.kube/config
context="${KUBE_CONTEXT:-}"
[ -n "$context" ] || context=sto-aws
waves='00-foundation 01-crds 02-trust 04-telemetry 05-hardware 07-scaling 08-gateway 09-serving 10-workloads'
from='' to='' over='' dry='' force='' wave='' doing='' wait=''
accepted=0 early=0 refused=0

say() { printf '%s\n' "$@"; }
warn() { say "apply.sh: $*" >&2; }
fail() { warn "$*"; exit 1; }
wrong() { warn "$*"; exit 2; }
minutes() { say "$((($1 + 59) / 60)) min"; }

ended() {
  local code=$?
  [ "$code" -eq 0 ] || [ -z "$doing" ] || warn "stopped in wave $wave, at: $doing
What came before is done and stays. Mend the cause shown above, then: ./apply.sh --from $wave"
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

wave_named() {
  case " $waves " in
    *" ${1:-?} "*) say "$1" ;;
    *) wrong "\"${1:-}\" is no wave of this stack; they are: $waves" ;;
  esac
}
while [ $# -gt 0 ]; do
  case "$1" in
    --from) from=$(wave_named "${2:-}"); shift 2 ;;
    --to) to=$(wave_named "${2:-}"); shift 2 ;;
    --dry-run) dry=1; shift ;;
    --force-conflicts) force=--force-conflicts; shift ;;
    --waves) say "$waves" | tr ' ' '\n'; exit 0 ;;
    -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "${BASH_SOURCE[0]##*/}"; exit 0 ;;
    *) wrong "unknown option $1; see ./apply.sh --help" ;;
  esac
done
[ -z "$from" ] || [ -z "$to" ] || [ "${waves%%"$from"*}" = "${waves%%"$to"*}" ] || case "${waves#*"$from"}" in
  *"$to"*) ;;
  *) wrong "--to $to comes before --from $from" ;;
esac

kube() { kubectl --context "$context" "$@"; }
charts() { helm --kube-context "$context" "$@"; }
quietly() { "$@" > /dev/null; }

# wave NAME: whether this run does it
wave() {
  [ "$1" != "$from" ] || from=''
  [ -z "$from" ] && [ -z "$over" ] || return 1
  [ "$1" != "$to" ] || over=1
  wave=$1
  say "" "== $1"
}

step() {
  doing="$*"
  say "-- $doing"
}

# by_hand TEXT: work that no cluster can do
by_hand() { say "-- by hand, before this wave: $*"; }

# objects FILE: apply what it holds
objects() {
  step "apply $1"
  # A manager of this stack's own: an object that another stack has is a conflict, and isn't taken without a word.
  set -- apply --server-side --field-manager=aifactory-public-inference-sto-aws-platform ${force:+"$force"} -f "$1"
  if [ -n "$dry" ]; then judge kube "$@" --dry-run=server; else kube "$@"; fi
}

# release NAMESPACE NAME SECONDS CHART VALUES [OPTION...]: install or upgrade, and wait for its workloads
release() {
  local namespace=$1 name=$2 seconds=$3 chart=$4 values=$5
  shift 5
  step "release $name in namespace $namespace, at most $(minutes "$seconds")"
  # Without --reset-values helm keeps old values when the new file is empty.
  set -- upgrade --install "$name" "$chart" --namespace "$namespace" --values "$values" --reset-values "$@"
  if [ -n "$dry" ]; then
    judge quietly charts "$@" --dry-run=server
    return
  fi
  if [ -n "$(charts list --namespace "$namespace" --pending --short --filter "^$name\$")" ]; then
    fail "release $name is pending: another run is at work on it, or one was killed in the middle. If none is at
work, look at: helm history $name --namespace $namespace
then: helm rollback $name --namespace $namespace   (or helm uninstall, if no revision of it was ever deployed)"
  fi
  charts "$@" "$wait" --timeout "${seconds}s"
}

# gate SECONDS CONDITION NAMESPACE OBJECT...: wait until it holds
gate() {
  [ -z "$dry" ] || return 0
  local seconds=$1 condition=$2 namespace=$3
  shift 3
  step "wait for $condition of $1$([ $# -eq 1 ] || say " and $(($# - 1)) more"), at most $(minutes "$seconds")"
  kube wait --for="$condition" --timeout="${seconds}s" ${namespace:+--namespace="$namespace"} "$@"
}

# job SECONDS NAMESPACE NAME: wait until it is complete; a failed one ends the wait
job() {
  [ -z "$dry" ] || return 0
  local end=$((SECONDS + $1)) namespace=$2 name=$3
  step "wait for job $name in namespace $namespace, at most $(minutes "$1")"
  until kube wait --for=condition=Complete --timeout=20s --namespace="$namespace" "job/$name" 2> /dev/null; do
    if quietly kube wait --for=condition=Failed --timeout=0 --namespace="$namespace" "job/$name" 2> /dev/null; then
      fail "job $name failed; it says why: kubectl --context $context logs --namespace $namespace job/$name
To run it again: kubectl --context $context delete --namespace $namespace job/$name"
    fi
    [ "$SECONDS" -lt "$end" ] || fail "job $name is not complete; see: kubectl describe --namespace $namespace job/$name"
    sleep 1
  done
}

# judge COMMAND...: a dry run, in which what can't be there yet is no refusal
judge() {
  local out lines
  if out=$("$@" 2>&1); then
    accepted=$((accepted + 1))
    [ -z "$out" ] || say "$out"
    return
  fi
  # A dry run makes nothing, so what stands on a namespace or a kind of an earlier step can't be judged.
  lines=$(grep -vE 'serverside-applied|no matches for kind|ensure CRDs are installed first|namespaces? ".*" not found' \
    <<< "$out") || true
  if [ -z "$lines" ]; then
    early=$((early + 1))
    say "   can't be judged before what it stands on is there"
  else
    refused=$((refused + 1))
    say "$lines" >&2
  fi
}

# What the base of this site hands over stands in files as a placeholder.
for awaited in '${aws:ec2/subnet:Subnet/control-eun1-az1#id}' '${aws:ec2/subnet:Subnet/control-eun1-az2#id}' '${aws:ec2/subnet:Subnet/control-eun1-az3#id}' '${aws:ec2/vpc:Vpc/cluster#id}' '${aws:eks/cluster:Cluster/cluster#certificateAuthority.data}' '${aws:eks/cluster:Cluster/cluster#endpoint}' '${aws:eks/cluster:Cluster/cluster#name}' '${aws:kms/key:Key/tier-disks#arn}'; do
  files=$(grep -rlF -e "$awaited" manifests helm 2> /dev/null) || true # a folder may be missing
  [ -z "$files" ] || fail "the base of this site hands over what stands in these files as $awaited:
$files
Deploy both layers: aifactory up. Or write the value there; the base has it: pulumi stack output handoff --json"
done

for tool in kubectl helm; do
  command -v "$tool" > /dev/null || { warn "$tool is not installed"; exit 3; }
done
# Helm 4 waits for custom resources too, and the GPU Operator's is ready only after objects that follow it.
case "$(helm version --short)" in
  v3.*) wait=--wait ;;
  *) wait=--wait=legacy ;;
esac
server=$(kube get --raw /version | sed -n 's/.*"gitVersion": *"\([^"]*\)".*/\1/p') || server=''
[ -n "$server" ] || { warn "the cluster of context $context doesn't answer (KUBECONFIG=$KUBECONFIG)"; exit 3; }
say "cluster: context $context, Kubernetes $server"
case "$server" in
  v1.35.*) ;;
  *) warn "the plan is for Kubernetes 1.35; put the new version into the site file and generate again" ;;
esac

if wave 00-foundation; then
  objects manifests/00-foundation/00-cluster.yaml
  objects manifests/00-foundation/01-cluster.yaml
fi

if wave 01-crds; then
  release envoy-ai-gateway-system ai-gateway-crds-helm 300 oci://docker.io/envoyproxy/ai-gateway-crds-helm helm/ai-gateway-crds-helm.yaml --version v1.1.0
  release envoy-gateway-system envoy-gateway-crds 300 oci://docker.io/envoyproxy/gateway-crds-helm helm/envoy-gateway-crds.yaml --version v1.9.0
  release envoy-gateway-system gateway-crds-helm 300 oci://docker.io/envoyproxy/gateway-crds-helm helm/gateway-crds-helm.yaml --version v1.9.0
  release kserve kserve-crd 300 oci://ghcr.io/kserve/charts/kserve-crd helm/kserve-crd.yaml --version v0.20.0
fi

if wave 02-trust; then
  release aws-load-balancer-controller aws-load-balancer-controller 900 aws-load-balancer-controller helm/aws-load-balancer-controller.yaml --repo https://aws.github.io/eks-charts --version 3.5.0
  release cert-manager cert-manager 600 oci://quay.io/jetstack/charts/cert-manager helm/cert-manager.yaml --version v1.21.1
fi

if wave 04-telemetry; then
  release monitoring kube-prometheus-stack 900 oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack helm/kube-prometheus-stack.yaml --version 88.5.3
  release node-feature-discovery node-feature-discovery 600 oci://registry.k8s.io/nfd/charts/node-feature-discovery helm/node-feature-discovery.yaml --version 0.19.0
  objects manifests/04-telemetry/00-disks.yaml
  objects manifests/04-telemetry/00-watch.yaml
  objects manifests/04-telemetry/01-watch.yaml
fi

if wave 05-hardware; then
  release gpu-operator gpu-operator 1800 gpu-operator helm/gpu-operator.yaml --repo https://helm.ngc.nvidia.com/nvidia --version v26.7.0
  objects manifests/05-hardware/00-serve.yaml
  objects manifests/05-hardware/01-serve.yaml
  objects manifests/05-hardware/02-serve.yaml
  job 3900 gpu-acceptance serve-gpus-9cf0a96b
fi

if wave 07-scaling; then
  release keda keda 600 keda helm/keda.yaml --repo https://kedacore.github.io/charts --version 2.20.2
fi

if wave 08-gateway; then
  release envoy-gateway-system gateway-helm 600 oci://docker.io/envoyproxy/gateway-helm helm/gateway-helm.yaml --version v1.9.0
  objects manifests/08-gateway/00-door.yaml
  gate 600 condition=Ready door issuer.cert-manager.io/door-root
  release envoy-ai-gateway-system ai-gateway-helm 600 oci://docker.io/envoyproxy/ai-gateway-helm helm/ai-gateway-helm.yaml --version v1.1.0
  objects manifests/08-gateway/01-door.yaml
  gate 600 condition=Ready door certificate.cert-manager.io/door-ca
  objects manifests/08-gateway/02-door.yaml
  gate 600 condition=Ready door issuer.cert-manager.io/door-ca
  objects manifests/08-gateway/03-door.yaml
  gate 600 condition=Ready door certificate.cert-manager.io/door
  objects manifests/08-gateway/04-door.yaml
  gate 600 condition=Programmed door gateway.gateway.networking.k8s.io/door
  objects manifests/08-gateway/05-door.yaml
  objects manifests/08-gateway/06-door.yaml
fi

if wave 09-serving; then
  release kserve kserve-resources 900 oci://ghcr.io/kserve/charts/kserve-resources helm/kserve-resources.yaml --version v0.20.0
fi

if wave 10-workloads; then
  objects manifests/10-workloads/00-ask.yaml
  objects manifests/10-workloads/01-ask.yaml
  objects manifests/10-workloads/02-ask.yaml
  gate 5040 condition=Ready ask inferenceservice.serving.kserve.io/ask
  objects manifests/10-workloads/03-ask.yaml
  objects manifests/10-workloads/03-door.yaml
  objects manifests/10-workloads/04-door.yaml
  objects manifests/10-workloads/05-door.yaml
fi

doing=''
if [ -n "$dry" ]; then
  say "" "dry run: $accepted steps taken, $early can't be judged yet, $refused refused"
  [ "$refused" -eq 0 ] || exit 1
else
  say "" "stack public-inference-sto-aws-platform is applied${to:+, up to wave $to}"
fi
