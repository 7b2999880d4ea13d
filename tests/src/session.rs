//! A well-behaved client on a [`Line`], one step at a time, so that a test can stop between any two.
//! What the server refuses comes back as an error that is its [`Fault`].

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use wire::block::{BLOCK, chaining_value, is_zeros, span};
use wire::frame::Stage;
use wire::message::{
    Answer, Challenge, Entry, Expect, FromClient, FromGuest, FromServer, KEY_LOGIN, Lane as Said, Notice, Offer, Op,
    RawPath, Secret, Ticket, Time, ToGuest, Usage, VERSIONS,
};
use wire::transfer::{Receiver, Sender, Tally, Verdict};
use wire::{Cv, Fault, Root};

use crate::files::root_of;
use crate::identity::Identity;
use crate::line::{Heard, Line};

/// A control connection that is logged in.
#[derive(Debug)]
pub struct Session {
    /// The connection; tests may say wrong things on it.
    pub line: Line,
    /// For lanes.
    pub ticket: Ticket,
    /// Space at login.
    pub usage: Usage,
    /// News that came between answers, oldest first.
    pub notices: Vec<Notice>,
    server: SocketAddr,
    next_id: u32,
}

/// A lane of a session.
#[derive(Debug)]
pub struct Lane {
    /// The connection; tests may say wrong things on it.
    pub line: Line,
    next_transfer: u64,
}

/// An upload whose blocks are being sent.
#[derive(Debug)]
pub struct Upload<'a> {
    /// Its number.
    pub transfer: u64,
    /// What the server said it holds.
    pub held: Vec<Option<Cv>>,
    content: &'a [u8],
    sender: Sender,
}

/// A file that came down.
#[derive(Clone, Debug)]
pub struct Download {
    /// Its bytes, proven.
    pub content: Vec<u8>,
    /// What the server said of it.
    pub offer: Offer,
    /// What travelled.
    pub tally: Tally,
}

/// The time that uploads of this client carry.
pub const MTIME: Time = Time { secs: 1_700_000_000, nanos: 123_456_789 };

/// Raw bytes as a path on the wire.
pub fn raw(path: impl AsRef<[u8]>) -> RawPath {
    RawPath(path.as_ref().to_vec())
}

/// A connection that has said hello.
pub async fn greeted(server: SocketAddr) -> Result<Line> {
    greet(Line::open(server).await?).await
}

/// The same on a connection that is there.
pub async fn greet(mut line: Line) -> Result<Line> {
    line.say(&FromGuest::Hello { versions: VERSIONS, capabilities: 0, agent: "tests/1".into() }).await?;
    match line.message().await? {
        ToGuest::Hello { version, .. } if version == VERSIONS.0 => Ok(line),
        ToGuest::Refused(fault) => Err(fault.into()),
        other => bail!("{other:?} in answer to a greeting"),
    }
}

/// A connection that has said hello for a login by key, and what it was sent for that.
pub async fn challenged(mut line: Line) -> Result<(Line, Challenge)> {
    line.say(&FromGuest::Hello { versions: VERSIONS, capabilities: KEY_LOGIN, agent: "tests/1".into() }).await?;
    match (line.message().await?, line.message().await?) {
        (ToGuest::Hello { capabilities: KEY_LOGIN, .. }, ToGuest::Challenge(challenge)) => Ok((line, challenge)),
        other => bail!("{other:?} in answer to a greeting"),
    }
}

/// The fault that `result` failed with.
pub fn fault<T>(result: Result<T>) -> Result<Fault> {
    match result {
        Ok(_) => bail!("the server did not refuse"),
        Err(error) => error.downcast::<Fault>(),
    }
}

impl Session {
    /// Logs in.
    pub async fn login(server: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let login = FromGuest::Login { user: user.into(), password: Secret(password.into()) };
        Self::begin(server, Line::open(server).await?, &login).await
    }

    /// Logs in from another address of this machine; its lanes come from the usual one.
    pub async fn login_from(from: Ipv4Addr, server: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let login = FromGuest::Login { user: user.into(), password: Secret(password.into()) };
        Self::begin(server, Line::open_from(from, server).await?, &login).await
    }

    /// Takes up a session whose connection was lost.
    pub async fn rejoin(server: SocketAddr, ticket: Ticket) -> Result<Self> {
        Self::begin(server, Line::open(server).await?, &FromGuest::Rejoin(ticket)).await
    }

    /// Logs in with keys.
    pub async fn login_by_keys(server: SocketAddr, user: &str, keys: &[&Identity]) -> Result<Self> {
        let (line, challenge) = challenged(Line::open(server).await?).await?;
        let statement = challenge.statement(&line.binding, user);
        let proofs = keys.iter().map(|key| key.proof(&statement)).collect::<Result<_>>()?;
        Self::enter(server, line, &FromGuest::Prove { user: user.into(), proofs }).await
    }

