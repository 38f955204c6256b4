# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Tests in shell, on this machine and in the guest. Sourced, never run.

passed=0
failed=0

# try NAME COMMAND...: passes when the command succeeds; otherwise shows what it
# printed. A function ends at its first command that fails, so try itself must
# not be part of a condition.
try()
{
	local name=$1 output status
	shift
	set +e
	output=$(set -e; "$@" 2>&1)
	status=$?
	set -e
	if [ $status = 0 ]; then
		passed=$((passed + 1))
		echo "ok $name"
	else
		failed=$((failed + 1))
		echo "not ok $name: status $status"
		printf '%s\n' "$output" | tail -n 50 | sed 's/^/    /'
	fi
}

# equal GOT WANTED
equal()
{
	[ "$1" = "$2" ] || { printf 'is:        %s\nshould be: %s\n' "$1" "$2"; return 1; }
}

# conclude: the last line, and the exit status.
conclude()
{
	echo "$passed passed, $failed failed"
	[ $failed = 0 ] && [ $passed -gt 0 ]
}
