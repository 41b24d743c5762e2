#!/bin/sh
# model: looks at all that can happen in mirror.pml, with spin(1).
#
# A row of the tables is a run: its name and how much of what there is in it. Those
# of `hold` must be found without a fault, with each of their states looked at; in
# those of `broken` a mistake is made on purpose, which must be found. With
# MIGRATION_SOAK=1 the rows of `soak` as well, which take some minutes and at most
# MEMORY_MB each.
#
# MODEL_KEEP=1 leaves the folder with the last trail: `spin -t -p mirror.pml` there
# tells how it came. Exit status: 0, 1 a fault was found (or a mistake wasn't), 77
# spin isn't here.
set -eu

MEMORY_MB=6000
MAX_DEPTH=100000
CFLAGS=-O1
FOLDER=$(cd "$(dirname "$0")" && pwd)
SOURCE=mirror.pml

hold="
two-sessions	SESSIONS=2 DIRECT=0
two-writes	WRITES=2 DIRECT=0 LOSSES=1
direct-clients	DIRECT=3 WRITES=0
losses	DIRECT=1 LOSSES=1 LATE=1
power-cuts	DIRECT=1 POWER_CUTS=1
cutover	DIRECT=1 CUTOVERS=1 POWER_CUTS=1
cutover-direct	DIRECT=3 WRITES=0 CUTOVERS=1
"
broken="
base-from-fetch	DIRECT=2 WRITES=0 BASE_FROM_FETCH
state-first	DIRECT=1 POWER_CUTS=1 STATE_FIRST
noop-pipelined	WRITES=2 DIRECT=0 PIPELINED
no-uid-gap	DIRECT=1 CUTOVERS=1 NO_GAP
no-count	DIRECT=1 NO_COUNT
count-only	DIRECT=3 WRITES=0 CUTOVERS=1 COUNT_ONLY
"
soak="
two-and-one	SESSIONS=2 DIRECT=1
direct-twice	DIRECT=2 LOSSES=1
lost-twice	DIRECT=1 LOSSES=2
lost-and-killed	DIRECT=1 LOSSES=1 KILLS=1
lost-and-cut	DIRECT=1 LOSSES=1 POWER_CUTS=1
all-and-cutover	DIRECT=1 LOSSES=1 KILLS=1 CUTOVERS=1
two-and-cutover	SESSIONS=2 DIRECT=0 CUTOVERS=1 KILLS=1
cut-and-cutover	DIRECT=2 CUTOVERS=1 POWER_CUTS=1
"

# run_pan DEFINES...: 0 nothing was found, 1 a fault was, 2 it wasn't all looked at
run_pan()
{
	spin -a "$@" "$SOURCE" >pan.log 2>&1 &&
	cc -w $CFLAGS -DSAFETY -DVECTORSZ=1024 -DMEMLIM=$MEMORY_MB \
		-o pan pan.c >>pan.log 2>&1 || return 2
	./pan -m$MAX_DEPTH -w22 >pan.log 2>&1 || return 2
	if grep -q "^pan:1:" pan.log; then
		return 1
	fi
	grep -q "errors: 0" pan.log && ! grep -q "not completed\|too small" pan.log ||
		return 2
}

# one_run NAME EXPECTED DEFINES...
one_run()
{
	name=$1 expected=$2
	shift 2
	began=$(date +%s)
	ret=0
	run_pan "$@" || ret=$?
	states=$(sed -n 's/^ *\([0-9e+.]*\) states, stored.*/\1/p' pan.log)
	found=$(sed -n 's/^pan:1: //p' pan.log)
	echo "model: run=$name states=${states:-0}" \
		"seconds=$(($(date +%s) - began)) found=\"${found:-nothing}\""
	[ "$ret" = "$expected" ] && return
	echo "model: $name: expected another result" >&2
	[ "$ret" != 2 ] || cat pan.log >&2
	failed=yes
}

# table EXPECTED, with rows on stdin
table()
{
	while IFS='	' read -r name words; do
		[ -n "$name" ] || continue
		defines=
		for word in $words; do
			defines="$defines -D$word"
		done
		# shellcheck disable=SC2086
		one_run "$name" "$1" $defines
	done
}

command -v spin >/dev/null || {
	echo "model: spin isn't installed" >&2
	exit 77
}
dir=$(mktemp -d)
[ -n "${MODEL_KEEP:-}" ] && echo "model: in $dir" || trap 'rm -rf "$dir"' EXIT
cp "$FOLDER/mirror.pml" "$FOLDER/world.pml" "$dir"
cd "$dir"
failed=
table 0 <<END
$hold
END
table 1 <<END
$broken
END
if [ -n "${MIGRATION_SOAK:-}" ]; then
	CFLAGS="-O2 -DCOLLAPSE"
	table 0 <<END
$soak
END
fi
[ -z "$failed" ]
