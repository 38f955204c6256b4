# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Bash completion of portsock.

# _portsock_list WORD...: the last of the names in a list with commas.
_portsock_list()
{
	local done=${cur%"${cur##*[,+]}"}

	compopt -o nospace
	mapfile -t COMPREPLY < <(compgen -P "$done" -W "$*" -- "${cur#"$done"}")
}

_portsock()
{
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local states='established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close
		close_wait last_ack listen closing'
	local columns="proto port service class sockets ipv6 $states
		opened accepted connected closed peak ports backlog
		backlog_max backlog_peak listen_drops rcv_queue rcv_drops
		connect_refused connect_timeout connect_unreachable connect_given_up
		connect_killed connect_no_port resets timeouts aborts retrans
		bytes_rx bytes_tx ended lifetime_ms lifetime_log2 accept_wait_log2
		handshakes handshake_us accepts accept_wait_ms rtts rtt_us
		uid cgroup pid comm"
	local options='-a --all -r --remote -p --proto -P --port -s --state -N --netns -A --all-netns
		-f --file -o --output -n --numeric -j --json -F --format -l --limit
		-O --output-file -w --watch -c --count --sort --color -h --help -V --version'

	[[ ${COMP_WORDS[1]} != check || $COMP_CWORD = 1 ]] ||
		options='-N --netns -f --file -v --verbose -h --help'
	[[ ${COMP_WORDS[1]} != top || $COMP_CWORD = 1 ]] ||
		options='-a --all -r --remote -p --proto -P --port -s --state -N --netns -A --all-netns
			-f --file -o --output -n --numeric -w --watch --sort --color -h --help'

	# Readline takes --option=value for three words.
	if [[ $cur = '=' ]]; then
		cur=''
	elif [[ $previous = '=' ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $previous in
	-p | --proto)
		_portsock_list tcp udp udplite raw icmp sctp dccp mptcp
		return
		;;
	-P | --port)
		_portsock_list "$(awk '/^[a-z]/ { print $1 }' /etc/services 2> /dev/null)"
		return
		;;
	-s | --state)
		_portsock_list "$states"
		return
		;;
	-o | --output)
		_portsock_list "$columns"
		return
		;;
	--sort)
		mapfile -t COMPREPLY < <(compgen -W "$columns" -- "$cur")
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
		return
		;;
	-N | --netns)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(cd /proc && echo [0-9]*; ls /run/netns 2> /dev/null)" -- "$cur")
		return
		;;
	-F | --format)
		mapfile -t COMPREPLY < <(compgen -W \
			'prometheus openmetrics influx collectd csv json' -- "$cur")
		return
		;;
	-l | --limit)
		return
		;;
	-f | --file | -O | --output-file)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac

	[[ $COMP_CWORD != 1 ]] || options+=' check top'
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -F _portsock portsock
