//! The warning that the API may change: once per process and operation.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::config::Settings;
use crate::operation::Operation;
use crate::stage::ApiStage;

/// Warns at the first call of an operation in this process, before anything else is done.
pub(crate) fn warn_once(operation: Operation, settings: &Settings) {
    static WARNED: AtomicU8 = AtomicU8::new(0);
    let bit = match operation {
        Operation::List => 1,
        Operation::Create => 1 << 1,
        Operation::CreateServiceKey => 1 << 2,
        Operation::Refresh => 1 << 3,
        Operation::Delete => 1 << 4,
        Operation::Revoke => 1 << 5,
        // A look-up is part of a call that has warned.
        Operation::ListSpaces | Operation::GetSpace | Operation::ListOrganizations => return,
    };
    // Read first: every call passes here, and only the first few have to write.
    if WARNED.load(Ordering::Relaxed) & bit != 0 || WARNED.fetch_or(bit, Ordering::Relaxed) & bit != 0 {
        return;
    }
    let message = message(operation, settings.stage);
    log::warn!("{message}");
    if let Some(on_warning) = &settings.on_warning {
        on_warning(&message);
    }
}

fn message(operation: Operation, stage: ApiStage) -> String {
    let (label, article) = match stage {
        ApiStage::Alpha => ("ALPHA", "an"),
        ApiStage::Beta => ("BETA", "a"),
    };
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "[{label}] api_keys.{operation} is {article} {stage} API in the crate arize-api-keys v{version} and may change without \
         notice; keep the crate up to date"
    )
}
