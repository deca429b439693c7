//! Stops asking a registry that does not answer. Counted in attempts.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use super::lock;

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Cancelled or cut off early; it does not count.
    Silent,
    Alive,
    Failed,
}

/// Whether the client asks the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Attempts are made.
    Closed,
    /// The registry did not answer several times in a row; calls fail at once.
    Open,
    /// One attempt is made to see whether the registry answers again.
    HalfOpen,
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half-open",
        })
    }
}

#[derive(Debug)]
struct State {
    now: BreakerState,
    failed: u32,
    opened_at: Duration,
    generation: u64,
    is_trial_running: bool,
}

impl State {
    fn enter(&mut self, state: BreakerState) {
        self.now = state;
        self.failed = 0;
        self.is_trial_running = false;
        self.generation += 1;
    }
}

#[derive(Debug)]
pub(crate) struct Breaker {
    failures: u32,
    open_for: Duration,
    state: Mutex<State>,
}

/// An attempt that was let through. Dropped without a report, such as by a cancelled call, it counts as silent.
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    generation: u64,
    is_reported: bool,
}

impl Breaker {
    /// Opens for `open_for` after `failures` failed attempts in a row.
    pub fn new(failures: u32, open_for: Duration) -> Breaker {
        let state = State {
            now: BreakerState::Closed,
            failed: 0,
            opened_at: Duration::ZERO,
            generation: 0,
            is_trial_running: false,
        };
        Breaker { failures, open_for, state: Mutex::new(state) }
    }

    pub fn state(&self) -> BreakerState {
        lock(&self.state).now
    }

    /// Admits an attempt, or returns how long attempts stay refused.
    pub fn admit(&self, now: Duration) -> Result<Permit<'_>, Duration> {
        let mut state = lock(&self.state);
        if state.now == BreakerState::Open {
            let left = state.opened_at.saturating_add(self.open_for).saturating_sub(now);
            if !left.is_zero() {
                return Err(left);
            }
            state.enter(BreakerState::HalfOpen);
        }
        if state.now == BreakerState::HalfOpen {
            if state.is_trial_running {
                return Err(self.open_for);
            }
            state.is_trial_running = true;
        }
        Ok(Permit { breaker: self, generation: state.generation, is_reported: false })
    }

    /// Attempts that began before a change of state do not affect the breaker.
    fn report(&self, generation: u64, outcome: Outcome, now: Duration) {
        let mut state = lock(&self.state);
        if generation != state.generation {
            return;
        }
        state.is_trial_running = false;
        let is_trial = state.now == BreakerState::HalfOpen;
        match outcome {
            Outcome::Silent => {}
            Outcome::Alive if is_trial => state.enter(BreakerState::Closed),
            Outcome::Alive => state.failed = 0,
            Outcome::Failed => {
                state.failed += 1;
                if is_trial || state.failed >= self.failures {
                    state.opened_at = now;
                    state.enter(BreakerState::Open);
                }
            }
        }
    }
}

impl Permit<'_> {
    pub fn report(mut self, outcome: Outcome, now: Duration) {
        self.is_reported = true;
        self.breaker.report(self.generation, outcome, now);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_reported {
            self.breaker.report(self.generation, Outcome::Silent, Duration::ZERO);
        }
    }
}