    async fn begin(server: SocketAddr, line: Line, how: &FromGuest) -> Result<Self> {
        Self::enter(server, greet(line).await?, how).await
    }

    /// Says who it is on a connection that was greeted.
    pub async fn enter(server: SocketAddr, mut line: Line, how: &FromGuest) -> Result<Self> {
        line.say(how).await?;
        match line.message().await? {
            ToGuest::Welcome { ticket, usage, .. } => {
                line.enter(Stage::Control);
                Ok(Self { line, ticket, usage, notices: Vec::new(), server, next_id: 0 })
            }
            ToGuest::Refused(fault) => Err(fault.into()),
            other => bail!("{other:?} in answer to a login"),
        }
    }

    /// Asks without waiting; the number names the answers.
    pub async fn ask(&mut self, op: Op) -> Result<u32> {
        self.next_id += 1;
        self.line.say(&FromClient::Request { id: self.next_id, op }).await?;
        Ok(self.next_id)
    }

    /// The next answer to request `id`. News is put aside.
    pub async fn answer(&mut self, id: u32) -> Result<Answer> {
        loop {
            match self.line.message().await? {
                FromServer::Answer { answer: Answer::Fault(fault), .. } => return Err(fault.into()),
                FromServer::Answer { id: of, answer } if of == id => return Ok(answer),
                FromServer::Notice(notice) => self.notices.push(notice),
                FromServer::Pong => {}
                FromServer::Answer { id: of, .. } => bail!("an answer to request {of}, which nobody waits for"),
            }
        }
    }

    /// Asks for something that is done or refused.
    pub async fn order(&mut self, op: Op) -> Result<()> {
        let id = self.ask(op).await?;
        match self.answer(id).await? {
            Answer::Done => Ok(()),
            other => bail!("{other:?} in answer to an order"),
        }
    }

    /// All entries of a listing or a walk.
    pub async fn entries(&mut self, op: Op) -> Result<Vec<Entry>> {
        let id = self.ask(op).await?;
        let mut all = Vec::new();
        loop {
            match self.answer(id).await? {
                Answer::Page { entries, last } => {
                    all.extend(entries);
                    if last {
                        return Ok(all);
                    }
                }
                other => bail!("{other:?} in a listing"),
            }
        }
    }

    /// Asks for something with one answer.
    pub async fn reply(&mut self, op: Op) -> Result<Answer> {
        let id = self.ask(op).await?;
        self.answer(id).await
    }

    /// One entry.
    pub async fn stat(&mut self, path: impl AsRef<[u8]>) -> Result<Entry> {
        match self.reply(Op::Stat { path: raw(path) }).await? {
            Answer::Entry(entry) => Ok(entry),
            other => bail!("{other:?} in answer to a stat"),
        }
    }

    /// One entry with its hash.
    pub async fn hash(&mut self, path: impl AsRef<[u8]>) -> Result<Entry> {
        match self.reply(Op::Hash { path: raw(path) }).await? {
            Answer::Entry(entry) => Ok(entry),
            other => bail!("{other:?} in answer to a question for a hash"),
        }
    }

    /// Bytes of a file from `offset` on, with its size.
    pub async fn read(&mut self, path: impl AsRef<[u8]>, offset: u64, len: u32) -> Result<(u64, Vec<u8>)> {
        match self.reply(Op::Read { path: raw(path), offset, len }).await? {
            Answer::Piece { size, bytes, .. } => Ok((size, bytes)),
            other => bail!("{other:?} in answer to a read"),
        }
    }

    /// Space, as of now.
    pub async fn space(&mut self) -> Result<Usage> {
        let id = self.ask(Op::Usage).await?;
        match self.answer(id).await? {
            Answer::Usage(usage) => Ok(usage),
            other => bail!("{other:?} in answer to a question for space"),
        }
    }

    /// Moves something to the trash; its number there.
    pub async fn trash(&mut self, path: impl AsRef<[u8]>) -> Result<u64> {
        match self.reply(Op::Trash { path: raw(path) }).await? {
            Answer::Trashed { id } => Ok(id),
            other => bail!("{other:?} in answer to a deletion"),
        }
    }

    /// Moves something back from the trash; its path.
    pub async fn restore(&mut self, id: u64) -> Result<RawPath> {
        match self.reply(Op::Restore { id }).await? {
            Answer::Restored { path } => Ok(path),
            other => bail!("{other:?} in answer to a restoration"),
        }
    }

    /// Days, things and bytes in the trash.
    pub async fn trash_state(&mut self) -> Result<(Option<u32>, u64, u64)> {
        match self.reply(Op::TrashState).await? {
            Answer::Trash { days, items, bytes } => Ok((days, items, bytes)),
            other => bail!("{other:?} in answer to a question for the trash"),
        }
    }

