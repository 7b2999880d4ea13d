//! Catamaran's server.
//!
//! In reading order:
//! - [`config`]: every setting, with its default
//! - [`datadir`]: where things lie on the disk
//! - [`catalog`]: accounts, ledger, reservations, records: the only code that touches the database
//! - [`vault`]: the only code that touches users' files
//! - [`password`]: Argon2id, a few at a time; [`keys`]: public keys that open accounts beside it
//! - [`accounts`]: what the account flags do
//! - [`cli`]: the command line; [`sandbox`] confines the process before the daemon runs
//! - [`identity`]: the server's key, its fingerprint, and TLS
//! - [`daemon`]: a running server, from start to stop; [`recovery`] makes good what the last run left
//! - [`reload`]: what it takes over from a configuration that is read anew
//! - [`listener`]: the way in: TLS; [`gate`]: how many; [`greeting`]: who it is
//! - [`source`]: where connections come from; [`penalties`]: what failed logins cost; [`refusals`]: counted by reason
//! - [`audit`]: one line for every change
//! - [`operator`]: what the operator's flags ask a running daemon
//! - [`inlet`]: memory for what is read; [`flow`]: progress and rest of a connection; `metered`: its bytes, held to their limits
//! - [`commons`]: what all users share, as their `bandwidth` and the [`budget`] of memory
//! - [`session`]: logins, tickets, and what ends them; [`tenant`]: one user who has sessions
//! - [`control`]: connections that carry requests, and [`handlers`], one verb a file
//! - [`lane`]: connections that carry transfers
//! - [`publish`]: the order in which a proven file gets its name, its record and its acknowledgement
//! - [`custody`]: stored files against their records, the ledger against the disk
//! - [`trash`]: what was deleted; [`expiry`]: when that, and what was never finished, is gone for good
//! - [`memory`]: the most of it that all this takes, from the limits
//! - `metrics`: figures for Prometheus, over HTTP
//! - [`faults`]: one table from errors to what clients are told

pub mod accounts;
pub mod audit;
mod bandwidth;
pub mod budget;
pub mod catalog;
pub mod cli;
pub mod commons;
pub mod config;
pub mod control;
pub mod custody;
pub mod daemon;
pub mod datadir;
pub mod expiry;
pub mod faults;
pub mod flow;
pub mod gate;
pub mod greeting;
pub mod handlers;
pub mod identity;
pub mod inlet;
pub mod keys;
pub mod lane;
pub mod listener;
pub mod memory;
mod metered;
mod metrics;
pub mod operator;
pub mod password;
pub mod penalties;
pub mod publish;
pub mod recovery;
pub mod refusals;
pub mod reload;
pub mod sandbox;
pub mod session;
pub mod source;
pub mod tenant;
pub mod trash;
pub mod vault;

pub use config::Config;
pub use daemon::{Running, StartError, start, start_on};
