# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The parts that are tests in a guest with the module. Sourced by parts.sh, never run.
# shellcheck disable=SC2154

# What compares values, and needs no load for that.
core=(file. netns. tcp. udp. proto. depth. remote. totals. hooks.all life.load_among life.load_line life.unload)
# The module with hooks that do not fire: it is loaded many times.
mute=('hooks.[!a]*')
# What takes long: volumes, losses and repair, churn.
rest=(bound. repair. 'life.[!lu]*' life.load_twice life.load_looks)
# Without the loads amid churn.
rest_debug=(bound. 'repair.[!ln]*' repair.lost repair.namespace repair.no_memory_for_records "${mute[@]}")
# What needs bind buckets that may fail, which no other test there could bear.
core_debug=(repair.no_memory_for_another)

# guest VERSION [CACHES]: sets $options (of vm), $command, and how many of the sockets that tests make
# are to be made in the parts core and vm ($few, $many); fills the directory that the guest is
# to have. Ends the part when the mirror has dropped that kernel. In the debug kernel these
# caches can be made to fail.
guest()
{
	local version=$1 caches=${2:-portsock_rec,portsock_row} assignments status=0 share=$tmp/share
	# Caches show who holds objects; the fewer buckets, the less a dump takes.
	local boot='slab_nomerge thash_entries=2048 uhash_entries=256 dccp.thash_entries=64'
	few=0.3 many=1
	"$testing/deps" build vm
	mkdir -p "$share"
	if [ "$version" = debug ] || [ "$version" = clang ]; then
		own_guest "$version"
	else
		assignments=$("$testing/kernel" "$version") || status=$?
		if [ $status = "${status_skipped:?}" ]; then
			echo "ok - linux $version # SKIP $assignments"
			echo "$version skipped" > "$tmp/release"
			summary 0 0 1
			exit
		fi
		[ $status = 0 ] || exit $status
		eval "$assignments"
		build_module "$version"
		options=(--kernel "$version" --append "$boot")
		command=(env "PORTSOCK_ABSENT=$ABSENT" ./run)
	fi
	echo "$version ${RELEASE:?}" > "$tmp/release"
	programs "$share"
	mv "$share/slow.ko" "$share/slow"
	[ "${ARCHITECTURE-}" = arm64 ] || options+=(--icount 1)
	options+=(--share "$share" --timeout 5400)
}

# build_module VERSION: and slow.ko. The compiler has nothing to say.
build_module()
{
	local status=0
	"$testing/build" --with "$testing/selftests/slow" "$1" "$share" W=1 > "$tmp/build" 2>&1 || status=$?
	cat "$tmp/build"
	if [ $status != 0 ] || grep -qvE '^(kernel|chroot|deps): ' "$tmp/build"; then
		echo "not ok - module for linux $1: W=1"
		exit 1
	fi
}

# own_guest debug | clang: a kernel of the script debug-kernel.
own_guest()
{
	local assignments kind=$1 run=./run
	if [ "$kind" = debug ]; then
		kind=x86 run=./debug
		few=0.05 many=0.05
	fi
	assignments=$("$testing/debug-kernel" "$kind")
	eval "$assignments"
	mkdir "$tmp/module"
	here cp -r "$repo/Kbuild" "$repo/module" "$testing/selftests/slow" "$tmp/module"
	find "$tmp/module" -name '*.o' -delete
	"${MAKE[@]}" -s -C "${KDIR:?}" M="$tmp/module" modules
	"${MAKE[@]}" -s -C "$KDIR" M="$tmp/module/slow" modules
	cp "$tmp/module/portsock.ko" "$tmp/module/slow/slow.ko" "$share"
	# shellcheck disable=SC2054
	options=(--vmlinuz "${KERNEL:?}" --modules "${MODULES:?}/lib/modules/$RELEASE" --smp 2,sockets=2
		--append "$boot slub_debug=A,$caches")
	command=(env "PORTSOCK_ABSENT=$ABSENT" "$run")
}

# in_guest SETTINGS TEST...: run these tests there, with these (words) in their environment.
in_guest()
{
	local settings
	read -ra settings <<< "$1"
	shift
	"$testing/steady" "${options[@]}" -- env "${settings[@]}" "${command[@]}" -- "$@"
}

part_core()
{
	local tests=("${core[@]}")
	# There random programs are a part of their own.
	if [ "$1" = debug ]; then
		tests+=("${core_debug[@]}")
	else
		tests+=(random.)
	fi
	guest "$1" tcp_bind2_bucket
	in_guest "PORTSOCK_SCALE=$few" "${tests[@]}"
}

part_vm()
{
	guest "$1"
	in_guest "PORTSOCK_SCALE=$many" "${core[@]}" "${mute[@]}"
}

part_rest()
{
	local tests=("${rest[@]}")
	[ "$1" != debug ] || tests=("${rest_debug[@]}")
	guest "$1"
	in_guest "PORTSOCK_SCALE=$many" "${tests[@]}"
}

# The tests that state whole tables, with the module loaded anew behind each comparison.
part_reload()
{
	guest "$1"
	in_guest "PORTSOCK_SCALE=$few PORTSOCK_RELOAD=1" tcp. udp. proto.
}

# Where CPUs have cells of all rows and totals, and lose them, all the time.
part_cells()
{
	guest "$1"
	in_guest "PORTSOCK_SCALE=$few PORTSOCK_CROWD=1" tcp. udp. proto. depth. remote. totals. random.
}

# Without what has sockets in the kernel, which it was not compiled with. Of three protocols
# clang inlines what is hooked.
part_clang()
{
	guest clang
	in_guest "PORTSOCK_SCALE=$few PORTSOCK_UNSEEN=mptcp,udplite,dccp" "${core[@]/proto./proto.[!k]*}" \
		hooks.each_protocol_is_watched random.
}

part_random()
{
	guest "$1"
	in_guest PORTSOCK_OPERATIONS=100000 random.
}
