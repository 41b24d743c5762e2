# check: run all tests and count them.
#
# Each test-NAME is a CUnit program; automake's harness leaves its output in
# PROGRAM.log and its verdict in PROGRAM.trs. What is counted is CUnit's own
# tests; a program that ended without a summary, or badly although its tests
# passed, counts as one failed test. A program with another name is one test.

# PROGRAM.trs -> "passed failed skipped"
check_count()
{
	verdict=$(sed -n 's/^:test-result: \([A-Z]*\).*/\1/p' "$1")
	case ${1##*/} in
	test-*) cunit=1 ;;
	*) cunit=0 ;;
	esac
	awk -v verdict="$verdict" -v cunit=$cunit '
		$1 == "tests" && NF == 6 {
			passed += $4; failed += $5; skipped += $6
			summary = 1
		}
		END {
			if (verdict == "SKIP")
				skipped++
			else if (verdict != "PASS" && failed == 0)
				failed++
			else if (!summary && verdict == "PASS" && cunit)
				failed++
			else if (!summary && verdict == "PASS")
				passed++
			print passed + 0, failed + 0, skipped + 0
		}' "${1%.trs}.log"
}

# What a failed program said, without CUnit's frame.
check_show()
{
	say "failed: $1 (all of it in $1.log):"
	grep -v '^$' "$BUILD/$1.log" 2>/dev/null | tail -n 40 >&2 || :
}

check_report()
{
	passed=0 failed=0
	for trs in $(find "$BUILD/tests" "$BUILD/common" "$BUILD/plugin" \
			-name '*.trs' | sort); do
		# shellcheck disable=SC2046
		set -- "$trs" $(check_count "$trs")
		name=${trs#"$BUILD/"}
		name=${name%.trs}
		passed=$((passed + $2)) failed=$((failed + $3))
		[ "$3" = 0 ] || check_show "$name"
		[ "$4" = 0 ] || say "skipped: $4 in $name"
	done
}

check_run()
{
	find "$BUILD/tests" "$BUILD/common" "$BUILD/plugin" \
		-name '*.trs' -exec rm -f {} +
	make_status=0
	# the programs of all tests at once, the tests one after another
	make -C "$BUILD" -j "$(nproc)" -k check TESTS= >&2 || make_status=$?
	make -C "$BUILD" -k check >&2 || make_status=$?
	check_report
	[ "$failed" != 0 ] || [ $make_status = 0 ] || {
		say "make check failed outside the tests"
		failed=1
	}
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
