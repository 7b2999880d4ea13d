//! End to end: a real server in this process, reached over loopback. Most suites speak the protocol by
//! hand, so that each step can be stopped, repeated or spoiled.

#![cfg(test)]

mod alike;
mod assist;
mod attack;
mod bad_input;
mod bandwidth;
mod by_hand;
mod content;
mod engine;
mod jail;
mod keys;
mod looking;
mod quota;
mod resume;
mod room;
mod spread;
mod trust;
