#!/bin/sh
# coverage: which lines of common/ and milter/ the tests run, by gcov.
#
#     coverage.sh TREE      a tree of its own, as `make distdir` leaves it
#
# Builds there, runs the unit tests of these folders and the replay of the fuzz
# corpus, and as root the programs of tests/cases that $COVERAGE_CASES names (the
# milter's if it isn't set).
# Says for each file and folder how many lines were run, of those that can be,
# and which weren't.
set -eu

FOLDERS="common milter"
cd "$1"
# Names of the test programs in a folder: tests_in FOLDER PREFIX...
tests_in()
{
	folder=$1
	shift
	for prefix in "$@"; do
		for file in "$folder/$prefix"*.c; do
			! grep -qs '^int main(' "$file" || basename "$file" .c
		done
	done | tr '\n' ' '
}

run_tests()
{
	folder=$1
	shift
	[ -n "$*" ] || return 0
	make -s -C "$folder" check "check_PROGRAMS=$*" "TESTS=$*"
}

build()
{
	# without its counts an _exit() would leave none
	cc -fPIC -c -o coverage-exit.o tests/coverage-exit.c
	ar rc libcoverage-exit.a coverage-exit.o
	./configure CFLAGS='-g -O0 --coverage' \
		LDFLAGS='--coverage -Wl,--wrap=_exit' \
		LIBS="$PWD/libcoverage-exit.a"
	make -s
	# daemons that gave up root write their counts there too
	chmod -R a+rwX .
}

# gcov's lines are "COUNT:LINE:TEXT"; inline functions of a header come again
# with each file that includes it.
count_lines()
{
	for folder in $FOLDERS; do
		[ -d "$folder" ] || continue
		(cd "$folder" && find . -name '*.gcno' -exec gcov -p -t {} + \
			2>/dev/null | sed "s,^ *\([^:]*\): *\([0-9]*\):,$folder \1 \2 ,")
	done | awk '
		$3 == 0 && $4 ~ /^Source:/ {
			file = substr($4, 8)
			sub(/^\.\//, "", file)
			if (file !~ /\//)
				file = $1 "/" file
			sub(/^\.\.\//, "", file)
			mine = index(file, $1 "/") == 1
		}
		$3 > 0 && mine && $2 != "-" {
			line = file ":" $3
			if (!(line in can)) {
				can[line] = 1
				lines[file]++
				lines[$1]++
				numbers[file] = numbers[file] " " $3
			}
			if ($2 !~ /^[#=]/ && !(line in run)) {
				run[line] = 1
				done[file]++
				done[$1]++
			}
		}
		function missed(name,	count, i, list, text) {
			count = split(numbers[name], list)
			for (i = 1; i <= count; i++)
				if (!(name ":" list[i] in run))
					text = text " " list[i]
			return text == "" ? "" : " but" text
		}
		END {
			for (name in lines)
				printf "%s %.1f%% %d/%d%s\n", name,
					100 * done[name] / lines[name],
					done[name], lines[name], missed(name)
		}' | sort | sed 's/^/coverage: /'
}

build >build.log 2>&1 || {
	tail -n 20 build.log >&2
	exit 1
}
{
	# shellcheck disable=SC2046
	run_tests tests/unit $(tests_in tests/unit test-arrival test-report-line \
		test-milter)
	make -s -C tests/fuzz check
	# shellcheck disable=SC2046,SC2086
	[ "$(id -u)" != 0 ] || run_tests tests/cases \
		${COVERAGE_CASES-$(tests_in tests/cases test-milter)}
} >tests.log 2>&1 || {
	tail -n 30 tests.log >&2
	exit 1
}
count_lines
