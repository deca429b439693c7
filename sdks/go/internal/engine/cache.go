package engine

import (
	"container/list"
	"sync"
	"time"
)

// Entry is a kept answer. Its value is never changed.
type Entry struct {
	Value    any
	etag     string
	token    *Token
	storedAt time.Duration
	lifetime time.Duration
	size     int
	// subject is the qualified subject whose changes remove it.
	subject string
	// staleUntil is the moment before which no attempt is made while the stale entry is served.
	staleUntil time.Duration
}

// CacheStats are the cache's counts.
type CacheStats struct {
	Hits, Misses, Revalidated, Stale, Entries, Bytes int
}

type cached struct {
	key   string
	entry Entry
}

// Cache is a bounded cache of answers that evicts the least recently used first.
type Cache struct {
	mu         sync.Mutex
	entries    map[string]*list.Element
	order      *list.List
	maxEntries int
	maxBytes   int
	stats      CacheStats
	generation int
}

// NewCache keeps at most maxEntries answers of maxBytes together.
func NewCache(maxEntries, maxBytes int) *Cache {
	return &Cache{entries: map[string]*list.Element{}, order: list.New(), maxEntries: maxEntries, maxBytes: maxBytes}
}

func (c *Cache) read(key string) (Entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.entries[key]
	if element == nil {
		return Entry{}, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*cached).entry, true
}

// Value is what is kept under a key, however old.
func (c *Cache) Value(key string) (any, bool) {
	entry, ok := c.read(key)
	return entry.Value, ok
}

// store keeps an entry, unless something was written or cleared since generation, or an entry of a newer state is kept already.
func (c *Cache) store(key string, entry Entry, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if element := c.entries[key]; element != nil && entry.token.isBefore(element.Value.(*cached).entry.token) {
		return
	}
	c.remove(key)
	if entry.size > c.maxBytes || c.maxEntries < 1 {
		return
	}
	c.entries[key] = c.order.PushFront(&cached{key, entry})
	c.stats.Entries++
	c.stats.Bytes += entry.size
	for c.stats.Entries > c.maxEntries || c.stats.Bytes > c.maxBytes {
		c.remove(c.order.Back().Value.(*cached).key)
	}
}

// update changes an entry's freshness where it is still kept.
func (c *Cache) update(key string, change func(*Entry)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element := c.entries[key]; element != nil {
		change(&element.Value.(*cached).entry)
	}
}

func (c *Cache) remove(key string) {
	element := c.entries[key]
	if element == nil {
		return
	}
	c.order.Remove(element)
	delete(c.entries, key)
	c.stats.Entries--
	c.stats.Bytes -= element.Value.(*cached).entry.size
}

// Remove forgets one entry.
func (c *Cache) Remove(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
}

// ForgetSubject removes a subject's records, numbers and heads. Content is kept, because it never changes.
func (c *Cache) ForgetSubject(subject string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for key, element := range c.entries {
		if element.Value.(*cached).entry.subject == subject {
			c.remove(key)
		}
	}
}

// Clear forgets everything.
func (c *Cache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for key := range c.entries {
		c.remove(key)
	}
}

// Generation is raised by writes and by Clear: a read that began before does not store its result.
func (c *Cache) Generation() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation
}

func (c *Cache) count(change func(*CacheStats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.stats)
}

// Stats are the counts so far.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}
