#compdef portsock-exporter
# SPDX-License-Identifier: GPL-2.0
# Zsh completion of portsock-exporter.

_arguments -s \
	'--web.listen-address=[where to listen]:address:(127.0.0.1\:19763)' \
	'--web.systemd-socket[only on the socket that systemd passes]' \
	'--web.telemetry-path=[of the metrics]:path:(/metrics)' \
	'--netns[all network namespaces, too]' \
	'--limit=[at most so many service rows]:count:' \
	'*'{-p,--proto=}'[only these protocols]:protocols:_values -s , protocol tcp udp udplite raw icmp sctp dccp mptcp' \
	'*'{-P,--port=}'[only these ports]:ports:_sequence _ports' \
	'--path.procfs=[where /proc is]:directory:_directories' \
	'(-h --help)'{-h,--help}'[show a summary]' \
	'(-V --version)'{-V,--version}'[show the version]'
