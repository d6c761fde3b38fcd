# Takes one snapshot of each claim, named NAMESPACE/CLAIM, and deletes those of SCHEDULE beyond the newest KEEP.
# One claim that fails stops no other, and fails the Job. A snapshot that never gets ready is no snapshot: it goes.
set -u
kind=volumesnapshots.snapshot.storage.k8s.io
failed=0
for each in "$@"; do
  space=${each%%/*}
  claim=${each#*/}
  made=$(printf '{"apiVersion":"snapshot.storage.k8s.io/v1","kind":"VolumeSnapshot","metadata":{"generateName":"%s-","labels":{"%s":"%s"}},"spec":{"volumeSnapshotClassName":"%s","source":{"persistentVolumeClaimName":"%s"}}}' \
    "$claim" "$SCHEDULE_LABEL" "$SCHEDULE" "$SNAPSHOT_CLASS" "$claim" |
    kubectl --namespace "$space" create --output name --filename -) || {
    failed=1
    continue
  }
  kubectl --namespace "$space" wait "$made" --for=jsonpath='{.status.readyToUse}'=true \
    --timeout="${READY_WITHIN_S}s" || {
    kubectl --namespace "$space" delete "$made" --wait=false
    failed=1
    continue
  }
  there=$(kubectl --namespace "$space" get "$kind" --selector "$SCHEDULE_LABEL=$SCHEDULE" \
    --sort-by=.metadata.creationTimestamp \
    --output jsonpath='{range .items[*]}{.spec.source.persistentVolumeClaimName} {.status.readyToUse} {.metadata.name}{"\n"}{end}') || {
    failed=1
    continue
  }
  for old in $(printf '%s\n' "$there" | awk -v claim="$claim" -v keep="$KEEP" \
    '$1 == claim && $2 == "true" { name[++ready] = $3 } END { for (i = 1; i <= ready - keep; i++) print name[i] }'); do
    kubectl --namespace "$space" delete "$kind/$old" --wait=false || failed=1
  done
done
exit "$failed"
