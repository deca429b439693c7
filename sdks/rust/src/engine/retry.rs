//! What is retried, and after what delay.

use std::time::{Duration, SystemTime};

use super::constants::FIRST_WAIT;

/// 409 is a verdict, and 500 a fault that a retry would meet again; neither is retried.
pub(crate) fn is_retried_status(status: u16, may_repeat: bool) -> bool {
    match status {
        429 | 503 => true,
        502 | 504 => may_repeat,
        _ => false,
    }
}

/// The wait after an attempt: full jitter, `random` drawn from [0, 1), in whole milliseconds.
pub(crate) fn jitter(attempt: u32, random: f64, longest: Duration) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let bound = (FIRST_WAIT * 2u32.pow(doublings)).min(longest);
    Duration::from_millis((random * bound.as_millis() as f64) as u64)
}

/// Reads seconds or a date; a time that has passed is 0.
pub(crate) fn parse_retry_after(header: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = header?.trim();
    if let Ok(seconds) = text.parse::<i32>() {
        return Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
