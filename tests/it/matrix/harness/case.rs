//! Rows, and the cases that a row consists of.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arize_api_keys::{ApiKeysClient, ClientBuilder, RetryPolicy};

use super::document;
use super::expected::{Expected, Observed};
use super::operation::{OWN_KEY, Operation};
use super::server::{Conn, Server};
use crate::support::TestClock;

/// Runs the cases of a row, and then holds them against the row in `docs/fault-matrix.md`.
#[track_caller]
pub(crate) fn row(number: usize, cases: impl FnOnce(&Row)) {
    let row = Row::default();
    cases(&row);
    document::compare(number, &row.cells.into_inner());
}

/// The cells of a row, as the cases fill them: list, create and refresh, remove.
#[derive(Default)]
pub(crate) struct Row {
    cells: RefCell<[BTreeSet<String>; 3]>,
}

impl Row {
    /// A case with a server that runs `script` for every connection.
    pub(crate) fn serve(&self, script: impl Fn(Conn) + Send + Sync + 'static) -> Case<'_> {
        let mut case = self.unserved();
        case.runner.script = Some(Arc::new(script));
        case
    }

    /// A case with a server that answers every request with these bytes, and keeps the connection.
    pub(crate) fn answer(&self, answer: impl Fn(Operation) -> Vec<u8> + Send + Sync + 'static) -> Case<'_> {
        self.serve(move |mut conn| {
            while conn.request().is_some() {
                conn.send(answer(conn.operation));
            }
        })
    }

    /// A case with a server that answers one request with these bytes, and closes the connection.
    pub(crate) fn answer_and_close(&self, answer: impl Fn(Operation) -> Vec<u8> + Send + Sync + 'static) -> Case<'_> {
        self.serve(move |mut conn| {
            conn.request();
            conn.send(answer(conn.operation));
        })
    }

    /// A case without a server: [`Case::client`] says where requests go.
    pub(crate) fn unserved(&self) -> Case<'_> {
        let runner = Runner {
            script: None,
            client: Arc::new(|builder, address| builder.scheme("http").host(address.to_string())),
            first: None,
            policy: RetryPolicy::default(),
            attempts: 3,
            counts: Counts::Requests,
            stalls: false,
            jump: 0,
        };
        Case { row: self, runner, expected: [None; Operation::ALL.len()] }
    }

    /// Notes a cell that a test has proven on its own.
    pub(crate) fn proven(&self, column: usize, code: impl Into<String>) {
        self.cells.borrow_mut()[column].insert(code.into());
    }
}

/// The part of every attempt that a server has to see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Requests,
    Connections,
}

type First = dyn Fn(&ApiKeysClient, &Server) + Send + Sync;
type Configure = dyn Fn(ClientBuilder, SocketAddr) -> ClientBuilder + Send + Sync;

/// One way that a fault can be made, and what each operation has to end as.
#[must_use]
pub(crate) struct Case<'a> {
    row: &'a Row,
    runner: Runner,
    expected: [Option<Expected>; Operation::ALL.len()],
}

/// No service on this address: cases without a server must not reach one by mistake.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// The milliseconds of one attempt where the fault is that time runs out: first little, then more, so that a slow machine gets as
/// far as a fast one.
const BUDGETS: [u64; 5] = [150, 600, 2_500, 10_000, 30_000];

