# build: configure and make in the tree, only what is out of date.

# Run a step of the build; its output goes to the terminal only if it fails.
build_step()
{
	if ! "$@" >>"$BUILD/build.log" 2>&1; then
		tail -n 40 "$BUILD/build.log" >&2
		fail "the build failed: $* (all of it: $BUILD/build.log)"
	fi
}

build_tree()
{
	# Started by a test that make runs: make has built, or is about to.
	[ -z "${MAKELEVEL-}" ] || return 0
	# Two of us in one tree would spoil each other's files.
	exec 8<"$TOP/configure.ac"
	flock 8
	: >"$BUILD/build.log"
	(
		cd "$BUILD"
		[ -e "$TOP/configure" ] ||
			build_step autoreconf -fi "$TOP"
		[ -e Makefile ] || build_step "$TOP/configure"
		build_step make -j"$(nproc)"
	) || exit 1
	exec 8<&-
}
