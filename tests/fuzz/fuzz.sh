#!/bin/sh
# fuzz: build a fuzz target with clang and run it for a while.
#
#     fuzz.sh SOURCE SECONDS NAME COMPILER_FLAGS_AND_FILES...
#
# What it finds interesting is kept in found-NAME/ of the current folder, and
# used again; an input on which the target failed is in failed-NAME/. The last
# line says how much was run and reached, in edges of the control flow.
# Status 1: an input failed. 69: there's no clang.
set -eu

FUZZ_CC=${FUZZ_CC:-clang}
source=$1
seconds=$2
name=$3
shift 3

command -v "$FUZZ_CC" >/dev/null || {
	echo "fuzz: libFuzzer comes with clang, and there is no $FUZZ_CC here:" \
		"install Debian's clang, or set FUZZ_CC" >&2
	exit 69
}
"$FUZZ_CC" -g -O2 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=undefined -o "run-$name" "$@" || {
	echo "fuzz: $FUZZ_CC can't build $name" >&2
	exit 1
}

mkdir -p "found-$name" "failed-$name"
status=0
"./run-$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
	-print_final_stats=1 -dict="$source/dictionary-$name" \
	-artifact_prefix="failed-$name/" "found-$name" "$source/corpus-$name" \
	>"run-$name.out" 2>&1 || status=$?
if [ $status != 0 ]; then
	tail -n 40 "run-$name.out" >&2
	echo "fuzz: $name failed: give ./run-$name the file in failed-$name/" >&2
	exit 1
fi
awk -v name="$name" -v seconds="$seconds" '
	{ for (i = 1; i < NF; i++) if ($i == "cov:") reached = $(i + 1) }
	/number_of_executed_units/ { executions = $2 }
	END {
		printf "fuzz: target=%s seconds=%s executions=%s edges=%s\n",
			name, seconds, executions, reached
	}' "run-$name.out"
