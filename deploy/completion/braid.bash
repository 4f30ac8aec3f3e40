# Completion of Braid's programs for bash.

_braid() {
    local words=() word current
    # "=" parts words for bash, and for nobody else.
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if ((${#words[@]} > 1)) && [[ $word == = || ${words[-1]} == *= ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    current=${words[-1]}
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        case $word in
        :files)
            compopt -o filenames 2>/dev/null
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "${current#*=}")
            ;;
        :commands) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -c -- "$current") ;;
        "$current"*) if [[ $current == *=* ]]; then COMPREPLY+=("${word#*=}"); else COMPREPLY+=("$word"); fi ;;
        esac
    done < <(/usr/local/lib/braid/complete "${words[@]}")
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _braid braidctl braidd braidrun braid-steer braid-connect
