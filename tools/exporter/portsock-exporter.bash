# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Bash completion of portsock-exporter.

_portsock_exporter()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	local options='--web.listen-address --web.systemd-socket --web.telemetry-path --netns --limit
		-p --proto -P --port --path.procfs -h --help -V --version'

	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -o default -F _portsock_exporter portsock-exporter
