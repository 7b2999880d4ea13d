# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_catamaran_global_optspecs
    string join \n local= print-keys print-config manual password-stdin i/identity= accept-new fingerprint= json q/quiet h/help V/version
end

function __fish_catamaran_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_catamaran_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_catamaran_using_subcommand
    set -l cmd (__fish_catamaran_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c catamaran -n "__fish_catamaran_needs_command" -l local -d 'Where the local pane opens' -r -F
complete -c catamaran -n "__fish_catamaran_needs_command" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_needs_command" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_needs_command" -l print-keys -d 'Print a keys.toml with every action and its keys, and end'
complete -c catamaran -n "__fish_catamaran_needs_command" -l print-config -d 'Print a client.toml with every setting and its default, and end'
complete -c catamaran -n "__fish_catamaran_needs_command" -l manual -d 'Print the manual, and end'
complete -c catamaran -n "__fish_catamaran_needs_command" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_needs_command" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_needs_command" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_needs_command" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c catamaran -n "__fish_catamaran_needs_command" -s V -l version -d 'Print version'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "put" -d 'Upload files into a remote directory, which is made with its parents if it is missing'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "get" -d 'Download files into a local directory, which is made if it is missing'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "ls" -d 'List directories'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "mkdir" -d 'Make directories'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "rm" -d 'Remove files and empty directories'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "mv" -d 'Move or rename, within the home'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "cp" -d 'Copy within the home, at the server'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "df" -d 'Show quota and use'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "sync" -d 'Make one directory like the other, with all it holds: what differs is copied, conflicts are left and told'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "stat" -d 'Show what is known of files, with their BLAKE3'
complete -c catamaran -n "__fish_catamaran_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l if-exists -d 'For targets that exist with other content: ask, overwrite, newer, skip, rename or update' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l lanes -d 'Connections for transfers' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l limit -d 'Bytes a second, as in 500K or 2MiB, or none' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l retry-for -d 'Give up after this many seconds without a connection' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -s r -l recursive -d 'Directories with all they hold, into a directory of the same name'
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand put" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l if-exists -d 'For targets that exist with other content: ask, overwrite, newer, skip, rename or update' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l lanes -d 'Connections for transfers' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l limit -d 'Bytes a second, as in 500K or 2MiB, or none' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l retry-for -d 'Give up after this many seconds without a connection' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -s r -l recursive -d 'Directories with all they hold, into a directory of the same name'
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand get" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand ls" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand ls" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand ls" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand ls" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand ls" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand ls" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand ls" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -s p -l parents -d 'Also those above; and it is no failure when they are there already'
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand mkdir" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -s r -l recursive -d 'Directories with all they hold'
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -l trash -d 'To the account\'s trash, directories with all they hold'
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand rm" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand mv" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand mv" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand mv" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand mv" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand mv" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand mv" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand mv" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand cp" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand cp" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand cp" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand cp" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand cp" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand cp" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand cp" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand df" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand df" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand df" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand df" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand df" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand df" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand df" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l to -d 'Which side becomes like the other' -r -f -a "remote\t'The server\'s directory'
local\t'This machine\'s'"
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l by -d 'What makes files differ' -r -f -a "size\t'Size alone'
size\,time\t'Size and time'
content\t'BLAKE3'"
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l lanes -d 'Connections for transfers' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l limit -d 'Bytes a second, as in 500K or 2MiB, or none' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l retry-for -d 'Give up after this many seconds without a connection' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l delete -d 'Delete there what the other side does not have'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l trash -d 'With --delete: at the server, to the account\'s trash'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -s n -l dry-run -d 'Print what would be done and change nothing'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand sync" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c catamaran -n "__fish_catamaran_using_subcommand stat" -s i -l identity -d 'Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]' -r -F
complete -c catamaran -n "__fish_catamaran_using_subcommand stat" -l fingerprint -d 'Trust exactly this key, and remember it' -r
complete -c catamaran -n "__fish_catamaran_using_subcommand stat" -l password-stdin -d 'Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)'
complete -c catamaran -n "__fish_catamaran_using_subcommand stat" -l accept-new -d 'Trust a server that is not known yet, and remember its key'
complete -c catamaran -n "__fish_catamaran_using_subcommand stat" -l json -d 'Print JSON, one object a line'
complete -c catamaran -n "__fish_catamaran_using_subcommand stat" -s q -l quiet -d 'No progress and no summary'
complete -c catamaran -n "__fish_catamaran_using_subcommand stat" -s h -l help -d 'Print help'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "put" -d 'Upload files into a remote directory, which is made with its parents if it is missing'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "get" -d 'Download files into a local directory, which is made if it is missing'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "ls" -d 'List directories'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "mkdir" -d 'Make directories'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "rm" -d 'Remove files and empty directories'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "mv" -d 'Move or rename, within the home'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "cp" -d 'Copy within the home, at the server'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "df" -d 'Show quota and use'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "sync" -d 'Make one directory like the other, with all it holds: what differs is copied, conflicts are left and told'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "stat" -d 'Show what is known of files, with their BLAKE3'
complete -c catamaran -n "__fish_catamaran_using_subcommand help; and not __fish_seen_subcommand_from put get ls mkdir rm mv cp df sync stat help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
