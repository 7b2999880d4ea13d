//! Many sessions at once, for measurements:
//!
//! - `crowd ADDR USER idle N`: N sessions that log in and do nothing
//! - `crowd ADDR USER rested N`: N that first list, upload and download a little on a lane
//! - `crowd ADDR USER get N SECONDS PATH`: N that download for a time
//! - `crowd ADDR USER put N SECONDS`: N that upload for a time
//! - `crowd ADDR USER list 1 SECONDS PATH`: one that lists over and over
//!
//! The idle ones say `ready` and stay until their input ends; the busy ones tell each session's bytes; the
//! one that lists tells the milliseconds to the first page and to the last, once for each listing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tests::files::content;
use tests::host::PASSWORD;
use tests::line::Heard;
use tests::session::{Lane, Session, raw};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;
use wire::BLOCK;
use wire::message::{Answer, Expect, Lane as Said, Op};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [server, user, what, count, rest @ ..] = arguments.as_slice() else { bail!("see the source for its use") };
    let sessions = log_in(server.parse()?, user, count.parse()?).await?;
    match (*what, rest) {
        ("idle", []) => stay(sessions).await,
        ("rested", []) => {
            let mut lanes = Vec::new();
            let mut sessions = sessions;
            for (number, session) in sessions.iter_mut().enumerate() {
                lanes.push(work(session, number).await?);
            }
            stay((sessions, lanes)).await
        }
        ("get", [seconds, path]) => race(sessions, seconds, Some((*path).to_owned())).await,
        ("put", [seconds]) => race(sessions, seconds, None).await,
        ("list", [seconds, path]) => list(sessions, seconds, path).await,
        _ => bail!("see the source for its use"),
    }
}

/// A few logins at a time: the server refuses a flood of them.
async fn log_in(server: SocketAddr, user: &str, count: usize) -> Result<Vec<Session>> {
    let turns = Arc::new(Semaphore::new(8));
    let mut logins = JoinSet::new();
    for _ in 0..count {
        let (turns, user) = (Arc::clone(&turns), user.to_owned());
        logins.spawn(async move {
            let _turn = turns.acquire_owned().await?;
            Session::login(server, &user, PASSWORD).await
        });
    }
    let mut sessions = Vec::with_capacity(count);
    while let Some(session) = logins.join_next().await {
        sessions.push(session??);
    }
    Ok(sessions)
}

/// Everything that makes a connection take buffers.
async fn work(session: &mut Session, number: usize) -> Result<Lane> {
    session.entries(Op::List { path: raw("") }).await?;
    let mut lane = session.lane().await?;
    let (path, bytes) = (format!("crowd-{number}"), content("crowd", 3 * BLOCK));
    lane.put(&path, &bytes, Expect::Any).await?;
    lane.get(&path, &[]).await?;
    Ok(lane)
}

async fn stay<T>(_kept: T) -> Result<()> {
    say("ready");
    // The reading side of each session answers nothing meanwhile, and has nothing to answer.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}

async fn race(sessions: Vec<Session>, seconds: &str, path: Option<String>) -> Result<()> {
    let (start, bytes) = (Arc::new(Barrier::new(sessions.len())), Arc::new(content("race", 64 * BLOCK)));
    let time = Duration::from_secs_f64(seconds.parse()?);
    let mut runners = JoinSet::new();
    for (number, session) in sessions.into_iter().enumerate() {
        let (start, bytes, path) = (Arc::clone(&start), Arc::clone(&bytes), path.clone());
        runners.spawn(async move {
            let (mut lane, moved) = (session.lane().await?, AtomicU64::new(0));
            start.wait().await;
            let running = async {
                match &path {
                    Some(path) => download(&mut lane, number, path, &moved).await,
                    None => upload(&mut lane, number, &bytes, &moved).await,
                }
            };
            match tokio::time::timeout(time, running).await {
                Ok(Err(error)) => Err(error),
                _ => Ok((moved.into_inner(), session)),
            }
        });
    }
    // All stay until the last has run its time.
    let mut over = Vec::new();
    while let Some(runner) = runners.join_next().await {
        over.push(runner??);
    }
    over.iter().for_each(|(moved, _)| say(&moved.to_string()));
    Ok(())
}

async fn list(sessions: Vec<Session>, seconds: &str, path: &str) -> Result<()> {
    let time = Duration::from_secs_f64(seconds.parse()?);
    let (begun, mut session) = (Instant::now(), sessions.into_iter().next().context("a session")?);
    while begun.elapsed() < time {
        let (asked, mut first) = (Instant::now(), None);
        let id = session.ask(Op::List { path: raw(path) }).await?;
        while let Answer::Page { last: false, .. } = session.answer(id).await? {
            first.get_or_insert_with(|| asked.elapsed());
        }
        let [first, last] = [first.unwrap_or(asked.elapsed()), asked.elapsed()].map(|time| time.as_secs_f64() * 1e3);
        say(&format!("{first:.1} {last:.1}"));
    }
    Ok(())
}

async fn download(lane: &mut Lane, number: usize, path: &str, moved: &AtomicU64) -> Result<()> {
    for transfer in 0.. {
        let transfer = ((number as u64) << 32) + transfer;
        lane.line.say(&Said::Get { transfer, path: raw(path), eager: true }).await?;
        loop {
            match lane.line.hear::<Said>().await?.context("the server ended a lane")? {
                Heard::Block { payload, .. } => _ = moved.fetch_add(payload.len() as u64, Ordering::Relaxed),
                Heard::Message(Said::Seal { .. }) => break,
                Heard::Message(Said::Offer { .. }) => {}
                Heard::Message(other) => bail!("{other:?} in a download"),
            }
        }
    }
    Ok(())
}

async fn upload(lane: &mut Lane, number: usize, bytes: &[u8], moved: &AtomicU64) -> Result<()> {
    for round in 0.. {
        let mut upload = lane.begin_put(format!("race-{number}-{round}"), bytes, Expect::Any).await?;
        while lane.send_blocks(&mut upload, 1).await? > 0 {
            moved.fetch_add(BLOCK as u64, Ordering::Relaxed);
        }
        lane.seal(&upload).await?;
        lane.stored(&upload).await?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn say(line: &str) {
    println!("{line}");
}
