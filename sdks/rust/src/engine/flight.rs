//! Merges concurrent reads of one key: the first caller's work serves all callers that arrive while it runs. The work
//! stops when the last of them has cancelled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};

use super::lock;
use super::reads::ReadAnswer;
use crate::error::Error;

type Work = BoxFuture<'static, Result<ReadAnswer, Error>>;

struct Flight {
    number: u64,
    work: WeakShared<Work>,
}

#[derive(Default)]
struct State {
    running: HashMap<String, Flight>,
    begun: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Flights {
    state: Arc<Mutex<State>>,
}

/// Ends a flight when its work is done or was dropped.
struct Landing {
    state: Arc<Mutex<State>>,
    key: String,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if state.running.get(&self.key).is_some_and(|flight| flight.number == self.number) {
            state.running.remove(&self.key);
        }
    }
}

impl Flights {
    /// Joins the key's flight, or begins one.
    pub fn join(&self, key: String, start: impl FnOnce() -> Work) -> Shared<Work> {
        let mut state = lock(&self.state);
        if let Some(running) = state.running.get(&key).and_then(|flight| flight.work.upgrade()) {
            return running;
        }
        state.begun += 1;
        let number = state.begun;
        let landing = Landing { state: self.state.clone(), key: key.clone(), number };
        let work = start();
        let shared = async move {
            let _landing = landing;
            work.await
        }
        .boxed()
        .shared();
        if let Some(weak) = shared.downgrade() {
            state.running.insert(key, Flight { number, work: weak });
        }
        shared
    }
}
