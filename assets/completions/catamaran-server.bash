_catamaran__server() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="catamaran__server"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        catamaran__server)
            opts="-h -V --config --data-dir --listen --add-user --remove-user --set-password --add-key --list-keys --remove-key --set-quota --set-trash --set-rate --lock-user --unlock-user --list-users --uploads --verify --verify-ledger --rescan --bans --unban --fingerprint --check-config --print-config --quota --max-files --trash --password-stdin --keep-files --from-start --rate --json --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --data-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --add-user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --remove-user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set-password)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --add-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --list-keys)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --remove-key)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set-quota)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set-trash)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --set-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --lock-user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --unlock-user)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --verify)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --verify-ledger)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --rescan)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --unban)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --quota)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-files)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --trash)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _catamaran__server -o nosort -o bashdefault -o default catamaran-server
else
    complete -F _catamaran__server -o bashdefault -o default catamaran-server
fi
