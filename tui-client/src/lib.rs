//! Catamaran's client.
//!
//! - [`cli`]: the command line, and the one-shot commands as one face of the engine
//! - [`config`]: `client.toml`; [`places`]: where it and everything else lies
//! - [`entries`]: what a directory holds, packed
//! - [`engine`]: connection, lanes, queue, local files; knows no screen
//! - [`sync`]: two directories compared and made alike, for both faces
//!
//! The full-screen client is the other face:
//! - [`action`]: everything a key can do, in one table; [`keymap`]: from keys to those actions
//! - [`manual`]: that table in words, with prose around it
//! - [`app`]: the whole state of the screen, as plain data
//! - [`update`]: the only code that changes it; pure
//! - [`view`]: the screen as a picture of the state; [`theme`]: its colours
//! - [`runtime`]: the only part that acts: terminal, tasks, channels

pub mod action;
pub mod app;
#[cfg(test)]
mod assets;
pub mod cli;
pub mod config;
pub mod engine;
pub mod entries;
pub mod keymap;
pub mod manual;
pub mod places;
pub mod runtime;
pub mod sync;
pub mod theme;
pub mod update;
pub mod view;
