//! What the documents print for others to paste does what they say.

mod code_block;
mod external_id_examples;
mod faulty_proxy;
mod going_live;
mod python;
mod retry_program;
mod run_blocks;
