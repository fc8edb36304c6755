//! Drives the assembled service over HTTP, with a real Postgres and the Graph simulator behind it. The clock is one
//! that tests move, so nothing waits for time to pass; what must die dies by SIGKILL, in a process of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

mod support;

mod access;
mod alarms;
mod api_keys;
mod audit;
mod bodies;
mod bookings;
mod bounded_stop;
mod builder;
mod cancel_before_create;
mod channels;
mod checks;
mod commands;
mod contention;
mod contract;
mod crashes;
mod credentials;
mod database;
mod database_tls;
mod demo_stays_up;
mod documentation;
mod drift;
mod ended_loops;
mod fault_matrix;
mod faults;
mod framing;
mod freed;
mod graph_answers;
mod headers_for_browsers;
mod health;
mod history_after_restore;
mod lag;
mod lesser_role;
mod lifecycle;
mod limits;
mod lost_answers;
mod masked_links;
mod meeting_settings;
#[path = "../microsofts_metadata.rs"]
mod microsofts_metadata;
mod neighbours;
mod odd_inputs;
mod one_etag_one_body;
mod order_of_messages;
mod organizer_filters;
mod organizer_questions;
mod organizer_readiness;
mod organizers;
mod overload;
mod own_notices;
mod pages;
mod pooler;
mod postgres_away;
mod printing;
mod reach;
mod refused_settlements;
mod renamed_organizers;
mod replicas;
mod reset_connections;
mod retries;
mod rolling;
mod running_replicas;
mod self_audit;
mod self_audit_at_graph;
mod slow_clients;
mod throttling;
mod tls;
mod token_outages;
mod token_provider;
mod tokens;
mod waiting;
mod wire;
