//! One setting: what its value must be, where the value came from, and what is wrong with it.
//!
//! The settings file and the file of API keys are read with it, so their faults have the same texts and are all reported
//! at once: the setting, the origin of its value, what is wrong, and what would be right. A secret is never shown.
//! `config` and `access` define which settings there are.
//!
//! It reads the files whose paths it is given, and knows no neighbour. Called by `access` and `config`.

mod setting_fault;
mod setting_file;
mod setting_rule;
mod table_reader;
mod value_origin;

pub use setting_fault::{FileFaults, SettingFault};
pub use setting_file::{
    parse_table, parse_what_is_toml, read_bytes, read_guarded_text, read_table_text, read_text,
};
pub use setting_rule::{
    SettingRule, flag, fractional_seconds, hours, one_of, path, read_toml, read_variable, seconds, secret,
    whole,
};
pub use table_reader::{FaultNoted, TableReader};
pub use value_origin::ValueOrigin;
