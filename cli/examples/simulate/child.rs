//! The command that `run` starts, and signals.

use std::io;

use arize_keys::system::{Caught, Child, Exit, Program, Signal, Signals};

use super::process::{Process, Verb};

/// A command that needs its key twice: when it starts, and when it is looked at for the first time.
pub(super) struct Started {
    process: Process,
    secret: Option<String>,
    looks: usize,
}

impl Started {
    pub(super) fn boxed(process: &Process, program: &Program<'_>) -> Box<dyn Child> {
        let secret = program.environment.iter().find(|(name, _)| name == "ARIZE_API_KEY");
        let secret = secret.and_then(|(_, value)| value.to_str()).map(str::to_owned);
        let started = Self { process: process.clone(), secret, looks: 0 };
        started.work();
        Box::new(started)
    }

    fn work(&self) {
        let state = &*self.process.0;
        let works = self.secret.as_ref().is_some_and(|secret| {
            let is_own = *secret == state.service.admin_secret();
            !is_own && state.service.accepts(secret)
        });
        if !works {
            state.host.inner().consumer.wrong.push("the command runs without a working key".to_owned());
        }
    }
}

impl Child for Started {
    fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        self.looks += 1;
        if self.looks == 1 {
            self.work();
        }
        self.process.step(Verb::Look, |_| Ok((self.looks > 1).then_some(Exit::Code(0))))
    }

    fn signal(&mut self, _: Signal) -> io::Result<()> {
        Ok(())
    }
}

/// The simulator kills; it sends no signals.
pub(super) struct NoSignals;

impl NoSignals {
    pub(super) fn boxed() -> Box<dyn Signals> {
        Box::new(Self)
    }
}

impl Signals for NoSignals {
    fn next(&mut self) -> Caught {
        Caught { signal: Signal::Child, is_from_process: true }
    }

    fn try_next(&mut self) -> Option<Caught> {
        None
    }
}
