//! Shares of what a replica has few of, so that no source system takes the places of another.
//!
//! One rule for all of them: requests that are answered, requests that wait, connections to Postgres, calls to Graph and
//! the worker's slots. A source system may hold at most its share (`access.share_percent`) of the places that others
//! leave. So a lone one may take most of them and leaves a rest free, a second greedy one takes its share of that rest,
//! and as places come back, the first can't take them all again. One that holds none may take any free place. A count by
//! time (a rate) would refuse what there is room for.
//!
//! Where it isn't plain from the arguments on whose behalf something is done, the task says it ([`on_behalf_of`]).

mod behalf;
mod holders;
mod places;

pub(crate) use behalf::{on_behalf_of, served_source_system};
pub(crate) use holders::{Holders, Share};
pub(crate) use places::{Aside, NoPlace, Place, Places, Refusals};
