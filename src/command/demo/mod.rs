//! `demo`: everything on this machine, with real requests, and what became of them.

mod demo_folder;
mod http_client;
mod script;
mod show;
mod stage;

pub(super) use show::{DemoArguments, run};
