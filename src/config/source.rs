//! Where a setting comes from: the program, the environment, or nowhere.

use std::borrow::Cow;
use std::ffi::OsString;

use crate::error::ConfigError;

/// The environment, or what stands in for it.
pub(super) struct Env<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl<'a> Env<'a> {
    pub(super) fn new(look_up: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self(look_up)
    }

    /// The value of a variable. One that is blank counts as not set: that is how shells and container tools unset one.
    pub(super) fn read(&self, name: &'static str) -> Result<Option<Sourced<String>>, ConfigError> {
        Ok(self.read_blank(name)?.filter(|found| !found.value.trim().is_empty()))
    }

    /// The value of a variable, even if it is blank.
    pub(super) fn read_blank(&self, name: &'static str) -> Result<Option<Sourced<String>>, ConfigError> {
        let Some(value) = (self.0)(name) else { return Ok(None) };
        match value.into_string() {
            Ok(value) => Ok(Some(Sourced { value, setting: name.into() })),
            Err(_) => Err(ConfigError::new(name, "must be valid Unicode")),
        }
    }

    /// A path need not be Unicode.
    #[cfg(feature = "ureq")]
    pub(super) fn path(&self, name: &'static str) -> Option<Sourced<std::path::PathBuf>> {
        let value = (self.0)(name)?;
        let blank = value.to_str().is_some_and(|value| value.trim().is_empty());
        (!blank).then(|| Sourced { value: value.into(), setting: name.into() })
    }

    #[cfg(feature = "ureq")]
    pub(super) fn is_set(&self, name: &str) -> bool {
        (self.0)(name).is_some()
    }

    /// What the program says, or else what the variable says.
    pub(super) fn or_explicit(
        &self,
        explicit: Option<&str>,
        setter: &'static str,
        name: &'static str,
    ) -> Result<Option<Sourced<String>>, ConfigError> {
        match explicit {
            Some(value) => Ok(Some(Sourced { value: value.to_owned(), setting: setter.into() })),
            None => self.read(name),
        }
    }
}

/// A value, and the name of the setter or the variable that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sourced<T> {
    pub(super) value: T,
    pub(super) setting: Cow<'static, str>,
}

impl<T> Sourced<T> {
    /// An error about this value.
    pub(super) fn fault(&self, problem: impl Into<Cow<'static, str>>) -> ConfigError {
        ConfigError::new(self.setting.clone(), problem)
    }
}