    /// Whether the server still answers.
    pub async fn ping(&mut self) -> Result<()> {
        self.line.say(&FromClient::Ping).await?;
        loop {
            match self.line.message().await? {
                FromServer::Pong => return Ok(()),
                FromServer::Notice(notice) => self.notices.push(notice),
                FromServer::Answer { .. } => bail!("an answer where a pong was due"),
            }
        }
    }

    /// Waits for the server to end the connection.
    pub async fn ended(&mut self) -> Result<()> {
        self.line.ended::<FromServer>().await
    }

    /// Opens a lane.
    pub async fn lane(&self) -> Result<Lane> {
        Lane::join(self.server, self.ticket).await
    }
}

impl Lane {
    /// Opens a lane of the session that `ticket` names.
    pub async fn join(server: SocketAddr, ticket: Ticket) -> Result<Self> {
        let mut line = greeted(server).await?;
        line.say(&FromGuest::Join(ticket)).await?;
        match line.message().await? {
            ToGuest::Joined => {
                line.enter(Stage::Lane);
                Ok(Self { line, next_transfer: LANES.fetch_add(1 << 32, Ordering::Relaxed) })
            }
            ToGuest::Refused(fault) => Err(fault.into()),
            other => bail!("{other:?} in answer to a ticket"),
        }
    }

    /// Uploads in full and waits until it is stored.
    pub async fn put(&mut self, path: impl AsRef<[u8]>, content: &[u8], expect: Expect) -> Result<Tally> {
        let mut upload = self.begin_put(path, content, expect).await?;
        self.send_blocks(&mut upload, u64::MAX).await?;
        self.seal(&upload).await?;
        self.stored(&upload).await?;
        Ok(upload.sender.tally())
    }

