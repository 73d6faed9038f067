//! The source of a setting: the program or the environment.

use std::borrow::Cow;
use std::ffi::OsString;

use crate::error::ConfigError;

/// The environment variables, or a double of them.
pub(crate) struct Env<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl<'a> Env<'a> {
    pub(crate) fn new(look_up: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self(look_up)
    }

    /// The value of a variable. One that is blank counts as not set: that is how shells and container tools unset one.
    pub(crate) fn read(&self, name: &'static str) -> Result<Option<Sourced<String>>, ConfigError> {
        Ok(self.read_blank(name)?.filter(|found| !found.value.trim().is_empty()))
    }

    /// The value of a variable, even if it is blank.
    pub(crate) fn read_blank(&self, name: &'static str) -> Result<Option<Sourced<String>>, ConfigError> {
        let Some(value) = (self.0)(name) else { return Ok(None) };
        match value.into_string() {
            Ok(value) => Ok(Some(Sourced { value, setting: name })),
            Err(_) => Err(ConfigError::new(name, "must be valid Unicode")),
        }
    }

    /// A path need not be Unicode.
    pub(crate) fn path(&self, name: &'static str) -> Option<Sourced<std::path::PathBuf>> {
        let value = (self.0)(name)?;
        let blank = value.to_str().is_some_and(|value| value.trim().is_empty());
        (!blank).then(|| Sourced { value: value.into(), setting: name })
    }

    #[cfg(feature = "ureq")]
    pub(crate) fn is_set(&self, name: &str) -> bool {
        (self.0)(name).is_some()
    }

    /// The value of the program, or else that of the variable.
    pub(crate) fn or_explicit(
        &self,
        explicit: Option<&str>,
        setter: &'static str,
        name: &'static str,
    ) -> Result<Option<Sourced<String>>, ConfigError> {
        match explicit {
            Some(value) => Ok(Some(Sourced { value: value.to_owned(), setting: setter })),
            None => self.read(name),
        }
    }
}

/// A value, and the name of the setter or the variable that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) setting: &'static str,
}

impl<T> Sourced<T> {
    /// An error about this value.
    pub(crate) fn fault(&self, problem: impl Into<Cow<'static, str>>) -> ConfigError {
        ConfigError::new(self.setting, problem)
    }
}
