#!/bin/sh
# all.sh BENCH [OPTION...]: every part of the bench, then its tables.
#
# BENCH is the program; the options are added to each of its calls. Its lines go
# to stdout as they come, and the tables made of them (table.awk) to stdout at
# the end. A part that fails doesn't keep the others from running. Exits 0; 1
# when one failed.

set -eu
export LC_ALL=C

BENCH=$1
PARTS=$(dirname "$0")
shift

# Fewer runs where one takes long; the slowest peer only where it tells most.
calls()
{
	fast=dovecot-migration,doveadm-tuned,mbsync,raw
	cat <<END_OF_CALLS
fill --corpus small --rtt 0
fill --corpus small --rtt 20
fill --corpus small --rtt 20 --store maildir --tools $fast
fill --corpus small --rtt 0 --store mdbox --tools $fast
fill --corpus small --rtt 20 --store mdbox --tools $fast
fill --corpus medium --rtt 0 --tools $fast
fill --corpus medium --rtt 20
fill --corpus folders --rtt 0 --tools $fast
fill --corpus folders --rtt 20
fill --corpus small --rtt 20 --tls --tools $fast
fill --corpus medium --rtt 20 --tls --tools $fast
fill --corpus folders --rtt 20 --tls --tools $fast
fill --corpus huge --rtt 0 --runs 1 --tools dovecot-migration,raw
fill --corpus small --rtt 0 --users 4 --tools dovecot-migration,raw
verify --corpus small
verify --corpus medium
catchup --rtt 20 --runs 3
cutover --messages 20000 --runs 3
mirror --rtt 20 --runs 5
proxy --rtt 0 --runs 20
proxy --rtt 20 --runs 20
milter --messages 2000 --runs 1
report --messages 1000000 --runs 1
END_OF_CALLS
}

lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
trap 'exit 130' HUP INT TERM
start=$(date +%s)
status=0
while read -r call; do
	echo "bench: $call" >&2
	# shellcheck disable=SC2086
	"$BENCH" $call "$@" </dev/null >"$lines.part" || {
		echo "bench: failed: $call" >&2
		status=1
	}
	tee -a "$lines" <"$lines.part"
	rm -f "$lines.part"
done <<END
$(calls)
END
awk -f "$PARTS/table.awk" "$lines"
echo "bench: $(($(date +%s) - start)) seconds in all" >&2
exit $status
