//! The server's program: parses its flags, does what they ask, says in one line why not.

use std::process::ExitCode;

use server::cli::{self, Flags};

/// The system's allocator keeps what blocks took, in an arena for each thread, and never gives it back: half a
/// gigabyte after a thousand sessions. This one gives it back in the background, see `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let program = cli::program(std::env::args_os());
    let flags = match Flags::read() {
        Ok(flags) => flags,
        Err(error) => return cli::explain(&program, &error),
    };
    let result = cli::run(&flags);
    let code = flags.exit_code(&result);
    if let Err(error) = result {
        cli::complain(&program, &format!("{:#}", anyhow::Error::new(error)));
    }
    code
}
