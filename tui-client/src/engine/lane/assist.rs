//! What a lane with nothing else to do carries of the file of another lane: single blocks, from the back of
//! what is left. When there is anything else to do, it takes no more of them. See
//! [`spread`](super::super::spread) for who carries what.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;

use wire::block;
use wire::frame::BlockHeader;
use wire::link::LinkError;
use wire::message::Lane as Message;
use wire::{Cv, Fault};

use super::super::buffer::Buffer;
use super::super::limit::Limit;
use super::super::local::Source;
use super::super::spread::{Body, Part, Spread};
use super::{Line, blocking};

/// The file of another lane, and what is under way of it on this one.
#[derive(Debug)]
pub(super) struct Assisting {
    spread: Arc<Spread>,
    /// Of its item. It has none now, and may get one.
    pub(super) limit: Arc<Limit>,
    /// Blocks that the server has yet to keep, with their values, or yet to send.
    pub(super) in_flight: BTreeMap<u64, Option<Cv>>,
    /// It works: a block has gone all the way.
    pub(super) has_proven: bool,
}

impl Line {
    /// Takes what there is to take of another lane's file, if there is nothing else to do; whether it is worth
    /// asking again at once.
    pub(super) async fn assist(&mut self) -> Result<bool, LinkError> {
        if self.assisting.as_ref().is_some_and(|assisting| assisting.spread.over.is_cancelled()) {
            self.leave_off().await?;
        }
        while self.is_idle() {
            let at = self.assisting.as_ref().map(|assisting| (&assisting.spread, assisting.in_flight.len()));
            let is_new = at.is_none();
            let Some((spread, index, limit)) = self.queue.assist(at) else { break };
            if is_new {
                let (in_flight, has_proven) = (BTreeMap::new(), false);
                self.assisting = Some(Assisting { spread: spread.clone(), limit, in_flight, has_proven });
                self.carry_limits();
            }
            match &spread.body {
                // One by one: meanwhile there may be other things to do.
                Body::Up(source) => return self.bring(&spread, source, index, is_new).await,
                Body::Down(_) => self.ask_for_block(&spread, index).await?,
            }
        }
        if self.assisting.as_ref().is_some_and(|assisting| assisting.in_flight.is_empty()) {
            self.leave_off().await?;
        }
        self.wire.flush().await?;
        Ok(false)
    }

    async fn bring(
        &mut self,
        spread: &Arc<Spread>,
        source: &Arc<Source>,
        index: u64,
        is_new: bool,
    ) -> Result<bool, LinkError> {
        let transfer = spread.transfer;
        if is_new {
            self.wire.feed(&Message::Assist { transfer }).await?;
        }
        let Some(span) = block::span(spread.size, index) else { return Ok(true) };
        let reading = self.read(source, spread.size, span).await;
        let Ok((_, Ok((buffer, cv)))) = reading.await else {
            // It has become shorter, which its own lane will notice.
            self.turn_away();
            return Ok(true);
        };
        if let Some(assisting) = &mut self.assisting {
            assisting.in_flight.insert(index, Some(cv));
        }
        self.wire.block(BlockHeader { transfer, index, cv, len: span.len }, &buffer.bytes).await?;
        self.wire.flush().await?;
        Ok(true)
    }

    async fn ask_for_block(&mut self, spread: &Arc<Spread>, index: u64) -> Result<(), LinkError> {
        if let Some(assisting) = &mut self.assisting {
            assisting.in_flight.insert(index, None);
        }
        self.wire.feed(&Message::Fetch { transfer: spread.transfer, index }).await
    }

    /// The server has stored a block.
    pub(super) fn kept(&mut self, transfer: u64, index: u64, cv: Cv) {
        if let Some(assisting) = self.assisting.as_mut().filter(|assisting| assisting.spread.transfer == transfer)
            && assisting.in_flight.remove(&index) == Some(Some(cv))
        {
            assisting.has_proven = true;
            assisting.spread.prove(index, cv);
        }
    }

    /// A block came that belongs to no file of this lane.
    pub(super) async fn fetched(&mut self, header: BlockHeader, buffer: Buffer) -> Result<(), LinkError> {
        let Some(assisting) = self.assisting.as_mut().filter(|it| it.spread.transfer == header.transfer) else {
            return Ok(());
        };
        let Body::Down(part) = &assisting.spread.body else { return Ok(()) };
        let (Some(_), Some(part)) = (assisting.in_flight.remove(&header.index), part.upgrade()) else {
            return Ok(());
        };
        let spread = assisting.spread.clone();
        match store(part, header, buffer).await {
            Ok(()) => {
                assisting.has_proven = true;
                spread.prove(header.index, header.cv);
            }
            // Its own lane meets the same, or gets the block right.
            Err(fault) => {
                tracing::warn!(%fault, "a block that another lane was to have could not be stored");
                spread.leave_alone();
                self.leave_off().await?;
            }
        }
        Ok(())
    }

    /// Whether blocks of a transfer of another lane are under way here.
    pub(super) fn assists(&self, transfer: u64) -> bool {
        self.assisting.as_ref().is_some_and(|assisting| assisting.spread.transfer == transfer)
    }

    /// Assisting leads to nothing.
    pub(super) fn turn_away(&mut self) {
        if let Some(assisting) = self.assisting.take() {
            assisting.spread.leave_alone();
            self.carry_limits();
        }
    }

    /// What is still under way is not wanted any more.
    pub(super) async fn leave_off(&mut self) -> Result<(), LinkError> {
        let Some(assisting) = self.assisting.take() else { return Ok(()) };
        self.carry_limits();
        if assisting.in_flight.values().any(Option::is_none) {
            let transfer = assisting.spread.transfer;
            self.wire.send(&Message::Abandon { transfer, keep: true }).await?;
        }
        Ok(())
    }
}

async fn store(part: Arc<Part>, header: BlockHeader, buffer: Buffer) -> Result<(), Fault> {
    let stored = blocking(move || {
        let span = part.building.expects(header.index, header.len)?;
        part.building.store(&part.file, span, header.cv, &buffer.bytes)
    });
    stored.await?.map_err(|error| Fault::new(wire::Code::Io, error.to_string()))
}

/// Returns when a file that is assisted is its own lane's again.
pub(super) async fn over(assisting: Option<&Assisting>) {
    match assisting {
        Some(assisting) => assisting.spread.over.cancelled().await,
        None => pending().await,
    }
}
