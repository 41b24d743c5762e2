# packages: the Debian packages that the build, the lab and the tests need.
#
# Installs what is missing, removes nothing, starts no service, and takes
# back that a daemon installed here would start at the next boot.

PACKAGES_BUILD="gcc libc6-dev make autoconf automake libtool pkg-config
	libssl-dev libcunit1-dev dovecot-dev"
PACKAGES_RUN="dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd
	postfix isync valgrind openssl procps"
PACKAGES_UNITS="dovecot.service dovecot.socket postfix.service"

packages_missing()
{
	for package in $PACKAGES_BUILD $PACKAGES_RUN; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
			2>/dev/null) || status=
		[ "$status" = installed ] || echo "$package"
	done
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

packages_units_enabled()
{
	for unit in $PACKAGES_UNITS; do
		! systemctl is-enabled --quiet $unit 2>/dev/null || echo $unit
	done
}

# The units that weren't enabled before $1 was written down stay so.
packages_units_restore()
{
	for unit in $(packages_units_enabled); do
		case " $(echo $1) " in
		*" $unit "*) ;;
		*) systemctl --quiet disable $unit 2>/dev/null ||
			say "can't disable $unit: it will start at boot" ;;
		esac
	done
}

packages_install()
{
	missing=$(packages_missing)
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null ||
		fail "needs Debian 12: there is no apt-get"
	# shellcheck disable=SC2086
	say "installing" $missing
	enabled=$(packages_units_enabled)
	packages_policy_set
	# shellcheck disable=SC2086
	if DEBIAN_FRONTEND=noninteractive apt-get -q update >&2 &&
	   DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-remove \
		--no-install-recommends install $missing >&2; then
		packages_policy_restore
	else
		packages_policy_restore
		fail "the packages can't be installed: see apt-get's words above"
	fi
	packages_units_restore "$enabled"
}
