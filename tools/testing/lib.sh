# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts beside this file share. Sourced, never run.

testing=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The variables below are for the scripts that source this file.
# shellcheck disable=SC2034
repo=$(cd "$testing/../.." && pwd)
cache=${PORTSOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portsock}
me=${0##*/}

# sbin is not in everybody's PATH, mke2fs and depmod are there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit "${failure:-1}"; }

# skip WHY: ends a script that cannot do its work and is not to be blamed for that.
# The caller gets the reason, and this status.
status_skipped=77
skip() { say "skipped: $*"; echo "$*"; exit $status_skipped; }

# What vm ends with when a guest did not come as far as its command.
status_no_start=123

# summary PASSED FAILED SKIPPED: the last line of scripts that count.
summary()
{
	local skipped=", $3 skipped"
	[ "$3" != 0 ] || skipped=
	echo "$1 passed, $2 failed$skipped"
}

# counts LOG: the last line of that kind, as three numbers.
counts()
{
	sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' "$1" | tail -n 1
}

# usage: print the comment block at the top of the calling script.
usage() { sed -n '3,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# scratch: a directory that goes away with the script, beside the cached
# files so that a finished one is put in place by a rename.
scratch()
{
	mkdir -p "$cache/tmp"
	# Left by runs that were killed.
	find "$cache/tmp" -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} + 2> /dev/null || :
	tmp=$(mktemp -d "$cache/tmp/$me.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# lock NAME: two runs that make the same thing take turns.
lock()
{
	mkdir -p "$cache/lock"
	exec 9> "$cache/lock/$1"
	flock -n 9 || { say "waiting for another run that makes $1"; flock 9; }
}

# kernels ARCHITECTURE: the versions in the file of that name, where amd64 goes
# without saying.
kernels()
{
	local prefix=$1-
	awk -v begin="^${prefix#amd64-}[0-9]" '$1 ~ begin { print $1 }' "$testing/kernels"
}

# version: portsock's, from where it is written.
version() { sed -n 's/^#define PORTSOCK_VERSION "\(.*\)"/\1/p' "$repo/module/version.h"; }

# pack DIR IMAGE: an ext4 image that holds the files of DIR.
pack()
{
	local size
	size=$(du -skx "$1/." | cut -f1)
	rm -f "$2"
	mke2fs -q -t ext4 -O ^has_journal -m 0 -E root_owner=0:0 -d "$1/." \
		"$2" $((size + size / 4 + 8192))k > /dev/null ||
		die "cannot make a disk image of $1"
}

# here COMMAND...: what builds in the tree itself, or copies what is built there,
# takes turns.
here() { (lock tree; "$@"); }

# programs DIR: the reader and the selftests there. The caller has evaluated what
# the script kernel said; what is for another architecture is built in a copy.
programs()
{
	local source=$repo variables=() assignments
	if [ -n "${CROSS-}" ]; then
		assignments=$("$testing/rootfs" --architecture "${ARCHITECTURE:?}")
		eval "$assignments"
		source=$tmp/programs
		rm -rf "$source"
		mkdir "$source"
		here cp -r "$repo/tools" "$repo/module" "$source"
		make -s -C "$source/tools" clean
		make -s -C "$source/tools/testing/selftests" clean
		variables=(
			CC="${CROSS}gcc --sysroot=${SYSROOT:?}"
			PKG_CONFIG="env PKG_CONFIG_SYSROOT_DIR=$SYSROOT PKG_CONFIG_LIBDIR=$SYSROOT/usr/lib/${CROSS%-}/pkgconfig pkg-config"
		)
	fi
	here make -s -C "$source/tools" "${variables[@]}"
	here make -s -C "$source/tools/testing/selftests" "${variables[@]}"
	here cp -r "$source/tools/portsock/portsock" "$source/tools/testing/selftests/." "$1"
}

signature=706f7274

# disk FILE IMAGE: a disk with FILE in its first partition. Kernels number disks
# in the order they find them, which from 6.12 on is any; a partition has a name.
disk()
{
	local sectors
	sectors=$(($(stat -c %s "$1") / 512))
	dd if="$1" of="$2" bs=1M seek=1 conv=sparse status=none
	# The disk's signature, one partition of type Linux from 1 MiB on.
	{
		le32 $((16#$signature))
		printf '\0\0\0\376\377\377\203\376\377\377'
		le32 2048
		le32 $sectors
		printf '\0%.0s' {1..48}
		printf '\125\252'
	} | dd of="$2" bs=1 seek=440 conv=notrunc status=none
}

le32()
{
	local i
	for i in 0 8 16 24; do
		# shellcheck disable=SC2059
		printf "\\x$(printf %02x $(($1 >> i & 255)))"
	done
}

# apt's own configuration says where packages come from. This keeps to Debian's
# repositories and leaves out what else a machine may have.
apt_repositories()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format \
		'$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)' \
		'Created-By: Packages' | awk '$1 == "Debian" && $2 == "main"' |
		sort -u
}

# apt_sources SUITE...: lines for sources.list, at the mirrors that the machine
# uses for the suites it has.
apt_sources()
{
	apt_repositories | awk -v suites="$*" '
		{ mirror[$3 ~ /-security$/] = $4 }
		END {
			n = split(suites, suite, " ")
			for (i = 1; i <= n; i++) {
				uri = mirror[suite[i] ~ /-security$/]
				if (uri == "")
					exit 1
				print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]",
					uri, suite[i], "main"
			}
		}' || die 'apt has no repository of Debian configured, or none of its security updates'
}

# apt_private SUITE[,SUITE...] [ARCHITECTURE]: sets $apt to the options of an apt
# of our own, which reads these suites, has its lists to itself and installs
# nothing. With another architecture than the machine's it knows both.
apt_private()
{
	local dir=$cache/apt/$1 foreign='' suites sources
	IFS=, read -ra suites <<< "$1"
	[ "${2:-amd64}" = amd64 ] || foreign=$2 dir+=,$2
	sources=$(apt_sources "${suites[@]}")
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	printf '%s\n' "$sources" > "$dir/sources.list"
	printf 'Package: *\nPin: release a=*\nPin-Priority: 1\n' > "$dir/preferences"
	# apt's sandbox user may not write here; container images turn caches off.
	cat > "$dir/apt.conf" <<-END
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "$dir/preferences";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State::lists "$dir/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$dir";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "srcpkgcache.bin";
		APT::Sandbox::User "root";
		${foreign:+APT::Architectures:: "$foreign";}
	END
	# shellcheck disable=SC2034
	apt=(-c "$dir/apt.conf")
}

# unpack DIR PACKAGE...: download these with the apt that apt_private has set, and unpack
# them in DIR, which is new.
unpack()
{
	local dir=$1 deb
	shift
	say "fetching $*"
	mkdir "$tmp/deb" "$dir" || die "cannot make $dir"
	apt-get "${apt[@]}" -qq update >&2 || die 'apt-get update failed'
	(cd "$tmp/deb" && apt-get "${apt[@]}" -qq download "$@" >&2) || die "cannot download $*"
	for deb in "$tmp"/deb/*.deb; do
		dpkg -x "$deb" "$dir" || die "cannot unpack $deb"
	done
	rm -r "$tmp/deb"
}

# mmdebstrap_options: what mmdebstrap's apt needs from the machine's.
mmdebstrap_options()
{
	apt-config dump | sed -n -E \
		's/^(Acquire::([a-z]+::Proxy(::.*)?|Check-Valid-Until|Check-Date) .*)$/--aptopt=\1/p'
}

# apt_update: the machine's lists.
apt_update()
{
	if [ "$(id -u)" != 0 ]; then
		die "the package lists are missing or old; run as root: apt-get update"
	fi
	say 'apt-get update'
	apt-get -qq -o DPkg::Lock::Timeout=300 update >&2 ||
		die 'apt-get update failed'
}
