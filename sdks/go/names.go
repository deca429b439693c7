package schemaregistry

import (
	"encoding/json"
	"net/url"
	"strings"
)

// splitSubject reads a bare name in a context, or the qualified form ":.ctx:subject".
func splitSubject(name, defaultContext string) (context, subject string) {
	if strings.HasPrefix(name, ":.") {
		if end := strings.IndexByte(name[1:], ':'); end >= 0 {
			return name[1 : end+1], name[end+2:]
		}
	}
	switch {
	case defaultContext == "":
		return ".", name
	case !strings.HasPrefix(defaultContext, "."):
		return "." + defaultContext, name
	}
	return defaultContext, name
}

func qualify(context, subject string) string {
	if context == "." {
		return subject
	}
	return ":" + context + ":" + subject
}

func (c *Client) qualified(subject string) string {
	return qualify(splitSubject(subject, c.config.context))
}

// encode percent-encodes one part of a path by itself.
func encode(part string) string {
	return strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
}

// cacheKey is the JSON text of an array, so that no two names collide.
func cacheKey(parts ...string) string {
	text, _ := json.Marshal(parts)
	return string(text)
}

func join(parts []string) string { return strings.Join(parts, ",") }
