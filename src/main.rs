//! Parses the arguments and runs one command.

fn main() -> std::process::ExitCode {
    meeting_provisioner::command::run()
}
