//! The fault matrix: every step of a booking, with everything that can go wrong there.
//!
//! A *walk* is something that a caller asks for, such as a cancel. It is carried out once without a fault, and its steps are
//! recorded as they are seen from outside: the calls that arrive at Graph, and the statements that write. Each step
//! gets its cells: Graph fails in each of its ways, Postgres loses the connection before and after the commit, the process
//! is killed. So a step that is new on a walk has its cells by itself; a kind of call or a statement that is on no walk
//! fails a test. Whatever went wrong, the end is the same, and `proof` says which.

mod graph_faults;
mod kills;
mod postgres_faults;
mod proof;
mod steps;
mod walk;
