//! Passwords from a terminal, asked for twice, or from standard input.

use std::io::{self, BufRead};

use wire::UserName;
use wire::message::{MAX_PASSWORD, Secret};

use super::{CliError, Flags};

/// The new password of an account.
pub(super) fn read(flags: &Flags, name: &UserName) -> Result<Secret, CliError> {
    let password = if flags.password_stdin {
        first_line(io::stdin().lock()).map_err(CliError::NoPassword)?
    } else {
        let ask = |what: &str| wire::prompt::password(what).map_err(CliError::NoPassword);
        let password = ask(&format!("Password for {name}: "))?;
        if !password.is_empty() && ask("The same again: ")? != password {
            return Err(CliError::PasswordsDiffer);
        }
        password
    };
    if password.is_empty() { Err(CliError::EmptyPassword) } else { Ok(Secret(password)) }
}

/// A line without its end. Of an endless one, enough to be refused for its length.
fn first_line(input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.take(MAX_PASSWORD as u64 + 3).read_line(&mut line)?;
    let end = line.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(end.unwrap_or(&line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_counts_and_only_its_end_goes() {
        let table: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"\n", ""),
            (b"a b \n", "a b "),
            (b"x\r\ny", "x"),
            (b"no end", "no end"),
            (b" \r\r\n", " \r"),
        ];
        for (input, password) in table {
            assert_eq!(first_line(*input).expect("read"), *password);
        }
        assert!(first_line([0xff, b'\n'].as_slice()).is_err(), "not UTF-8");
        let endless = first_line(io::BufReader::new(io::repeat(b'x'))).expect("read");
        assert!(endless.len() > MAX_PASSWORD && endless.len() < 2 * MAX_PASSWORD);
    }
}
