# Short names for what is done often. `just` alone lists them.

_list:
    @just --list --unsorted

# A server with some files, and the client on it; headless without a terminal
demo:
    cargo demo

# Every test
test *ARGS:
    cargo test --workspace {{ARGS}}

# What the continuous integration runs, the same script
ci:
    .ci/run

# Formatting, clippy with warnings denied
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

fmt:
    cargo fmt --all

# Our binaries beside scp, sftp, rsync and tar through ssh, lftp and rclone, in one run: tests/bench/RESULTS.md; then how soon keys are shown
bench *ARGS:
    tests/bench/bench.py {{ARGS}}
    tests/bench/scale.py --only keys --dry

# Kills the server over and over in the middle of work, and checks that nothing is lost; `--seed` repeats
crash KILLS="500" *ARGS:
    cargo build --quiet -p server -p tests --bin server --bin crash
    target/debug/crash target/debug/server {{KILLS}} {{ARGS}}

# Load for so many minutes, with kills, cut lines, pauses and hostile peers; a report of what was done, lost and occupied
soak MINUTES="10" *ARGS:
    cargo build --quiet --release -p server -p tests --bin server --bin soak
    target/release/soak target/release/server {{MINUTES}} {{ARGS}}

# Frames, hashes, folding, catalog and listings, each alone
bench-micro *ARGS:
    cargo bench -p tests --bench micro -- {{ARGS}}

# Far links, big files and crowds, by our own binaries: tests/bench/SCALE.md
bench-scale *ARGS:
    tests/bench/scale.py {{ARGS}}

# Searches for bytes that break something: frames, messages, paths, patterns or connection. Needs `cargo install cargo-fuzz` and
# a nightly compiler; a stable one does with the switch that is set here. What it finds goes into tests/fuzz/artifacts
fuzz TARGET SECONDS="60":
    cd tests/fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . -s none {{TARGET}} $(mktemp -d) corpus/{{TARGET}} -- -max_total_time={{SECONDS}} -max_len=16384

# What each search begins with, anew from the messages as they are
corpus:
    cargo run --quiet -p tests --bin corpus tests/fuzz/corpus

# assets/manual.md and assets/keys/keys.toml from the action table
manual:
    cargo run --quiet -p tui-client -- --print-keys > assets/keys/keys.toml.new
    mv assets/keys/keys.toml.new assets/keys/keys.toml
    cargo run --quiet -p tui-client -- --manual > assets/manual.md.new
    mv assets/manual.md.new assets/manual.md

# Manual pages and completions from the command lines, the commented defaults and the keys
pages:
    cargo run --quiet -p tests --bin pages assets

# The documentation of all crates
doc:
    cargo doc --workspace --no-deps --document-private-items

# Programs under the names people call them by
install PREFIX="/usr/local": _release
    install -D target/release/server {{PREFIX}}/bin/catamaran-server
    install -D target/release/tui-client {{PREFIX}}/bin/catamaran
    install -Dm644 -t {{PREFIX}}/share/man/man1 assets/man/*.1
    install -Dm644 -t {{PREFIX}}/share/man/man5 assets/man/*.5
    install -Dm644 -t {{PREFIX}}/share/man/man7 assets/man/*.7
    install -Dm644 -t {{PREFIX}}/share/man/man8 assets/man/*.8
    install -Dm644 assets/completions/catamaran.bash {{PREFIX}}/share/bash-completion/completions/catamaran
    install -Dm644 assets/completions/catamaran-server.bash {{PREFIX}}/share/bash-completion/completions/catamaran-server
    install -Dm644 -t {{PREFIX}}/share/zsh/site-functions assets/completions/_catamaran assets/completions/_catamaran-server
    install -Dm644 -t {{PREFIX}}/share/fish/vendor_completions.d assets/completions/*.fish

# Every command of README.md and docs, as it stands there
docs-test:
    cargo build -p server
    cargo test -p tui-client --test docs

# Debian packages of client and server, into target/debian
deb: _release
    assets/debian/build target/release "$(cargo pkgid -p server | sed 's/.*[#@]//')" target/debian

# These packages in a fresh Debian: installed, used, upgraded, removed. Needs root and debootstrap
package-test: _release
    assets/debian/test target/release

_release:
    cargo build --release -p server -p tui-client

# Draws the README's pictures from the real client
screenshots:
    cargo build -p tui-client
    cargo run --quiet -p tests --bin screenshot -- target/debug/tui-client assets/pictures
