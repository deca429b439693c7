//! Decides what a client does: what it sends, how long it waits, what it keeps. Clock and randomness are passed in.

pub(crate) mod breaker;
pub(crate) mod cache;
pub(crate) mod call;
pub(crate) mod constants;
pub(crate) mod flight;
pub(crate) mod reads;
pub(crate) mod retry;
pub(crate) mod token;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic of another thread while it held the lock leaves no partial state here, so the state is used as it is.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
