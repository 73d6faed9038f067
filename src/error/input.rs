//! Errors that the client finds before it sends anything.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A setting is missing, invalid or in conflict with another. Its message repeats no value that could be a secret.
#[derive(Debug)]
pub struct ConfigError {
    setting: &'static str,
    problem: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ConfigError {
    /// `setting` is the setter or the environment variable.
    pub(crate) fn new(setting: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { setting, problem: problem.into(), source: None }
    }

    /// Adds a source, which must not hold a secret.
    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The setting at fault: a setter of [`ClientBuilder`](crate::ClientBuilder) or an environment variable.
    pub fn setting(&self) -> &str {
        self.setting
    }

    /// The message without the setting, for a program that has its own name for it.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration: `{}` {}", self.setting, self.problem)
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// A field of a request is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRequest {
    field: Cow<'static, str>,
    problem: Cow<'static, str>,
}

impl InvalidRequest {
    pub(crate) fn new(field: impl Into<Cow<'static, str>>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The field at fault, by the name of its setter.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The message without the field, for a program that has its own name for it.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid request: `{}` {}", self.field, self.problem)
    }
}

impl StdError for InvalidRequest {}
