# bash completion of trawl(1).  Verbs, options and their values are asked of the program, so that they are never out of date.

_trawl_verbs() { "$1" --help 2>/dev/null | awk '/^  [a-z]/ && $1 != "trawl" { print $1 } END { print "--help\n--version\n--print-config" }'; }
_trawl_options() { "$1" "$2" --help 2>/dev/null | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--?[a-z-]+'; }
# What follows an option: its placeholder in the help, empty for a flag.
_trawl_value() {
    "$1" "$2" --help 2>/dev/null | awk -v option="$3" '{
        sub(/,/, "", $1)
        at = $1 == option ? ($2 ~ /^--/ ? 3 : 2) : $2 == option && $1 ~ /^-/ ? 3 : 0
        if (at == 0 || found++) next
        line = $0
        sub(/^ *(-[a-z],? )? *--[a-z-]+/, "", line)
        if (line ~ /^ [^ ]/) print $at
    }'
}
_trawl_tools() { "$1" tools -o csv 2>/dev/null | sed '1d; s/,.*//'; }

_trawl() {
    local program=$1 word=$2 before=$3 verb=${COMP_WORDS[1]} value='' choices=''
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        choices=$(_trawl_verbs "$program")
    elif [[ $before == -* ]] && value=$(_trawl_value "$program" "$verb" "$before") && [[ -n $value ]]; then
        case $before in
        --flavour) choices='libbpf bcc bpftrace' ;;
        *) [[ $value != *'|'* ]] || choices=${value//|/ } ;;
        esac
    elif [[ $word == -* ]]; then
        choices=$(_trawl_options "$program" "$verb")
    else
        case $verb:$COMP_CWORD in
        run:2 | plan:2 | tools:2 | parse:2) choices=$(_trawl_tools "$program") ;;
        parse:*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        show:2 | stop:2 | hist:2 | top:2 | events:2 | stacks:* | export:* | flame:*) choices=last ;;
        esac
    fi
    [[ -z $choices ]] || mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _trawl trawl
