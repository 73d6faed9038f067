//! Signals of the operating system.

use std::io;

use super::super::{Caught, Report, Signal, Signals};

#[cfg(unix)]
pub(super) fn catch(signals: &[Signal]) -> io::Result<Box<dyn Signals>> {
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::WithOrigin;
    use signal_hook::low_level::siginfo::Origin;

    const NUMBERS: [(Signal, i32); 5] = [
        (Signal::HangUp, SIGHUP),
        (Signal::Interrupt, SIGINT),
        (Signal::Quit, SIGQUIT),
        (Signal::Terminate, SIGTERM),
        (Signal::Child, SIGCHLD),
    ];

    struct Delivered(SignalsInfo<WithOrigin>);

    impl Signals for Delivered {
        fn next(&mut self) -> Caught {
            // The iterator does not end: nothing closes it.
            self.0.forever().next().map_or(Caught { signal: Signal::Child, is_from_process: false }, caught)
        }

        fn try_next(&mut self) -> Option<Caught> {
            self.0.pending().next().map(caught)
        }
    }

    fn caught(origin: Origin) -> Caught {
        let signal = NUMBERS.iter().find_map(|(signal, number)| (*number == origin.signal).then_some(*signal));
        Caught { signal: signal.unwrap_or(Signal::Child), is_from_process: origin.process.is_some() }
    }

    let ignored = ignored();
    let is_wanted = |signal: &Signal, number: &i32| {
        signals.contains(signal) && (*signal == Signal::Child || ignored & (1 << (number - 1)) == 0)
    };
    let numbers = NUMBERS.iter().filter(|(signal, number)| is_wanted(signal, number)).map(|(_, number)| number);
    Ok(Box::new(Delivered(SignalsInfo::new(numbers)?)))
}

/// The signals that are ignored, a bit for each: this process was started by `nohup`, or in the background by a script. A
/// handler would make them fatal to the programs that this process starts. Only Linux tells.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// A thread waits for the signal, because a handler may neither print nor lock.
#[cfg(unix)]
pub(super) fn on_interrupt(report: Option<Report>) {
    use std::sync::{Mutex, Once, PoisonError};
    use std::thread;

    use signal_hook::consts::SIGINT;
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    static REPORT: Mutex<Option<Report>> = Mutex::new(None);
    static WAITING: Once = Once::new();

    let is_wanted = report.is_some();
    *REPORT.lock().unwrap_or_else(PoisonError::into_inner) = report;
    if !is_wanted {
        return;
    }
    WAITING.call_once(|| {
        if ignored() & (1 << (SIGINT - 1)) != 0 {
            return;
        }
        let Ok(mut signals) = Signals::new([SIGINT]) else { return };
        thread::spawn(move || {
            for signal in signals.forever() {
                if let Some(report) = &*REPORT.lock().unwrap_or_else(PoisonError::into_inner) {
                    report();
                }
                let _ = emulate_default_handler(signal);
            }
        });
    });
}

/// Without a handler: Ctrl-C ends the process at once.
#[cfg(not(unix))]
pub(super) fn on_interrupt(report: Option<Report>) {
    drop(report);
}

/// Without handlers: Ctrl-C ends the process.
#[cfg(not(unix))]
pub(super) fn catch(signals: &[Signal]) -> io::Result<Box<dyn Signals>> {
    use std::thread;
    use std::time::Duration;

    /// How often a child is looked for.
    const INTERVAL: Duration = Duration::from_millis(20);

    struct Never {
        has_child: bool,
    }

    impl Signals for Never {
        fn next(&mut self) -> Caught {
            while !self.has_child {
                thread::park();
            }
            thread::sleep(INTERVAL);
            Caught { signal: Signal::Child, is_from_process: false }
        }

        fn try_next(&mut self) -> Option<Caught> {
            None
        }
    }

    Ok(Box::new(Never { has_child: signals.contains(&Signal::Child) }))
}
