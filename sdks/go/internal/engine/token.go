package engine

import (
	"regexp"
	"strconv"
	"sync"
)

// Token is a state of the registry: <epoch>.<seq>.<seq of the last hard delete>.
type Token struct {
	Epoch, Seq, HardDeleteSeq int64
	Text                      string
}

var tokenPattern = regexp.MustCompile(`^([0-9]{1,15})\.([0-9]{1,15})\.([0-9]{1,15})$`)

// ParseToken reads a token; ok is false if the text is not a token.
func ParseToken(text string) (token Token, ok bool) {
	parts := tokenPattern.FindStringSubmatch(text)
	if parts == nil {
		return Token{}, false
	}
	numbers := [3]int64{}
	for i, part := range parts[1:] {
		numbers[i], _ = strconv.ParseInt(part, 10, 64)
	}
	token = Token{Epoch: numbers[0], Seq: numbers[1], HardDeleteSeq: numbers[2], Text: text}
	return token, token.HardDeleteSeq <= token.Seq
}

// NewestToken keeps one of them whole; parts of two tokens are never combined.
func NewestToken(held *Token, incoming *Token) *Token {
	switch {
	case held == nil:
		return incoming
	case incoming == nil:
		return held
	case held.isBefore(incoming):
		return incoming
	case incoming.isBefore(held):
		return held
	case incoming.HardDeleteSeq < held.HardDeleteSeq:
		return incoming
	}
	return held
}

// isBefore says whether the token is of an earlier state than another; a missing one says nothing.
func (t *Token) isBefore(other *Token) bool {
	if t == nil || other == nil {
		return false
	}
	if t.Epoch != other.Epoch {
		return t.Epoch < other.Epoch
	}
	return t.Seq < other.Seq
}

// reachesToken says whether a value read at held satisfies required. Content changes by a hard delete alone.
func reachesToken(held, required *Token, content bool) bool {
	if required == nil {
		return true
	}
	if held == nil {
		return false
	}
	if held.Epoch != required.Epoch {
		return held.Epoch > required.Epoch
	}
	if content {
		return held.Seq >= required.HardDeleteSeq
	}
	return held.Seq >= required.Seq
}

// Tokens are the two tokens of a client, shared by its copies.
type Tokens struct {
	mu          sync.Mutex
	seen, wrote *Token
	unreadable  int
}

// Seen is the newest of all answers; it is sent with every read and registration.
func (t *Tokens) Seen() *Token {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// Wrote is the newest of the client's own writes; cached values must reach it.
func (t *Tokens) Wrote() *Token {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrote
}

// Unreadable counts answers whose token could not be read.
func (t *Tokens) Unreadable() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.unreadable
}

func (t *Tokens) learn(text string, write bool) *Token {
	if text == "" {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := ParseToken(text)
	if !ok {
		t.unreadable++
		return nil
	}
	t.seen = NewestToken(t.seen, &token)
	if write {
		t.wrote = NewestToken(t.wrote, &token)
	}
	return &token
}
