# SPDX-License-Identifier: GPL-2.0
# Fish completion of portsock-exporter.

complete -c portsock-exporter -f
complete -c portsock-exporter -l web.listen-address -x -d 'Where to listen' -a 127.0.0.1:19763
complete -c portsock-exporter -l web.systemd-socket -d 'Only on the socket that systemd passes'
complete -c portsock-exporter -l web.telemetry-path -x -d 'Of the metrics' -a /metrics
complete -c portsock-exporter -l netns -d 'All network namespaces, too'
complete -c portsock-exporter -l limit -x -d 'At most so many service rows'
complete -c portsock-exporter -s p -l proto -x -d 'Only these protocols' \
    -a "(__fish_append , tcp udp udplite raw icmp sctp dccp mptcp)"
complete -c portsock-exporter -s P -l port -x -d 'Only these ports' \
    -a "(__fish_append , (string match -r '^[a-z]\S*' </etc/services))"
complete -c portsock-exporter -l path.procfs -x -d 'Where /proc is' -a '(__fish_complete_directories)'
complete -c portsock-exporter -s h -l help -d 'Show a summary'
complete -c portsock-exporter -s V -l version -d 'Show the version'
