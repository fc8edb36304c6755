//! The room `local_postgres`: a server that works, and of which nothing is left.

mod ends;
mod serves;
mod support;
// mod test_database;
