//! What the documents print for others to paste does what they say.

mod code_block;
mod faulty_proxy;
mod python;
mod retry_program;
