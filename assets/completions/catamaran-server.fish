complete -c catamaran-server -l config -d 'Configuration file [default: /etc/catamaran/server.toml, if there is one]' -r -F
complete -c catamaran-server -l data-dir -d 'Directory of accounts, homes and the server\'s key; made on first use' -r -F
complete -c catamaran-server -l listen -d 'Where to listen' -r
complete -c catamaran-server -l add-user -d 'Make an account, with a home' -r
complete -c catamaran-server -l remove-user -d 'Remove an account and its files' -r
complete -c catamaran-server -l set-password -d 'Give an account another password; its sessions end' -r
complete -c catamaran-server -l add-key -d 'Let public keys log in to an account, beside its password: those of FILE, of OpenSSH\'s form' -r
complete -c catamaran-server -l list-keys -d 'List the keys that log in to an account, by their fingerprints' -r
complete -c catamaran-server -l remove-key -d 'Take the key of FINGERPRINT from an account; its sessions end' -r
complete -c catamaran-server -l set-quota -d 'Set what an account may hold, with --quota or --max-files' -r
complete -c catamaran-server -l set-trash -d 'Set for how long an account keeps what its user deletes, with --trash' -r
complete -c catamaran-server -l set-rate -d 'Set how many bytes a second an account\'s transfers may take each way, with --rate' -r
complete -c catamaran-server -l lock-user -d 'Refuse an account\'s logins and end its sessions; its files stay' -r
complete -c catamaran-server -l unlock-user -d 'Let a locked account log in again' -r
complete -c catamaran-server -l verify -d 'Read stored files and hold them against the hashes they were stored with; of one account, or of all' -r
complete -c catamaran-server -l verify-ledger -d 'Hold the quota ledger against what the homes hold, and change nothing' -r
complete -c catamaran-server -l rescan -d 'Take up homes as they lie on the disk: files put there or changed by hand, what is gone, the quota ledger' -r
complete -c catamaran-server -l unban -d 'Forget what is held against a source, or against all, and print it' -r
complete -c catamaran-server -l quota -d 'Bytes the account may hold, as in 10G or 512MiB, or none' -r
complete -c catamaran-server -l max-files -d 'Files the account may hold, or none' -r
complete -c catamaran-server -l trash -d 'Days that deleted files stay in the account\'s trash, or none [default with --add-user: trash_days of the configuration]' -r
complete -c catamaran-server -l rate -d 'Bytes a second, as in 50M, none, or default: to read [default: verify.rate of the configuration], or that an account may transfer' -r
complete -c catamaran-server -l list-users -d 'List accounts with their limits and what they hold'
complete -c catamaran-server -l uploads -d 'List uploads that were begun and not finished'
complete -c catamaran-server -l bans -d 'List sources and users whose logins failed, and how long they are refused'
complete -c catamaran-server -l fingerprint -d 'Print what clients pin: the fingerprint of the server\'s key'
complete -c catamaran-server -l check-config -d 'Read the configuration and say what is wrong with it, or seldom meant'
complete -c catamaran-server -l print-config -d 'Print all settings as they are in force, as a configuration file that says what they mean'
complete -c catamaran-server -l password-stdin -d 'Read the password from the first line of standard input instead of asking'
complete -c catamaran-server -l keep-files -d 'With --remove-user: leave the files where they are'
complete -c catamaran-server -l from-start -d 'With --verify: begin anew, and do not go on where the last one was interrupted'
complete -c catamaran-server -l json -d 'Lists and findings as JSON'
complete -c catamaran-server -s h -l help -d 'Print help'
complete -c catamaran-server -s V -l version -d 'Print version'
