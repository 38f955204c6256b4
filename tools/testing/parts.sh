# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the script test runs: a function for each part, part_NAME. It has lib.sh, and the
# directory $tmp to itself. Its last line is "N passed, N failed", and ", N skipped" where
# something could not run. Sourced, never run.
# shellcheck disable=SC2154

# shellcheck source-path=SCRIPTDIR source=guests.sh
. "$testing/guests.sh"

mapfile -t every_kernel < <(kernels amd64)
newest=${every_kernel[-1]}
# The kernel for what is run in one only.
main=6.1

# quick_parts: those of make test, what takes longest first.
quick_parts()
{
	printf '%s\n' kunit "core $main" "core $newest" check bench exporter reader top
}

# all_parts: those of make test-all.
all_parts()
{
	local version
	printf '%s\n' kunit clang 'rest debug' "rest $main" 'core debug' 'cells debug' "vm $main" "reload $main" "cells $main"
	for version in "${every_kernel[@]}"; do
		echo "random $version"
		[ "$version" = $main ] || echo "vm $version"
	done
	printf '%s\n' configs selftests packages agents feed soak fuzz demo check race bench exporter reader top
}

# unused PART: pathspecs without the files that cannot change its result.
unused()
{
	local tests=tools/testing/selftests
	case $1 in
	*\ * | clang | configs | selftests | soak)
		printf ':!%s\n' kunit tools/{agents,debian,examples,exporter,monitoring} \
			tools/portsock/portsock.{5,8,bash,fish,zsh} tools/portsock/top.svg \
			tools/testing/{agents,bench,benchmarks,check,deb,debian,demo,exporter,feed,feeding} \
			tools/testing/{fuzz,fuzzing} \
			tools/testing/{kunit,layers,manuals,mutants,mutants.known,mutation.py,packages,parts.sh} \
			tools/testing/{prometheus,race,reader,runner-test,tap.py,test,tested,threads,top}
		;;
	esac
	case $1 in
	random\ *) printf '%s\n' ":!$tests/[!r]*_test.py" ":!$tests/repair_test.py" ;;
	rest\ *) printf '%s\n' ":!$tests/"{random_test,program,world,worker}.py ;;
	vm\ * | reload\ *) printf '%s\n' ":!$tests/"{bound_test,repair_test,random_test,program,world,worker}.py ;;
	esac
}

# all_passed: what make test-all ends with.
all_passed() { "$testing/tested" --print; }

# named_parts NAME...: these, for the kernels of KERNEL or for all.
named_parts()
{
	local name version list
	for name; do
		case $name in
		check | kunit | race | reader | top | exporter | agents | feed | fuzz | soak | selftests | packages | bench | configs | clang | demo) echo "$name" ;;
		core | vm | random | rest | reload | cells)
			list=("${every_kernel[@]}")
			[[ $name != re[sl]* && $name != cells ]] || list=("$main")
			for version in ${KERNEL:-"${list[@]}"}; do
				echo "$name $version"
			done
			;;
		arm64)
			for version in $(kernels arm64); do
				echo "vm $version"
			done
			;;
		*) die "no part $name; see --help" ;;
		esac
	done
}

# prefetch: what the parts of make test download and unpack.
prefetch()
{
	"$testing/deps" build vm
	"$testing/kernel" $main
	"$testing/kernel" --source $main
	"$testing/rootfs"
	"$testing/qemu"
	"$testing/kernel" "$newest"
	"$testing/chroot" trixie true
}

part_check() { "$testing/check"; }

part_kunit()
{
	"$testing/deps" kunit
	"$testing/kunit"
}

# cmocka counts per group; add the groups up.
part_reader()
{
	local status=0 prometheus
	"$testing/deps" build check oracles
	prometheus=$("$testing/prometheus")
	PATH=$prometheus:$PATH here make -s -C "$repo/tools" test 2>&1 | tee "$tmp/cmocka" || status=$?
	awk '/^\[  PASSED  \] [0-9]+ test/ { p += $4 }
	     /^\[  FAILED  \] [0-9]+ test/ { f += $4 }
	     END { printf "%d passed, %d failed\n", p, f }' "$tmp/cmocka"
	return $status
}

part_exporter()
{
	local status=0 prometheus beside
	"$testing/deps" build exporter oracles
	prometheus=$("$testing/prometheus")
	local PATH=$prometheus:$PATH
	here make -s -C "$repo/tools" all exporter
	# Both mostly wait for a Prometheus.
	"$testing/exporter/monitoring_test.py" > "$tmp/monitoring" &
	beside=$!
	"$testing/exporter/exporter_test.py" > "$tmp/exporter" || status=1
	wait $beside || status=1
	cat "$tmp/exporter" "$tmp/monitoring" | awk '
		/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; next }
		{ print }
		END { printf "%d passed, %d failed\n", p, f }'
	return $status
}

part_top()
{
	"$testing/deps" build top
	here make -s -C "$repo/tools" > "$tmp/log"
	"$testing/top"
}

part_bench() { KERNEL=$main "$testing/bench" --check; }

# It ends with 0 only if all that it compares is the same.
part_demo()
{
	"$testing/demo"
	summary 1 0 0
}

part_soak() { "$testing/soak" 180 1; }

part_agents() { "$testing/agents"; }

part_feed() { "$testing/feed"; }

part_race() { "$testing/deps" kunit && "$testing/race"; }

part_fuzz() { "$testing/fuzz"; }

part_configs() { "$testing/configs"; }

part_selftests() { "$testing/kselftests" $main; }

part_packages() { "$testing/packages"; }
