//! The consistency token, `<epoch>.<seq>.<seq of the last hard delete>`.

use std::sync::Mutex;

use super::lock;

const MAX_DIGITS: usize = 15;

/// A state of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    epoch: u64,
    seq: u64,
    hard_delete_seq: u64,
    pub text: String,
}

impl Token {
    /// Three integers of at most 15 digits, the third at most the second; else `None`.
    pub fn parse(text: &str) -> Option<Token> {
        let parts: Vec<&str> = text.split('.').collect();
        let [epoch, seq, hard_delete_seq] = parts.as_slice() else { return None };
        let number = |part: &str| {
            let is_number =
                !part.is_empty() && part.len() <= MAX_DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse::<u64>().ok()).flatten()
        };
        let token = Token {
            epoch: number(epoch)?,
            seq: number(seq)?,
            hard_delete_seq: number(hard_delete_seq)?,
            text: text.to_owned(),
        };
        (token.hard_delete_seq <= token.seq).then_some(token)
    }

    /// Says whether a value read at this token satisfies `required`. Content changes by a hard delete alone.
    pub fn reaches(&self, required: &Token, is_content: bool) -> bool {
        if self.epoch != required.epoch {
            return self.epoch > required.epoch;
        }
        self.seq >= if is_content { required.hard_delete_seq } else { required.seq }
    }

    /// Says whether this is of an earlier state.
    pub fn is_before(&self, other: &Token) -> bool {
        (self.epoch, self.seq) < (other.epoch, other.seq)
    }
}

/// Keeps one of them whole; parts of two tokens are never combined. For one state, the token with the smaller third
/// part is kept: it is as correct and invalidates less.
pub(crate) fn newest(held: Option<Token>, incoming: Option<Token>) -> Option<Token> {
    let (held, incoming) = match (held, incoming) {
        (Some(held), Some(incoming)) => (held, incoming),
        (held, incoming) => return held.or(incoming),
    };
    let is_newer = held.is_before(&incoming);
    let is_cheaper = !incoming.is_before(&held) && incoming.hard_delete_seq < held.hard_delete_seq;
    Some(if is_newer || is_cheaper { incoming } else { held })
}

/// The two tokens of a client.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seen: Option<Token>,
    wrote: Option<Token>,
    unreadable: u64,
}

impl Tokens {
    /// The newest of all answers; it is sent with every read and registration.
    pub fn seen(&self) -> Option<Token> {
        lock(&self.state).seen.clone()
    }

    /// The newest of the client's own writes; cached values must reach it.
    pub fn wrote(&self) -> Option<Token> {
        lock(&self.state).wrote.clone()
    }

    /// Answers whose token could not be read.
    pub fn unreadable(&self) -> u64 {
        lock(&self.state).unreadable
    }

    /// Learns from an answer's header, and returns its token.
    pub fn learn(&self, text: Option<&str>, is_write: bool) -> Option<Token> {
        let text = text.filter(|text| !text.is_empty())?;
        let mut state = lock(&self.state);
        let Some(token) = Token::parse(text) else {
            state.unreadable += 1;
            return None;
        };
        state.seen = newest(state.seen.take(), Some(token.clone()));
        if is_write {
            state.wrote = newest(state.wrote.take(), Some(token.clone()));
        }
        Some(token)
    }
}
