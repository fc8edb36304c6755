//! Postgres for the demo and the tests, started from the programs on this machine.
