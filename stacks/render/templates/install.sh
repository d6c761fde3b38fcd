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

