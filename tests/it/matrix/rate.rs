//! Rate limits, waits and clocks. Waits are instant here: what is asserted is how long they would be.

use std::time::Duration;

use arize_api_keys::Outcome::{Rejected, Unknown};
use arize_api_keys::RetryPolicy;

use super::harness::operation::problem;
use super::harness::{Case, Row, again, again_times, fine_after, later, once, row};

/// 429 once, with these headers, and then what was asked for.
fn limited_once<'a>(row: &'a Row, headers: &'static str) -> Case<'a> {
    row.serve(move |mut conn| {
        if conn.number == 0 {
            conn.request();
            conn.send(problem(429, &format!("connection: close\r\n{headers}")));
        } else {
            conn.serve();
        }
    })
}

/// The wait before the second attempt. The jitter of the tests is all that it may be: the whole backoff, and a tenth of
/// what was asked for.
#[track_caller]
fn assert_waits(case: Case<'_>, expected: Duration) {
    case.all(fine_after(2)).inspect(|_, seen| assert_eq!(seen.slept, [expected]));
}

const BACKOFF: Duration = Duration::from_millis(500);

#[test]
fn row_50_retry_after_in_seconds() {
    row(50, |row| {
        for header in ["retry-after: 2\r\n", "retry-after:  2 \r\n", "Retry-After: 002\r\n"] {
            assert_waits(limited_once(row, header), Duration::from_millis(2200));
        }
        assert_waits(limited_once(row, "retry-after: 0\r\n"), BACKOFF);
    });
}

#[test]
fn row_51_retry_after_as_a_date() {
    row(51, |row| {
        let in_20_s = "retry-after: Fri, 02 Jan 2026 03:04:25 GMT\r\n";
        assert_waits(limited_once(row, in_20_s), Duration::from_secs(22));
        let past = "retry-after: Fri, 02 Jan 2026 03:04:04 GMT\r\n";
        assert_waits(limited_once(row, past), BACKOFF);
    });
}

#[test]
fn row_52_retry_after_that_is_none() {
    row(52, |row| {
        for header in [
            "",
            "retry-after: -1\r\n",
            "retry-after: 1.5\r\n",
            "retry-after: \r\n",
            "retry-after: soon\r\n",
            "retry-after: +3\r\n",
            "retry-after: 3s\r\n",
            "retry-after: 0x10\r\n",
        ] {
            assert_waits(limited_once(row, header), BACKOFF);
        }
        assert_waits(limited_once(row, "retry-after: 2\r\nretry-after: 4\r\n"), Duration::from_millis(4400));
        assert_waits(limited_once(row, "retry-after: 4\r\nretry-after: soon\r\n"), Duration::from_millis(4400));
    });
}

#[test]
fn row_53_retry_after_that_is_too_long() {
    row(53, |row| {
        for (header, wait) in [
            ("retry-after: 86400\r\n", 86_400),
            ("retry-after: 99999999999999999999\r\n", u64::MAX),
            ("retry-after: Sat, 03 Jan 2026 03:04:05 GMT\r\n", 86_400),
        ] {
            row.answer(|_| problem(429, header)).all(later("RateLimited", Rejected)).inspect(|_, seen| {
                let error = seen.result.as_ref().unwrap_err();
                assert_eq!(error.retry_after(), Some(Duration::from_secs(wait)));
            });
        }
    });
}

#[test]
fn row_54_limited_for_ever() {
    row(54, |row| {
        for header in ["", "retry-after: 1\r\n"] {
            row.answer(|_| problem(429, header)).all(again("RateLimited", Rejected)).check();
        }
    });
}

#[test]
fn row_75_deadline_within_a_wait() {
    // The second wait would end after the 60 s of the call.
    let slow = RetryPolicy::default().base_delay(Duration::from_secs(25)).max_delay(Duration::from_secs(60));
    row(75, |row| {
        row.answer(|_| problem(429, ""))
            .policy(slow.clone(), 3)
            .all(again_times(2, "RateLimited", Rejected))
            .inspect(|_, seen| assert_eq!(seen.slept, [Duration::from_secs(25)]));
        row.answer(|_| problem(503, ""))
            .policy(slow.clone(), 3)
            .list(again_times(2, "Server", Unknown))
            .mint(once("Server", Unknown))
            .remove(again_times(2, "Server", Unknown))
            .check();
        // The requested wait does not fit: no wait at all.
        row.answer(|_| problem(429, "retry-after: 50\r\n"))
            .client(|builder, address| {
                builder.scheme("http").host(address.to_string()).timeout(Duration::from_secs(40))
            })
            .all(later("RateLimited", Rejected))
            .inspect(|_, seen| {
                let asked = seen.result.as_ref().unwrap_err().retry_after();
                assert_eq!(asked, Some(Duration::from_secs(50)));
            });
    });
}

/// The date is looked at for dates alone. If it jumps between two looks, waits and deadlines do not.
#[test]
fn row_76_clock_that_jumps() {
    const DAY: i64 = 86_400;
    row(76, |row| {
        for jump in [DAY, -DAY] {
            let limited = row.answer(|_| problem(429, "")).clock_jumps(jump);
            limited.all(again("RateLimited", Rejected)).check();
            let seconds = limited_once(row, "retry-after: 2\r\n").clock_jumps(jump);
            assert_waits(seconds, Duration::from_millis(2200));
        }
        let date = "retry-after: Fri, 02 Jan 2026 03:04:25 GMT\r\n";
        assert_waits(limited_once(row, date).clock_jumps(DAY), BACKOFF);
        // By a clock that is a day late, the date is too far away to be waited for.
        row.answer(|_| problem(429, date)).clock_jumps(-DAY).all(later("RateLimited", Rejected)).check();
    });
}
