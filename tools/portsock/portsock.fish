# SPDX-License-Identifier: GPL-2.0
# Fish completion of portsock.

set -l states established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close \
    close_wait last_ack listen closing
set -l columns proto port service class sockets ipv6 $states \
    opened accepted connected closed peak ports backlog \
    backlog_max backlog_peak listen_drops rcv_queue rcv_drops \
    connect_refused connect_timeout connect_unreachable connect_given_up \
    connect_killed connect_no_port resets timeouts aborts retrans \
    bytes_rx bytes_tx ended lifetime_ms lifetime_log2 accept_wait_log2 \
    handshakes handshake_us accepts accept_wait_ms rtts rtt_us \
    uid cgroup pid comm
set -l protos tcp udp udplite raw icmp sctp dccp mptcp
set -l table 'not __fish_seen_subcommand_from check top'
set -l rows 'not __fish_seen_subcommand_from check'

complete -c portsock -f
complete -c portsock -n __fish_use_subcommand -a check -d "Compare with the kernel's sock_diag"
complete -c portsock -n __fish_use_subcommand -a top -d 'On the whole screen'

complete -c portsock -n $rows -s a -l all -d 'Single ephemeral ports, too'
complete -c portsock -n $rows -s r -l remote -d 'Outgoing connections, by remote port'
complete -c portsock -n $rows -s p -l proto -x -d 'Only these protocols' \
    -a "(__fish_append , $protos)"
complete -c portsock -n $rows -s P -l port -x -d 'Only these ports' \
    -a "(__fish_append , (string match -r '^[a-z]\S*' </etc/services))"
complete -c portsock -n $rows -s s -l state -x -d 'Only rows with sockets in these states' \
    -a "(__fish_append , $states)"
complete -c portsock -s N -l netns -x -d 'Another network namespace' \
    -a '(__fish_complete_pids; command ls /run/netns 2>/dev/null)'
complete -c portsock -n $rows -s A -l all-netns -d 'All network namespaces'
complete -c portsock -s f -l file -r -F -d 'A captured table'
complete -c portsock -n $rows -s o -l output -x -d 'These columns' \
    -a "(__fish_append , $columns)"
complete -c portsock -n $rows -s n -l numeric -d 'No names of services and users'
complete -c portsock -n $table -s j -l json -d JSON
complete -c portsock -n $table -s F -l format -x -d 'For programs' \
    -a 'prometheus openmetrics influx collectd csv json'
complete -c portsock -n $table -s l -l limit -x -d 'At most so many service rows'
complete -c portsock -n $table -s O -l output-file -r -F -d 'Replace a file by the output'
complete -c portsock -n $rows -s w -l watch -x -d 'Again and again, after so many seconds'
complete -c portsock -n $table -s c -l count -x -d 'End after so many looks'
complete -c portsock -n $rows -l sort -x -d 'Rows by this column' -a "$columns"
complete -c portsock -n $rows -l color -f -d 'Mark what is new and what grows' \
    -a 'auto always never'
complete -c portsock -n '__fish_seen_subcommand_from check' -s v -l verbose \
    -d 'Rows that are fine, too'
complete -c portsock -s h -l help -d 'Show a summary'
complete -c portsock -n $table -s V -l version -d 'Show the version'
