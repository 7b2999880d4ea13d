//! The real client program against a real server in this process, and the engine behind it.
//!
//! - [`program`]: the program, run to its end or killed
//! - [`commands`]: every one-shot command, its JSON and its exit code
//! - [`asking`]: what it asks for on a terminal
//! - [`transfers`]: trees, policies, odd names, interruptions
//! - [`bench`]: the engine, its server and a proxy between them
//! - [`damage`]: what a server no longer has as it was stored
//! - [`decisions`]: what waits for a person, and what becomes of it
//! - [`keys`]: logins by key, from files and by an agent
//! - [`leftover`]: what a killed client had in its queue
//! - [`moves`]: what a move removes, and what it leaves
//! - [`picked`]: entries of a directory that are one item
//! - [`queue`]: what only the engine can do: pause, cancel, ask, limit, reconnect

#![cfg(test)]

mod asking;
mod bench;
mod commands;
mod damage;
mod decisions;
mod keys;
mod leftover;
mod moves;
mod picked;
mod program;
mod queue;
mod sync;
mod transfers;
