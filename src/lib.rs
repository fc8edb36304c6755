//! One booking, one Microsoft Teams meeting, a complete history.
//!
//! # Which room may import which
//!
//! `tests/tidy` reads these two tables and holds them, file by file. `—` stands for nothing; `store::reading` allows
//! that part of a room alone. Only `command` builds the others. No transaction leaves `store`, so a call to Graph inside
//! one can't be written.
//!
//! | room | may import |
//! | --- | --- |
//! | `main` | — |
//! | `clock` | — |
//! | `local_postgres` | `clock` |
//! | `msgraph_simulator` | `clock` |
//!
//! # Names that stay in their rooms
//!
//! | name | only in |
//! | --- | --- |
//! | `actix_web`, `actix_http`, `tracing_actix_web`, `utoipa_swagger_ui` | `msgraph_simulator` |
//! | `std::env::var`, `std::env::var_os`, `std::env::vars`, `std::env::vars_os` | — |
//! | `println!`, `print!`, `eprintln!`, `eprint!`, `dbg!` | — |

pub mod audit;
pub mod booking;
pub mod clock;
pub mod local_postgres;
pub mod meeting;
pub mod audit;
pub mod booking;
pub mod clock;
pub mod local_postgres;
pub mod meeting;
mod msgraph;
pub mod msgraph_simulator;
mod outbound;
mod provisioning;
mod store;
mod telemetry;
