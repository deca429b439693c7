package schemaregistry

import (
	"context"
	"net/http"
	"net/url"

	"github.com/llm/schema-registry-go/internal/engine"
)

type page[Item any] struct {
	Items      []Item `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// Pages iterates a list and fetches its pages as they are needed:
//
//	for pages.Next() { use(pages.Value()) }
//	return pages.Err()
type Pages[Item any] struct {
	fetch   func(cursor string) (page[Item], error)
	current page[Item]
	index   int
	begun   bool
	err     error
}

func newPages[Item any](fetch func(string) (page[Item], error)) *Pages[Item] {
	return &Pages[Item]{fetch: fetch}
}

func listPages[Item any](ctx context.Context, c *Client, name, path string, query url.Values) *Pages[Item] {
	return newPages(func(cursor string) (page[Item], error) {
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var answer page[Item]
		err := c.ask(ctx, engine.Operation{Name: name, Method: http.MethodGet, Path: path, Query: query}, &answer)
		return answer, err
	})
}

// Next moves to the next item. A page may be empty and still not be the last; only a missing cursor ends the list.
func (p *Pages[Item]) Next() bool {
	p.index++
	for !p.begun || p.index >= len(p.current.Items) {
		if p.err != nil || p.begun && p.current.NextCursor == "" {
			return false
		}
		p.current, p.err = p.fetch(p.current.NextCursor)
		p.begun, p.index = true, 0
	}
	return p.err == nil
}

// Value is the item that Next moved to.
func (p *Pages[Item]) Value() Item { return p.current.Items[p.index] }

// Err is what ended the list early, or nil.
func (p *Pages[Item]) Err() error { return p.err }

// All reads the rest of the list; for lists known to be short.
func (p *Pages[Item]) All() ([]Item, error) {
	var items []Item
	for p.Next() {
		items = append(items, p.Value())
	}
	return items, p.Err()
}
