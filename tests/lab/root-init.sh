# root-init: what runs first in the namespaces of an old server's root.
#
#   root-init.sh install FOLDER ARCHIVES PACKAGE...
#   root-init.sh start FOLDER LAB_FOLDER LAYER
# and, for itself, run and enter.
#
# FOLDER is for the mounts. `install` leaves the layer with the packages in
# FOLDER/upper; `start` puts an upper layer of its own on LAYER. It doesn't
# end before its server: a TERM is handed on to /srv/lab/start, which runs as
# pid 1.

set -eu
. "${0%/*}/private-dev.sh"
mode=$1 folder=$2 outside=$3
shift 3
root=$folder/root

# root_overlay LOWER UPPER PLACE
root_overlay()
{
	mkdir -p "$folder/$2" "$folder/$2.work" "$3"
	mount -t overlay overlay -o \
		"lowerdir=$1,upperdir=$folder/$2,workdir=$folder/$2.work" "$3"
}

root_mount()
{
	dev_mount "$root/dev"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	mkdir -p "$root/srv/lab"
	mount --bind "$outside" "$root/srv/lab"
}

# Files of this machine which only make sense with its own services
root_detach()
{
	rm -f "$root/etc/resolv.conf"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf" || :
	rm -f "$root/usr/sbin/policy-rc.d"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
}

root_apt()
{
	DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -q -y \
		-o Dir::Cache::archives=/srv/lab -o APT::Sandbox::User=root \
		-o APT::Keep-Downloaded-Packages=true "$@"
}

case $mode in
install)
	root_overlay / upper "$root"
	root_mount
	root_detach
	mount -t proc proc "$root/proc"
	root_apt --no-install-recommends --download-only install "$@" ||
		root_apt update
	root_apt --no-install-recommends install "$@"
	;;
start)
	# A layer below / can't be a lower layer next to /, but it can be one
	# next to an overlay of it.
	root_overlay / base "$folder/base.root"
	root_overlay "$1:$folder/base.root" upper "$root"
	root_mount
	exec unshare --pid sh "$0" run "$folder" "$outside"
	;;
run)
	# the first child is pid 1 of the new namespace
	sh "$0" enter "$folder" "$outside" &
	child=$!
	trap 'kill -s TERM $child' TERM
	while kill -s 0 $child 2>/dev/null; do
		wait $child || :
	done
	;;
enter)
	mount -t proc proc "$root/proc"
	exec chroot "$root" /bin/sh /srv/lab/start
	;;
esac
