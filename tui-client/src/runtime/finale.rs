//! Tells that the queue has ended, as the person wants it: a bell, a notification of the desktop, a command.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::config::{OnEnd, PASSPHRASE, PASSWORD};
use crate::update::Finale;

/// Tells it, and returns at once; a command runs on by itself. Nothing of what is written or run comes from a name.
pub(super) fn tell(how: &OnEnd, finale: &Finale) -> Option<JoinHandle<()>> {
    let told = match how {
        OnEnd::Nothing => Ok(None),
        OnEnd::Bell => write(b"\x07"),
        OnEnd::Notify => write(notification(finale, &std::env::var("TERM").unwrap_or_default()).as_bytes()),
        OnEnd::Command(words) => run(words, finale),
    };
    told.inspect_err(|error| tracing::warn!(%error, "the end of the queue could not be told")).ok().flatten()
}

/// Terminals that do not know the sequence ignore it; the bell behind it is for them.
fn notification(finale: &Finale, term: &str) -> String {
    let Finale { done, failed, needs_you, .. } = finale;
    let mut text = format!("The queue has ended: {done} done, {failed} failed");
    if *needs_you > 0 {
        text += &format!(", {needs_you} waiting for you");
    }
    let knows_777 = ["rxvt", "foot"].iter().any(|name| term.starts_with(name));
    if knows_777 { format!("\x1b]777;notify;Catamaran;{text}\x1b\\\x07") } else { format!("\x1b]9;{text}\x1b\\\x07") }
}

fn write(bytes: &[u8]) -> io::Result<Option<JoinHandle<()>>> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(None)
}

/// The words as they stand in the configuration, by no shell; figures in the environment. Begun and waited for by a thread
/// of its own: a program may lie on a disk that does not answer. The client does not wait when it ends.
fn run(words: &[String], finale: &Finale) -> io::Result<Option<JoinHandle<()>>> {
    let Some(mut command) = command(words, finale) else { return Ok(None) };
    let thread = thread::Builder::new().name("queue-end".into());
    let waits = move || match command.status() {
        Ok(status) if status.success() => {}
        ended => tracing::warn!(?ended, "the command at the end of the queue failed"),
    };
    thread.spawn(waits).map(Some)
}

fn command(words: &[String], finale: &Finale) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env_remove(PASSWORD).env_remove(PASSPHRASE);
    command.env("CATAMARAN_DONE", finale.done.to_string());
    command.env("CATAMARAN_FAILED", finale.failed.to_string());
    command.env("CATAMARAN_NEEDS_YOU", finale.needs_you.to_string());
    command.env("CATAMARAN_SENT", finale.sent.to_string());
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_figures_and_nothing_else() {
        let finale = Finale { done: 3, failed: 1, needs_you: 2, sent: 5 };
        let text = "The queue has ended: 3 done, 1 failed, 2 waiting for you";
        assert_eq!(notification(&finale, "xterm-256color"), format!("\x1b]9;{text}\x1b\\\x07"));
        assert_eq!(notification(&finale, "foot"), format!("\x1b]777;notify;Catamaran;{text}\x1b\\\x07"));
    }

    #[test]
    fn a_command_gets_figures_and_no_shell() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("told");
        let script = "printf '%s %s %s %s %s' \"$CATAMARAN_DONE\" \"$CATAMARAN_FAILED\" \"$CATAMARAN_NEEDS_YOU\" \"$CATAMARAN_SENT\" \"$1\" > \"$0\"";
        let words = ["sh", "-c", script, file.to_str().unwrap(), "$(touch x)"].map(str::to_owned).to_vec();
        let finale = Finale { done: 3, failed: 1, needs_you: 2, sent: 5 };
        tell(&OnEnd::Command(words), &finale).unwrap().join().unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), "3 1 2 5 $(touch x)");
        let words = ["env".to_owned()];
        let command = command(&words, &finale).unwrap();
        for secret in [PASSWORD, PASSPHRASE] {
            assert!(command.get_envs().any(|(name, value)| name == secret && value.is_none()), "{secret} goes on");
        }
        // That it cannot be begun is found out by the thread as well.
        tell(&OnEnd::Command(vec!["/nowhere/at/all".into()]), &finale).unwrap().join().unwrap();
    }
}
