# private-dev: a /dev of its own for a program, in its mount namespace.
#
#   unshare --mount sh private-dev.sh FOLDER SOCKET COMMAND...
#
# runs the command with a /dev in which log is that socket; FOLDER is empty and
# for the mount. Sourced by root-init.sh for dev_mount.

# dev_mount FOLDER: what every program may expect there
dev_mount()
{
	mount -t tmpfs -o mode=755 tmpfs "$1"
	for node in null zero full random urandom tty; do
		: >"$1/$node"
		mount --bind "/dev/$node" "$1/$node"
	done
	ln -s /proc/self/fd "$1/fd"
	mkdir -m 1777 "$1/shm"
}

case $0 in
*/private-dev.sh)
	set -eu
	dev_mount "$1"
	ln -s "$2" "$1/log"
	mount --rbind "$1" /dev
	shift 2
	exec "$@"
	;;
esac
