# SPDX-License-Identifier: Apache-2.0
# Completion of vgw for bash: the program itself says what can follow.

_vgw()
{
    local cur words cword
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n :=/ cur words cword
    else
        cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi

    # Options in front of the command go to the program as they are.
    local first=1
    while ((first < cword)) && [[ ${words[first]} == -* ]]; do
        [[ ${words[first]} == *=* ]] && ((first += 1)) || ((first += 2))
    done
    if ((first > cword)) || [[ ${words[first]} == -* ]]; then
        case ${words[cword - 1]} in
        --socket | -s) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        --yang-dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        *) mapfile -t COMPREPLY < <(compgen -W '--socket --yang-dir --help --version' -- "$cur") ;;
        esac
        return
    fi

    local line word
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            compopt -o default 2>/dev/null
            continue
        fi
        word=${line%%$'\t'*}
        COMPREPLY+=("$word")
        [[ $word == */ ]] && compopt -o nospace 2>/dev/null
    done < <("${words[0]}" "${words[@]:1:first-1}" __complete "${words[@]:first:cword-first+1}" 2>/dev/null)
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}

complete -F _vgw vgw
