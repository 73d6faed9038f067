//! The options of all commands that send requests. They are accepted before and after the name of the command.

use clap::{Args, ValueEnum};

use super::Connection;

/// The options that every command has which sends requests.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// The output format
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Format,
    /// Print no warnings, notes and progress on stderr
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Log each request on stderr: method, path, status and time, never a secret
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// Write the cells of csv as they are: no guard before a cell that a spreadsheet takes for a formula, no escapes
    #[arg(long, global = true, hide_short_help = true, help_heading = "Output")]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// How data on stdout is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading: fits the terminal.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object on each line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// A page for a browser (`audit`).
    Html,
    /// Metrics for Prometheus (`audit`).
    Openmetrics,
}

impl Global {
    /// The rules between options that clap does not check when one of them comes before the command and one after it.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.quiet && self.verbose {
            return Err("--quiet and --verbose exclude each other");
        }
        let connection = &self.connection;
        if connection.api_key_file.is_some() && connection.api_key_env_file.is_some() {
            return Err("--api-key-file and --api-key-env-file exclude each other");
        }
        if connection.api_key_env_name.is_some() && connection.api_key_env_file.is_none() {
            return Err("--api-key-env-name requires --api-key-env-file");
        }
        let has_part = connection.host.is_some()
            || connection.scheme.is_some()
            || connection.port.is_some()
            || connection.region.is_some()
            || connection.single_host.is_some()
            || connection.single_port.is_some()
            || connection.base_domain.is_some();
        if connection.url.is_some() && has_part {
            return Err(
                "--url holds the whole address, and excludes --host, --scheme, --port, --region, --single-host, --single-port and --base-domain",
            );
        }
        let overrides_host =
            connection.region.is_some() || connection.single_host.is_some() || connection.base_domain.is_some();
        if connection.host.is_some() && overrides_host {
            return Err("--host excludes --region, --single-host and --base-domain");
        }
        if connection.port.is_some() && connection.single_port.is_some() {
            return Err("--port and --single-port exclude each other");
        }
        if self.raw && self.output != Format::Csv {
            return Err("--raw requires --output csv");
        }
        Ok(())
    }
}
