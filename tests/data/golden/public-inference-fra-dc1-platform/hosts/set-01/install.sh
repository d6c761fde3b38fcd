#!/usr/bin/env bash
# Run as root on a host that hosts.txt lists: puts the files below files/ in place, and says what must follow.
# Safe to run again: a file that is there already is not touched. It runs none of the commands that it names.
# DESTDIR puts everything below another root.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
changed=0 reboot=0 commands=''

# put FILE PATH REBOOT COMMAND WHY
put() {
  local to="${DESTDIR:-}$2"
  if cmp -s -- "$1" "$to"; then return; fi
  install -D -m 0644 -- "$1" "$to"
  changed=$((changed + 1)) reboot=$((reboot | $3))
  [ -z "$4" ] || case "$commands" in *"$4"*) ;; *) commands="$commands    $4"$'\n' ;; esac
  printf '%s\n    %s\n' "$2" "$5"
}

put files/etc/default/grub.d/90-aifactory-gpu.cfg /etc/default/grub.d/90-aifactory-gpu.cfg 1 '' 'GPUs and NICs reach each other without the IOMMU and without ACS redirects, which cost peer-to-peer bandwidth (NVIDIA/nccl#489). Then: update-grub.'
put files/etc/kubernetes/kubelet.conf.d/90-aifactory-gpu.conf /etc/kubernetes/kubelet.conf.d/90-aifactory-gpu.conf 0 '' 'Whole CPUs for GPU pods, near their GPUs. A kubelet whose CPU policy changed refuses to start: drain the node, remove /var/lib/kubelet/cpu_manager_state and memory_manager_state, then restart it.'
put files/etc/modules-load.d/90-aifactory-gpu.conf /etc/modules-load.d/90-aifactory-gpu.conf 0 'systemctl restart systemd-modules-load' 'ib_umad lets fabric tools talk to HCAs, and tcp_bbr is the congestion control that sysctl names.'
put files/etc/sysctl.d/90-aifactory-gpu.conf /etc/sysctl.d/90-aifactory-gpu.conf 0 'sysctl --system' 'Memory of model servers stays in RAM.'
put files/etc/systemd/system/kubelet.service.d/90-aifactory-gpu.conf /etc/systemd/system/kubelet.service.d/90-aifactory-gpu.conf 0 'systemctl daemon-reload' 'The kubelet of kubeadm reads /etc/kubernetes/kubelet.conf.d only when it is told to.'
put files/etc/tmpfiles.d/90-aifactory-gpu.conf /etc/tmpfiles.d/90-aifactory-gpu.conf 0 'systemd-tmpfiles --create' 'CPUs that feed GPUs keep their clock. Hosts without frequency control ignore it.'
printf '%s\n' "$changed of 6 files changed"
[ -z "$commands" ] || printf 'Then run:\n%s' "$commands"
[ "$reboot" -eq 0 ] || printf '%s\n' 'This host needs a reboot. Drain it first if it runs jobs.'
