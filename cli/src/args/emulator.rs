//! The arguments of `emulator`.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use arize_api_keys::ApiStage;
use arize_api_keys::emulator::Fault;
use arize_api_keys::time::OffsetDateTime;
use clap::Args;

use crate::times;

/// Serve an emulator of the service on this machine, for tests
///
/// It prints one line; pasted into a shell, it points this program and the official SDKs at the emulator,
/// with the key of an admin. Its keys are gone when it ends, unless --state keeps them.
#[derive(Args, Debug)]
#[command(after_help = "\
A fault is [ENDPOINT:]KIND[,after][,retry-after=DURATION][*TIMES]
  ENDPOINT  list, create, refresh, remove, spaces, space, organizations; without it, all
  KIND      a status like `503`; `html=STATUS`, `delay=DURATION`, `reset`, `truncate=BYTES`
  after     the request is handled before it fails

Examples:
  arize-keys emulator --port 4010 --seed 7
  arize-keys emulator --account acme.toml --state acme.state
  arize-keys emulator --fault 'create:503*2' --fault 'list:429,retry-after=1s' --fault 'create:reset,after'")]
pub(crate) struct Emulator {
    /// The address to serve at; there is no TLS, so leave it on this machine
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "IP")]
    pub(crate) address: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// The account to start with: a file of organizations, spaces, users and keys, in JSON, or in TOML if it ends in `.toml`
    #[arg(long, value_name = "FILE")]
    pub(crate) account: Option<PathBuf>,
    /// Start without organizations and spaces
    #[arg(long, conflicts_with = "account")]
    pub(crate) empty: bool,
    /// The key of the admin, in place of a new one; it opens nothing but this emulator, and every user of this machine
    /// can see it
    #[arg(long, value_name = "KEY", conflicts_with = "admin_key_file")]
    pub(crate) admin_key: Option<String>,
    /// Read the key of the admin from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_key_file: Option<PathBuf>,
    /// Keep the account in this file, and start from it; no crash loses an acknowledged change
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Make the same ids and secrets on every run that makes the same calls
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The time that the clock starts at: `2027-01-01`, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = times::moment)]
    pub(crate) time: Option<OffsetDateTime>,
    /// Let the clock stand
    #[arg(long)]
    pub(crate) standing_clock: bool,
    /// The stage in which requests are answered that could be of either
    #[arg(long, default_value = "beta", value_parser = super::values::stage())]
    pub(crate) stage: ApiStage,
    /// Leave `organization_id` out of spaces, as older servers did
    #[arg(long)]
    pub(crate) omit_organization_id: bool,
    /// The longest lifetime that the account allows its keys: `90d`
    #[arg(long, value_name = "DURATION", value_parser = times::duration)]
    pub(crate) max_key_lifetime: Option<Duration>,
    /// Answer 429 to more than this many requests a second
    #[arg(long, value_name = "N", conflicts_with = "standing_clock")]
    pub(crate) rate_limit: Option<NonZeroU32>,
    /// Make a request fail, once or as often as the fault says; may be repeated
    #[arg(long = "fault", value_name = "FAULT", value_parser = clap::value_parser!(Fault))]
    pub(crate) faults: Vec<Fault>,
    /// Make this share of the requests fail, from 0 to 1, in all kinds of ways; the same ones with the same --seed
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) fault_rate: Option<f64>,
    /// Serve the controls of the emulator at this port of 127.0.0.1, for tests in other languages; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    pub(crate) control_port: Option<u16>,
    /// Write the line to this file too, once the emulator answers; the file is removed before the start and at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
}

/// From 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "it must be a number from 0 to 1".to_owned())
}