    /// Offers a file and, unless it is of one block at most, waits to hear what the server holds.
    pub async fn begin_put<'a>(
        &mut self,
        path: impl AsRef<[u8]>,
        content: &'a [u8],
        expect: Expect,
    ) -> Result<Upload<'a>> {
        let transfer = self.number();
        let eager = content.len() <= BLOCK;
        let offer = Offer { size: content.len() as u64, mtime: MTIME, executable: false, eager };
        self.line.say(&Said::Put { transfer, path: raw(path), offer, expect }).await?;
        let mut upload =
            Upload { transfer, held: Vec::new(), content, sender: Sender::new(content.len() as u64, eager) };
        while upload.sender.is_waiting() {
            match self.said(transfer).await? {
                Said::Held { first, cvs, last, .. } => {
                    upload.sender.held(first, &cvs, last)?;
                    upload.held.extend(cvs);
                }
                other => bail!("{other:?} where held blocks were due"),
            }
        }
        Ok(upload)
    }

    /// Sends up to `most` of the blocks that the server lacks; says how many it sent.
    pub async fn send_blocks(&mut self, upload: &mut Upload<'_>, most: u64) -> Result<u64> {
        let mut sent = 0;
        while let Some(span) = upload.sender.next().filter(|_| sent < most) {
            let start = usize::try_from(span.offset)?;
            let payload = upload.content.get(start..start + span.len).context("within the content")?;
            let cv = chaining_value(upload.content.len() as u64, span.index, payload);
            if upload.sender.settle(cv, is_zeros(payload)) == Verdict::Send {
                self.line.block(upload.transfer, span.index, cv, payload).await?;
                sent += 1;
            }
        }
        Ok(sent)
    }

    /// Says that the upload is complete.
    pub async fn seal(&mut self, upload: &Upload<'_>) -> Result<()> {
        self.line.say(&Said::Seal { transfer: upload.transfer, root: root_of(upload.content) }).await
    }

    /// Waits until the upload is stored.
    pub async fn stored(&mut self, upload: &Upload<'_>) -> Result<Root> {
        match self.said(upload.transfer).await? {
            Said::Stored { root, .. } if root == root_of(upload.content) => Ok(root),
            other => bail!("{other:?} where the end of an upload was due"),
        }
    }

    /// Sends one block of an upload that another lane has begun, and waits to hear that it is kept.
    pub async fn bring(&mut self, upload: &Upload<'_>, index: u64) -> Result<()> {
        let (transfer, size) = (upload.transfer, upload.content.len() as u64);
        self.line.say(&Said::Assist { transfer }).await?;
        let span = span(size, index).context("within the content")?;
        let start = usize::try_from(span.offset)?;
        let payload = upload.content.get(start..start + span.len).context("within the content")?;
        let own = chaining_value(size, index, payload);
        self.line.block(transfer, index, own, payload).await?;
        match self.said(transfer).await? {
            Said::Kept { index: kept, cv, .. } if (kept, cv) == (index, own) => Ok(()),
            other => bail!("{other:?} where block {index} was to be kept"),
        }
    }

    /// One block of a download that another lane has begun, with its value, proven.
    pub async fn fetch(&mut self, transfer: u64, size: u64, index: u64) -> Result<(Cv, Vec<u8>)> {
        self.line.say(&Said::Fetch { transfer, index }).await?;
        match self.line.hear::<Said>().await?.context("the connection ended where a block was due")? {
            Heard::Block { transfer: of, index: at, cv, payload }
                if (of, at, cv) == (transfer, index, chaining_value(size, index, &payload)) =>
            {
                Ok((cv, payload))
            }
            Heard::Message(Said::Fault { fault, .. }) => Err(fault.into()),
            other => bail!("{other:?} where block {index} was due"),
        }
    }

    /// Downloads; `have` are bytes of an earlier try.
    pub async fn get(&mut self, path: impl AsRef<[u8]>, have: &[u8]) -> Result<Download> {
        let mut content = have.to_vec();
        let (offer, tally) = self.get_into(path, &mut content).await?;
        Ok(Download { content, offer, tally })
    }

    /// Downloads into `content`, which holds bytes of an earlier try, and what arrived when this one fails.
    pub async fn get_into(&mut self, path: impl AsRef<[u8]>, content: &mut Vec<u8>) -> Result<(Offer, Tally)> {
        let transfer = self.number();
        let eager = content.is_empty();
        self.line.say(&Said::Get { transfer, path: raw(path), eager }).await?;
        let offer = match self.said(transfer).await? {
            Said::Offer { offer, .. } => offer,
            other => bail!("{other:?} where an offer was due"),
        };
        let mut receiver = Receiver::new(offer.size);
        for (index, block) in content.chunks_exact(BLOCK).enumerate() {
            receiver.found_staged(index as u64, chaining_value(offer.size, index as u64, block));
        }
        content.resize(usize::try_from(offer.size)?, 0);
        if !eager {
            for (first, cvs, last) in receiver.held_pages() {
                self.line.say(&Said::Held { transfer, first, cvs, last }).await?;
            }
        }
        let root = self.receive(transfer, &mut receiver, content).await?;
        receiver.prove(root)?;
        self.line.say(&Said::Stored { transfer, root }).await?;
        Ok((offer, receiver.final_tally()))
    }

    async fn receive(&mut self, transfer: u64, receiver: &mut Receiver, content: &mut [u8]) -> Result<Root> {
        loop {
            match self.line.hear::<Said>().await?.context("the connection ended in the middle of a download")? {
                Heard::Block { transfer: of, index, cv, payload } if of == transfer => {
                    let span = receiver.expects(index, payload.len())?;
                    if chaining_value(receiver.size(), index, &payload) != cv {
                        bail!("block {index} came damaged");
                    }
                    let start = usize::try_from(span.offset)?;
                    content.get_mut(start..start + span.len).context("within the file")?.copy_from_slice(&payload);
                    receiver.stored(index, cv, is_zeros(&payload));
                }
                Heard::Message(Said::Seal { transfer: of, root }) if of == transfer => return Ok(root),
                Heard::Message(Said::Fault { fault, .. }) => return Err(fault.into()),
                other => bail!("{other:?} where blocks were due"),
            }
        }
    }

    /// What the server says next of this transfer.
    pub async fn said(&mut self, transfer: u64) -> Result<Said> {
        let said = self.line.message::<Said>().await?;
        match said {
            Said::Fault { fault, .. } => Err(fault.into()),
            Said::Held { transfer: of, .. }
            | Said::Offer { transfer: of, .. }
            | Said::Seal { transfer: of, .. }
            | Said::Stored { transfer: of, .. }
            | Said::Kept { transfer: of, .. }
                if of == transfer =>
            {
                Ok(said)
            }
            other => bail!("{other:?} while transfer {transfer} was waited for"),
        }
    }

    /// Waits for the server to end the connection.
    pub async fn ended(&mut self) -> Result<()> {
        self.line.ended::<Said>().await
    }

    /// A transfer's number that was not used before.
    pub fn number(&mut self) -> u64 {
        self.next_transfer += 1;
        self.next_transfer
    }
}

impl Upload<'_> {
    /// What travelled so far, and what need not.
    pub fn tally(&self) -> Tally {
        self.sender.tally()
    }

    /// Leaves out the next block, which another lane has brought over.
    pub fn leave_out(&mut self) {
        if let Some(span) = self.sender.next()
            && let Some(payload) = self.content.get(span.offset as usize..span.offset as usize + span.len)
        {
            self.sender.settle_sent(chaining_value(self.content.len() as u64, span.index, payload));
        }
    }
}

/// A transfer's number is never used again in a session, whatever lane it is on: each lane of this
/// process has four thousand million of its own.
static LANES: AtomicU64 = AtomicU64::new(0);
