#compdef portsock
# SPDX-License-Identifier: GPL-2.0
# Zsh completion of portsock.

_portsock()
{
	local -a states columns protos common rows table
	states=(established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close
		close_wait last_ack listen closing)
	columns=(proto port service class sockets ipv6 $states
		opened accepted connected closed peak ports backlog
		backlog_max backlog_peak listen_drops rcv_queue rcv_drops
		connect_refused connect_timeout connect_unreachable connect_given_up
		connect_killed connect_no_port resets timeouts aborts retrans
		bytes_rx bytes_tx ended lifetime_ms lifetime_log2 accept_wait_log2
		handshakes handshake_us accepts accept_wait_ms rtts rtt_us
		uid cgroup pid comm)
	protos=(tcp udp udplite raw icmp sctp dccp mptcp)
	common=(
		'(-N --netns)'{-N,--netns}'[another network namespace]:namespace:_portsock_netns'
		'(-f --file)'{-f,--file}'[a captured table]:file:_files'
		'(-h --help)'{-h,--help}'[show a summary]'
	)
	rows=(
		'(-a --all)'{-a,--all}'[single ephemeral ports, too]'
		'(-r --remote)'{-r,--remote}'[outgoing connections, by remote port]'
		'*'{-p,--proto}"[only these protocols]:protocols:_values -s , protocol $protos"
		'*'{-P,--port}'[only these ports]:ports:_sequence _ports'
		'*'{-s,--state}"[only rows with sockets in these states]:states:_values -s , state $states"
		'(-A --all-netns)'{-A,--all-netns}'[all network namespaces]'
		'(-o --output)'{-o,--output}"[these columns]:columns:_values -s , column $columns"
		'(-n --numeric)'{-n,--numeric}'[no names of services and users]'
		'(-w --watch)'{-w,--watch}'[again and again, after so many seconds]:seconds:'
		"--sort[rows by this column]:column:($columns)"
		'--color=-[mark what is new and what grows]::when:(auto always never)'
	)
	table=(
		'(-j --json)'{-j,--json}'[JSON]'
		'(-F --format)'{-F,--format}'[for programs]:format:(prometheus openmetrics influx collectd csv json)'
		'(-l --limit)'{-l,--limit}'[at most so many service rows]:count:'
		'(-O --output-file)'{-O,--output-file}'[replace a file by the output]:file:_files'
		'(-c --count)'{-c,--count}'[end after so many looks]:count:'
		'(-V --version)'{-V,--version}'[show the version]'
	)

	case ${words[2]} in
	check)
		_arguments -s $common '(-v --verbose)'{-v,--verbose}'[rows that are fine, too]' '1:command:(check)'
		;;
	top)
		_arguments -s $common $rows '1:command:(top)'
		;;
	*)
		_arguments -s $common $rows $table '1:command:((
			check\:"compare with sock_diag of the kernel" top\:"on the whole screen"))'
		;;
	esac
}

_portsock_netns()
{
	_alternative 'processes:process:_pids' 'names:name:_files -W /run/netns'
}

_portsock "$@"
