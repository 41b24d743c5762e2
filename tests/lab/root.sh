# root: a root folder of its own for servers whose packages conflict with those
# of this machine.
#
# It is an overlay of / in a private mount and pid namespace: packages go into
# an upper layer that is kept in a cache, so that only the first run pays, and
# each lab adds an upper layer of its own. The network is this machine's.
# In it, /srv/lab is a folder of the lab, and /dev, /run, /tmp and /proc are its own.

ROOT_CACHE=${LAB_CACHE:-/var/cache/dovecot-migration-lab}

# Can overlays be mounted here? root_supported SERVER
root_supported()
{
	mkdir -p "$ROOT_CACHE"
	root_try=$(mktemp -d "$ROOT_CACHE/try.XXXXXX")
	mkdir "$root_try/upper" "$root_try/work" "$root_try/root"
	root_status=0
	unshare --mount --pid --fork mount -t overlay overlay -o \
		"lowerdir=/,upperdir=$root_try/upper,workdir=$root_try/work" \
		"$root_try/root" 2>/dev/null || root_status=$?
	rm -rf "$root_try"
	[ $root_status = 0 ] || {
		say "$1 needs overlay mounts, which aren't allowed here"
		exit $EX_UNSUPPORTED
	}
}

# A root made on top of other packages than now isn't used again.
# root_key NAME PACKAGES...
root_key()
{
	{ echo "$@"; dpkg-query -W; } | sha256sum | cut -c 1-16
}

# root_install NAME PACKAGES...: sets root_layer to the layer with the packages
root_install()
{
	root_layer=$ROOT_CACHE/$1-$(root_key "$@")/upper
	mkdir -p "$ROOT_CACHE/archives/partial"
	exec 7>"$ROOT_CACHE/lock"
	flock 7
	if [ ! -d "$root_layer" ]; then
		root_forget "$1"
		root_build "$@"
	fi
	# Held by everything that runs on the layer.
	exec 6<"$root_layer"
	flock --shared 6
	exec 7>&-
}

# Drop the layers of that name on which no lab runs.
root_forget()
{
	for old_layer in "$ROOT_CACHE/$1"-*/upper; do
		[ ! -d "$old_layer" ] || ! flock -n "$old_layer" true ||
			rm -rf --one-file-system "${old_layer%/upper}"
	done
}

root_build()
{
	say "preparing the root of $1; this is done once"
	root_new=$ROOT_CACHE/$1.new
	rm -rf --one-file-system "$root_new"
	mkdir -p "$root_new"
	root_name=$1
	shift
	unshare --mount --pid --fork --kill-child \
		sh "$PARTS/root-init.sh" install "$root_new" \
		"$ROOT_CACHE/archives" "$@" \
		>"$ROOT_CACHE/$root_name.log" 2>&1 </dev/null 7>&- || {
		tail -n 20 "$ROOT_CACHE/$root_name.log" >&2
		fail "the root of $root_name can't be made: see $ROOT_CACHE/$root_name.log"
	}
	mkdir "${root_layer%/upper}"
	mv "$root_new/upper" "$root_layer"
	rm -rf --one-file-system "$root_new"
}

# root_start NAME FOLDER: run /srv/lab/start in the root, as a daemon of that
# name; /srv/lab is FOLDER
root_start()
{
	mkdir -p "$DIR/$1-root"
	process_start "$1" unshare --mount sh "$PARTS/root-init.sh" start \
		"$DIR/$1-root" "$2" "$root_layer"
	exec 6<&-
}
