//! The server's program: parses its flags, does what they ask, says in one line why not.

use std::process::ExitCode;

use clap::Parser;
use server::cli::{self, Flags};

/// The system's allocator keeps what Argon2 and blocks took, in an arena for each thread, and never gives
/// it back: half a gigabyte after a thousand logins.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let program = cli::program(std::env::args_os());
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => return cli::explain(&program, &error),
    };
    match cli::perform(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::complain(&program, &format!("{:#}", anyhow::Error::new(error)));
            ExitCode::FAILURE
        }
    }
}
