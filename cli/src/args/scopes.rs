//! The scopes that a command looks through.

use clap::Args;

use super::values;

/// Without them: your own user keys, and the service keys of every space that your key may see.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which keys are read")]
pub(crate) struct Scopes {
    /// Read the service keys of this space only, by name or id; may be repeated
    #[arg(long, value_name = "NAME|ID", value_parser = values::text())]
    pub(crate) space: Vec<String>,
    /// Read the user keys of this user, too (for admins); may be repeated
    #[arg(long, value_name = "USER_ID", value_parser = values::id())]
    pub(crate) user: Vec<String>,
}
