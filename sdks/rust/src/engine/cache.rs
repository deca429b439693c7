//! A bounded cache of answers that evicts the least recently used first.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lru::LruCache;

use super::lock;
use super::token::Token;
use crate::models::Record;
#[cfg(feature = "validate")]
use crate::validation::KeptContent;

/// A kept answer.
#[derive(Clone)]
pub(crate) enum Value {
    Record(Arc<Record>),
    #[cfg(feature = "validate")]
    Content(Arc<KeptContent>),
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub value: Value,
    pub etag: Option<String>,
    pub token: Option<Token>,
    pub stored_at: Duration,
    pub lifetime: Duration,
    pub size: usize,
    /// The qualified subject whose changes remove it.
    pub subject: Option<String>,
    /// Until then no attempt is made; the stale entry is served.
    pub stale_until: Option<Duration>,
}

/// Counts of the cache.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub hits: u64,
    pub misses: u64,
    pub revalidated: u64,
    pub stale: u64,
    pub entries: usize,
    pub bytes: usize,
}

struct State {
    entries: LruCache<String, Entry>,
    counts: Counts,
    generation: u64,
}

pub(crate) struct Cache {
    max_entries: usize,
    max_bytes: usize,
    state: Mutex<State>,
}

impl State {
    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.pop(key) {
            self.counts.bytes -= entry.size;
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((_, entry)) = self.entries.pop_lru() {
            self.counts.bytes -= entry.size;
        }
    }
}

impl Cache {
    pub fn new(max_entries: usize, max_bytes: usize) -> Cache {
        let state = State { entries: LruCache::unbounded(), counts: Counts::default(), generation: 0 };
        Cache { max_entries, max_bytes, state: Mutex::new(state) }
    }

    pub fn read(&self, key: &str) -> Option<Entry> {
        lock(&self.state).entries.get(key).cloned()
    }

    /// Keeps an entry, unless something was written or cleared since `generation`, or an entry of a newer state is kept already.
    pub fn store(&self, key: &str, entry: Entry, generation: u64) {
        let mut state = lock(&self.state);
        if generation != state.generation {
            return;
        }
        let held = state.entries.peek(key).and_then(|held| held.token.as_ref());
        if held.zip(entry.token.as_ref()).is_some_and(|(held, token)| token.is_before(held)) {
            return;
        }
        state.remove(key);
        if entry.size > self.max_bytes || self.max_entries == 0 {
            return;
        }
        state.counts.bytes += entry.size;
        state.entries.put(key.to_owned(), entry);
        while state.entries.len() > self.max_entries || state.counts.bytes > self.max_bytes {
            state.remove_oldest();
        }
    }

    /// Changes an entry's freshness where it is still kept.
    pub fn update(&self, key: &str, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = lock(&self.state).entries.peek_mut(key) {
            change(entry);
        }
    }

    pub fn remove(&self, key: &str) {
        lock(&self.state).remove(key);
    }

    /// Removes a subject's records, numbers and heads. Content is kept, because it never changes.
    pub fn forget_subject(&self, subject: &str) {
        let mut state = lock(&self.state);
        state.generation += 1;
        let of_subject = |entry: &Entry| entry.subject.as_deref() == Some(subject);
        let keys: Vec<String> =
            state.entries.iter().filter(|(_, entry)| of_subject(entry)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            state.remove(&key);
        }
    }

    pub fn clear(&self) {
        let mut state = lock(&self.state);
        state.generation += 1;
        state.entries.clear();
        state.counts.bytes = 0;
    }

    /// Raised by writes and by `clear`: a read that began before does not store its result.
    pub fn generation(&self) -> u64 {
        lock(&self.state).generation
    }

    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.state).counts);
    }

    pub fn counts(&self) -> Counts {
        let state = lock(&self.state);
        Counts { entries: state.entries.len(), ..state.counts }
    }
}
