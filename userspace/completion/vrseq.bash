# SPDX-License-Identifier: GPL-2.0
# bash completion of vrseq(8). The words are the grammar of the tool's help;
# names of groups come from the kernel.

_vrseq_groups()
{
	vrseq group show 2>/dev/null | sed -n 's/^group \([^ ]*\).*/\1/p'
}

_vrseq_netns()
{
	(cd /run/netns 2>/dev/null && printf '%s\n' *)
}

# The words that may follow an object and a command.
_vrseq_words()
{
	case $1 in
	'') echo "group member counter log key genkey record health stats status doctor bench journal help" ;;
	key) echo "set swap del help" ;;
	"key set") echo "key-name group help" ;;
	"key swap" | "key del") echo "group help" ;;
	genkey) echo "help" ;;
	group) echo "show add form resign reform del help" ;;
	member) echo "show add del help" ;;
	counter) echo "next get help" ;;
	log) echo "append tail help" ;;
	bench) echo "next append tail help" ;;
	"group add")
		echo "self listen key key-name insecure uuid heartbeat view-timeout lease record-max" \
			"log-entries log-bytes messages message-bytes durability journal-size record role" \
			"clients node-lease files gid wire help"
		;;
	"group form") echo "generation help $(_vrseq_groups)" ;;
	"group reform") echo "confirm help $(_vrseq_groups)" ;;
	"group show" | "group resign" | "group del") echo "help $(_vrseq_groups)" ;;
	"member add") echo "role group help" ;;
	"member del" | "member show") echo "group help" ;;
	"counter next") echo "count repeat timeout group help" ;;
	"counter get") echo "mode timeout group help" ;;
	"log append") echo "timeout group help" ;;
	"log tail") echo "-f -j from count timeout group help" ;;
	"bench next") echo "count threads duration timeout group help" ;;
	"bench append" | "bench tail") echo "size threads duration timeout group help" ;;
	health | stats | status) echo "group help" ;;
	doctor) echo "group watch help" ;;
	journal) echo "check dump help" ;;
	record) echo "show help" ;;
	esac
}

_vrseq()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local path='' i=1 words

	while ((i < COMP_CWORD)); do
		case ${COMP_WORDS[i]} in
		-n | --netns) ((i++)) ;;
		-*) ;;
		health | stats | status | doctor | genkey)
			path=${COMP_WORDS[i]}
			break
			;;
		*)
			if [[ $path ]]; then
				path="$path ${COMP_WORDS[i]}"
				break
			fi
			path=${COMP_WORDS[i]}
			;;
		esac
		((i++))
	done

	case $prev in
	-n | --netns) words=$(_vrseq_netns) ;;
	group) [[ $path == group ]] && words=$(_vrseq_words group) || words=$(_vrseq_groups) ;;
	mode) words="log index lease local" ;;
	role) words="voter client" ;;
	durability) words="memory journal" ;;
	*)
		words=$(_vrseq_words "$path")
		[[ -z $path && $cur == -* ]] && words="-j -p -n -V -h"
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _vrseq vrseq
