#!/bin/sh
# Copies the images of @stack@ into the account's own registry, from which alone its nodes pull.
# Run it where the registries that images.txt names, the charts, and the API of ECR can be reached, once the base is up.
# Needs crane, helm and aws, with credentials that may push to these repositories. What is there already stays.
set -eu
cd "$(dirname "$0")"
host='@host@'
prefix='@prefix@'
own='^[^:]*image:[[:space:]]*["'\'']?(@own@)'

for tool in crane helm aws; do
  command -v "$tool" > /dev/null || { echo "$tool is missing" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rendered() {
@charts@
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

aws ecr get-login-password --region '@region@' | crane auth login --username AWS --password-stdin "$host"
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
