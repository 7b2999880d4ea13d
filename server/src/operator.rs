//! What lives only in a running daemon, for the operator's flags: a socket in the data directory, one question and one
//! answer a connection, each a line of JSON. Both ends of it are here. Accounts need none of this: they are in the
//! catalog.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::audit::{Audit, Entry, operator};
use crate::datadir::DataDir;
use crate::penalties::{Penalties, Penalty};
use crate::source::Source;

/// The daemon's end.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    penalties: Penalties,
    audit: Audit,
}

/// What the operator asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Question {
    /// What is held against anybody?
    Bans,
    /// Forget what is held against a source, or against all.
    Unban(Option<String>),
}

/// Penalties, the longest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The first of them.
    pub penalties: Vec<Penalty>,
    /// How many more there are.
    pub more: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Nobody listens.
    #[error("no server runs on the data directory {}; penalties are in a running server only", .0.display())]
    NotRunning(PathBuf),
    /// Somebody listens, and does not answer.
    #[error("the running server does not answer; its log may say more")]
    Failed(#[source] io::Error),
}

impl ControlSocket {
    /// Makes the socket. One of a daemon that was killed gives way: the directory is locked.
    pub(crate) fn open(dir: &DataDir, penalties: Penalties, audit: Audit) -> io::Result<Self> {
        match fs::remove_file(dir.control()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (_open, path) = short(dir)?;
        Ok(Self { listener: UnixListener::bind(path)?, penalties, audit })
    }

    /// Answers, one after another.
    pub(crate) async fn run(self) {
        loop {
            let answered = match self.listener.accept().await {
                Ok((stream, _)) => tokio::time::timeout(PATIENCE, self.answer(stream)).await,
                Err(error) => Ok(Err(error)),
            };
            match answered {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the operator could not be answered");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(_) => tracing::warn!("the operator says nothing"),
            }
        }
    }

    async fn answer(&self, mut stream: UnixStream) -> io::Result<()> {
        // The directory is closed to others, unless somebody opened it.
        let (us, them) = (rustix::process::geteuid().as_raw(), stream.peer_cred()?.uid());
        if them != us && them != 0 {
            return Err(io::Error::other(format!("user id {them} asks for what only {us} may")));
        }
        let mut line = String::new();
        BufReader::new(&mut stream).take(LONGEST_QUESTION).read_line(&mut line).await?;
        let penalties = match serde_json::from_str(&line)? {
            Question::Bans => self.penalties.all(Instant::now()),
            Question::Unban(whose) => {
                let whose: Option<Source> = whose.map(|whose| whose.parse()).transpose().map_err(io::Error::other)?;
                let lifted = self.penalties.lift(whose, Instant::now());
                let value = Some(whose.map_or_else(|| "all".to_owned(), |whose| whose.to_string()));
                self.audit.note(&Entry { by: Some(operator(them)), value, ..Entry::now("unban") });
                lifted
            }
        };
        let more = penalties.len().saturating_sub(MOST_TOLD);
        let answer = Answer { penalties: penalties.into_iter().take(MOST_TOLD).collect(), more };
        let mut bytes = serde_json::to_vec(&answer)?;
        bytes.push(b'\n');
        stream.write_all(&bytes).await
    }
}

/// What the daemon of a data directory holds against anybody.
pub async fn bans(dir: &DataDir) -> Result<Answer, OperatorError> {
    ask(dir, &Question::Bans).await
}

/// Lifts what it holds against a source, or against all; tells what that was.
pub async fn unban(dir: &DataDir, whose: Option<Source>) -> Result<Answer, OperatorError> {
    ask(dir, &Question::Unban(whose.map(|whose| whose.to_string()))).await
}

async fn ask(dir: &DataDir, question: &Question) -> Result<Answer, OperatorError> {
    let asked = async {
        let (_open, path) = short(dir)?;
        let mut stream = UnixStream::connect(path).await?;
        let mut bytes = serde_json::to_vec(question)?;
        bytes.push(b'\n');
        stream.write_all(&bytes).await?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await?;
        Ok::<_, io::Error>(serde_json::from_str(&line)?)
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Err(OperatorError::NotRunning(dir.root().to_owned()))
        }
        Ok(Err(error)) => Err(OperatorError::Failed(error)),
        Err(_) => Err(OperatorError::Failed(io::ErrorKind::TimedOut.into())),
    }
}

/// The socket's path while the directory is open: that of a socket has at most 107 bytes, wherever the directory lies.
fn short(dir: &DataDir) -> io::Result<(File, PathBuf)> {
    let open = File::open(dir.root())?;
    let name = dir.control().file_name().unwrap_or_default().to_owned();
    let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(name);
    Ok((open, path))
}

/// For a question and its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// After something failed.
const PAUSE: Duration = Duration::from_millis(100);
/// In bytes.
const LONGEST_QUESTION: u64 = 4096;
/// Penalties in an answer.
const MOST_TOLD: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PenaltyRules;
    use std::net::IpAddr;

    #[tokio::test]
    async fn one_end_asks_and_the_other_answers() {
        let temp = tempfile::tempdir().expect("a directory");
        // Longer than the path of a socket may be.
        let dir = DataDir::open(&temp.path().join("d".repeat(120))).expect("made");
        assert!(matches!(bans(&dir).await, Err(OperatorError::NotRunning(_))));
        let penalties = Penalties::new(PenaltyRules::default());
        let source = |number: u32| Source::from(IpAddr::from(number.to_be_bytes()));
        (0..1001).for_each(|number| penalties.broke_rules(source(number), Instant::now()));
        drop(ControlSocket::open(&dir, penalties.clone(), Audit::default()).expect("made, and left as by a kill"));
        assert!(matches!(bans(&dir).await, Err(OperatorError::NotRunning(_))));
        let socket = ControlSocket::open(&dir, penalties, Audit::default()).expect("made anew");
        let _running = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(socket.run()));

        let all = bans(&dir).await.expect("answered");
        assert_eq!((all.penalties.len(), all.more), (1000, 1));
        let lifted = unban(&dir, Some(source(7))).await.expect("answered");
        assert_eq!((lifted.penalties.first().map(|first| first.source.as_str()), lifted.more), (Some("0.0.0.7"), 0));
        // Who says nothing, or nonsense, holds up the next one only for a while.
        for nonsense in ["", "\n", "{\"Unban\":\"everybody\"}\n", "[[[["] {
            let (_open, path) = short(&dir).expect("open");
            let mut stream = UnixStream::connect(path).await.expect("connected");
            stream.write_all(nonsense.as_bytes()).await.expect("said");
            stream.shutdown().await.expect("said");
        }
        assert_eq!(unban(&dir, None).await.expect("answered").penalties.len(), 1000);
        assert_eq!(bans(&dir).await.expect("answered"), Answer::default());
    }
}