impl Case<'_> {
    /// How the client is set up for the address of the server; by default, plain http.
    pub(crate) fn client(
        mut self,
        configure: impl Fn(ClientBuilder, SocketAddr) -> ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.runner.client = Arc::new(configure);
        self
    }

    /// Sends one request before the call.
    pub(crate) fn first(mut self, first: impl Fn(&ApiKeysClient, &Server) + Send + Sync + 'static) -> Self {
        self.runner.first = Some(Arc::new(first));
        self
    }

    /// The retry policy, and how many attempts it allows.
    pub(crate) fn policy(mut self, policy: RetryPolicy, attempts: u32) -> Self {
        (self.runner.policy, self.runner.attempts) = (policy, attempts);
        self
    }

    /// The server sees connections, and not always a whole request.
    pub(crate) fn connections(mut self) -> Self {
        self.runner.counts = Counts::Connections;
        self
    }

    /// The fault is that time runs out.
    pub(crate) fn stalls(mut self) -> Self {
        self.runner.stalls = true;
        self.runner.attempts = 2;
        self
    }

    /// The date jumps by so many seconds after each look at it.
    pub(crate) fn clock_jumps(mut self, seconds: i64) -> Self {
        self.runner.jump = seconds;
        self
    }

    pub(crate) fn operation(mut self, operation: Operation, expected: Expected) -> Self {
        self.expected[operation as usize] = Some(expected);
        self
    }

    pub(crate) fn list(self, expected: Expected) -> Self {
        self.operation(Operation::List, expected)
    }

    /// Create and refresh.
    pub(crate) fn mint(self, expected: Expected) -> Self {
        self.operation(Operation::Create, expected).operation(Operation::Refresh, expected)
    }

    /// Revoke, and `DELETE` on the alpha stage.
    pub(crate) fn remove(self, expected: Expected) -> Self {
        self.operation(Operation::Revoke, expected).operation(Operation::Delete, expected)
    }

    /// Every operation.
    pub(crate) fn all(self, expected: Expected) -> Self {
        self.list(expected).mint(expected).remove(expected)
    }

    /// Runs the case, and passes the observations to `inspect`.
    #[track_caller]
    pub(crate) fn inspect(self, inspect: impl Fn(Operation, &Observed)) {
        for (operation, observed) in self.run() {
            inspect(operation, &observed);
        }
    }

    #[track_caller]
    pub(crate) fn check(self) {
        self.run();
    }

    /// Runs the case without a word in the matrix: it shows that the server of the others is in order.
    #[track_caller]
    pub(crate) fn control(self) {
        let silent = Row::default();
        Case { row: &silent, ..self }.run();
    }

    /// All operations at once, each with its own server and client.
    #[track_caller]
    fn run(self) -> Vec<(Operation, Observed)> {
        let asked = |operation: &Operation| self.expected[*operation as usize].map(|expected| (*operation, expected));
        let asked: Vec<(Operation, Expected)> = Operation::ALL.iter().filter_map(asked).collect();
        let row = self.row;
        let runner = &self.runner;
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = asked
                .iter()
                .map(|(operation, expected)| scope.spawn(|| runner.attempt(*operation, *expected)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut seen = Vec::new();
        for ((operation, expected), result) in asked.into_iter().zip(results) {
            match result {
                Ok(observed) => seen.push((operation, observed)),
                Err(difference) => panic!("{operation:?}, where {} is expected: {difference}", expected.code()),
            }
            row.proven(operation.column(), expected.code());
        }
        seen
    }
}

/// The parts of a case that the threads of its operations share.
struct Runner {
    script: Option<Arc<dyn Fn(Conn) + Send + Sync>>,
    client: Arc<Configure>,
    first: Option<Arc<First>>,
    policy: RetryPolicy,
    attempts: u32,
    counts: Counts,
    stalls: bool,
    jump: i64,
}

impl Runner {
    fn attempt(&self, operation: Operation, expected: Expected) -> Result<Observed, String> {
        let mut last = Err("not run".to_owned());
        let budgets: &[u64] = if self.stalls { &BUDGETS } else { &BUDGETS[4..] };
        for budget in budgets {
            let observed = self.observe(operation, expected, Duration::from_millis(*budget));
            last = expected.check(operation, &observed, self.attempts).map(|()| observed);
            if last.is_ok() {
                break;
            }
        }
        last
    }

    fn observe(&self, operation: Operation, expected: Expected, budget: Duration) -> Observed {
        let server = self.script.clone().map(|script| Server::start(operation, script));
        let address = server.as_ref().map_or(NOWHERE, |server| server.address);
        let clock = TestClock::new().jumping(self.jump);
        let mut policy = self.policy.clone().attempt_timeout(budget);
        if self.stalls {
            policy = policy.max_attempts(self.attempts);
        }
        let builder = ApiKeysClient::builder()
            .ignore_env()
            .api_key(OWN_KEY)
            .stage(operation.stage())
            .retry(policy)
            .clock(clock.clone());
        let client = match (self.client)(builder, address).build() {
            Ok(client) => client,
            Err(error) => return Observed { result: Err(error), slept: Vec::new(), count: None },
        };
        let mut before = 0;
        if let (Some(first), Some(server)) = (&self.first, &server) {
            first(&client, server);
            before = 1;
        }
        let result = operation.call(&client);
        let wanted = before + expected.attempts(self.attempts) as usize;
        let count = server.map(|server| match self.counts {
            Counts::Requests => server.requests(wanted) - before,
            Counts::Connections => server.connections(wanted) - before,
        });
        Observed { result, slept: clock.sleeps(), count }
    }
}
