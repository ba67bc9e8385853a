//! The safety net: no scenario outlives its limit, so that a failed test leaks no process.
use std::thread;
use std::time::Duration;

/// The exit status of a scenario that its own watchdog ended.
pub const STATUS_LIMIT: u8 = 99;
const LIMIT_SECONDS_DEFAULT: u64 = 120;

/// Starts a thread that ends the process after `UNWEDGE_SCENARIO_LIMIT_S` seconds.
pub(crate) fn start() {
    let asked = std::env::var("UNWEDGE_SCENARIO_LIMIT_S").ok();
    let seconds = asked.and_then(|text| text.parse().ok()).unwrap_or(LIMIT_SECONDS_DEFAULT);
    let watchdog = thread::Builder::new().name("watchdog".into()).spawn(move || {
        thread::sleep(Duration::from_secs(seconds));
        eprintln!("scenario: still running after {seconds} s; giving up");
        // Not `exit`: its handlers may wait for the very threads that hang.
        unsafe { libc::_exit(i32::from(STATUS_LIMIT)) }
    });
    if let Err(error) = watchdog {
        eprintln!("scenario: no watchdog: {error}");
    }
}
