//! The program: parse, log, run, exit code. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use tui_client::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(arguments));
            // A read of standard input or of the terminal cannot be interrupted.
            runtime.shutdown_background();
            ExitCode::from(code)
        }
        Err(error) => {
            cli::complain(&format!("cannot start: {error}"));
            ExitCode::from(cli::FAILED)
        }
    }
}
