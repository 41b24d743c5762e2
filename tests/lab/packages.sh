# packages: the Debian packages that the build, the lab and the tests need.
#
# Installs what is missing, removes nothing, starts no service, and takes
# back that a daemon installed here would start at the next boot.

# What the build, the lab and the demo need; a line each.
PACKAGES="
	gcc
	libc6-dev
	make
	autoconf
	automake
	libtool
	pkg-config
	libssl-dev
	zlib1g-dev
	liblzma-dev
	uthash-dev
	libxxhash-dev
	libpsl-dev
	xz-utils
	libsystemd-dev
	libmilter-dev
	libidn2-dev
	libjson-c-dev
	dovecot-dev
	dovecot-core
	dovecot-imapd
	dovecot-pop3d
	dovecot-lmtpd
	postfix
	openssl
	procps
	rsyslog
"
# What the tests and the bench need beside.
PACKAGES_CHECK="
	chromium
	tidy
	python3
	libcunit1-dev
	dovecot-sieve
	dovecot-fts-xapian
	isync
	valgrind
	opendkim
	pflogsumm
	systemd-journal-remote
	opendkim-tools
	spin
	redis-server
	socat
	iproute2
"
# PACKAGE:SERVICE of those that bring a daemon
PACKAGES_DAEMONS="dovecot-core:dovecot postfix:postfix rsyslog:rsyslog
	opendkim:opendkim redis-server:redis-server"
# PACKAGE:ROLE: Debian has only one package of a role on a machine
PACKAGES_ROLES="postfix:mail-transport-agent rsyslog:system-log-daemon"

# packages_missing PACKAGE...
packages_missing()
{
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' \
		"$@" 2>/dev/null | sed -n 's/ installed$//p') || :
	for package; do
		echo "$installed" | grep -qFx "$package" ||
			packages_must_lack "$package" || echo "$package"
	done
}

# Is another package there in its role? That one stays.
packages_must_lack()
{
	for role in $PACKAGES_ROLES; do
		[ "$1" != "${role%:*}" ] || {
			packages_have_role "${role#*:}"
			return
		}
	done
	return 1
}

packages_have_role()
{
	dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
		grep -q "^installed .*$1"
}

# Keep maintainer scripts from starting services, as the policy-rc.d interface
# of invoke-rc.d allows. An existing policy that forbids it anyway stays.
packages_policy_set()
{
	policy=/usr/sbin/policy-rc.d
	policy_saved=
	if [ -e $policy ]; then
		rc=0
		$policy dovecot start >/dev/null 2>&1 || rc=$?
		[ $rc != 101 ] || { policy=; return 0; }
		policy_saved=$policy.before-quickstart
		mv $policy $policy_saved
	fi
	trap packages_policy_restore EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
}

packages_policy_restore()
{
	[ -n "$policy" ] || return 0
	rm -f $policy
	[ -z "$policy_saved" ] || mv $policy_saved $policy
	policy=
	trap - EXIT HUP INT TERM
}

# By its init script, or by its unit where it has none
packages_daemon_disable()
{
	if [ -e "/etc/init.d/$1" ]; then
		update-rc.d "$1" disable
	elif command -v systemctl; then
		systemctl disable "$1.service"
	fi >/dev/null 2>&1
}

# The daemons that came with these packages don't start at the next boot.
packages_daemons_disable()
{
	for daemon in $PACKAGES_DAEMONS; do
		case " $* " in
		*" ${daemon%:*} "*)
			packages_daemon_disable "${daemon#*:}" ||
				say "${daemon#*:} will start at boot" ;;
		esac
	done
}

packages_apt()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-remove \
		--no-install-recommends "$@" >&2
}

# packages_install PACKAGE...: those of them that are missing
packages_install()
{
	# shellcheck disable=SC2046
	set -- $(packages_missing "$@")
	[ $# -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		fail "needs Debian 12: there is no apt-get"
	say "installing $*"
	packages_apt update ||
		fail "apt-get update failed: see its words above"
	packages_policy_set
	if packages_apt install "$@"; then
		packages_policy_restore
	else
		packages_policy_restore
		fail "the packages can't be installed: see apt-get's words above"
	fi
	packages_daemons_disable "$@"
}
