//! The simulator over real HTTP: what it promises in `docs/SIMULATOR.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails, in what it calls as well")]

mod answers_lost;
mod assertions;
#[path = "../blackbox/support/certificates.rs"]
mod certificates;
mod control;
mod faults;
mod fixture;
mod identity;
mod meetings;
#[path = "../microsofts_metadata.rs"]
mod microsofts_metadata;
mod openapi;
mod organizers;
mod token;
