package schemaregistry

import "encoding/json"

// Reference is the target of a schema's reference: a version of another subject.
type Reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Problem is a rule that a schema breaks, or a warning about it.
type Problem struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Pointer string `json:"pointer,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// Record is one registered version of a subject.
type Record struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Context string `json:"context"`
	// Version is the semantic version; empty while a draft.
	Version string `json:"version"`
	// VersionNumber is the number within the subject, from 1; 0 while a draft.
	VersionNumber int    `json:"version_number"`
	Format        string `json:"format"`
	Dialect       string `json:"dialect,omitempty"`
	// Content is a JSON value for formats written in JSON, a JSON string for Protobuf. Search hits have none.
	Content     json.RawMessage `json:"content,omitempty"`
	References  []Reference     `json:"references"`
	Contract    json.RawMessage `json:"contract,omitempty"`
	GUID        string          `json:"guid"`
	ConfluentID int             `json:"confluent_id"`
	Fingerprint string          `json:"fingerprint"`
	State       string          `json:"state"`
	Deleted     bool            `json:"deleted,omitempty"`
	Description string          `json:"description"`
	Tags        []string        `json:"tags"`
	Owner       string          `json:"owner"`
	Metadata    map[string]any  `json:"metadata"`
	Role        string          `json:"role"`
	CreatedAt   string          `json:"created_at"`
	CreatedBy   string          `json:"created_by"`
	UpdatedAt   string          `json:"updated_at"`
	Seq         int64           `json:"seq"`
	// Warnings are only in the answer to a registration.
	Warnings []Problem `json:"warnings,omitempty"`
	// Stale says whether it came from an expired cache entry while the registry was away.
	Stale bool `json:"-"`
}

// Content is the immutable part of a version.
type Content struct {
	Format      string          `json:"format"`
	Dialect     string          `json:"dialect,omitempty"`
	Content     json.RawMessage `json:"content"`
	References  []Reference     `json:"references"`
	GUID        string          `json:"guid"`
	Fingerprint string          `json:"fingerprint"`
}

// Subject is a subject with its latest version, counts and settings.
type Subject struct {
	Name    string `json:"subject"`
	Context string `json:"context"`
	Latest  *struct {
		Version       string `json:"version"`
		VersionNumber int    `json:"version_number"`
		ID            string `json:"id"`
	} `json:"latest"`
	Versions        int    `json:"versions"`
	DeletedVersions int    `json:"deleted_versions"`
	Drafts          int    `json:"drafts"`
	Level           string `json:"level"`
	Policy          string `json:"policy"`
	Mode            string `json:"mode"`
	Role            string `json:"role"`
}

// SearchHit is a version that a search found.
type SearchHit struct {
	Record     Record          `json:"record"`
	Score      float64         `json:"score"`
	Highlights json.RawMessage `json:"highlights"`
}

// Witness is a datum that the writer may produce and the reader refuses.
type Witness struct {
	Status       string          `json:"status"`
	Datum        json.RawMessage `json:"datum,omitempty"`
	Binary       string          `json:"binary,omitempty"`
	ReaderResult string          `json:"reader_result,omitempty"`
	ConfirmedBy  string          `json:"confirmed_by,omitempty"`
	Reason       string          `json:"reason,omitempty"`
}

// Difference is one way in which two schemas differ.
type Difference struct {
	Kind          string   `json:"kind"`
	ReaderPointer string   `json:"reader_pointer"`
	WriterPointer string   `json:"writer_pointer"`
	Message       string   `json:"message"`
	Severity      string   `json:"severity"`
	Fix           string   `json:"fix,omitempty"`
	Witness       *Witness `json:"witness,omitempty"`
	VersionNumber int      `json:"version_number,omitempty"`
	Direction     string   `json:"direction,omitempty"`
}

// Verdict is the answer to a compatibility check, and the reason of a refused registration.
type Verdict struct {
	Compatible       bool         `json:"compatible"`
	Level            string       `json:"level"`
	Policy           string       `json:"policy"`
	Differences      []Difference `json:"differences"`
	DifferencesTotal int          `json:"differences_total,omitempty"`
	SuggestedVersion string       `json:"suggested_version,omitempty"`
}

// ValidationError is one place where data violates the schema.
type ValidationError struct {
	Pointer  string `json:"pointer"`
	Message  string `json:"message"`
	Keyword  string `json:"keyword"`
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
}

// ValidationResult says whether data is valid, and why not.
type ValidationResult struct {
	Valid    bool              `json:"valid"`
	Errors   []ValidationError `json:"errors"`
	Warnings []Problem         `json:"warnings"`
	// Engine is "local" where this client decided, else the registry's engine.
	Engine string `json:"engine"`
	// Stale says whether the schema came from an expired cache entry while the registry was away.
	Stale bool `json:"-"`
}

// Projection is a schema rewritten for one model provider.
type Projection struct {
	Profile  string          `json:"profile"`
	Loss     string          `json:"loss"`
	Changes  json.RawMessage `json:"changes"`
	Decoder  json.RawMessage `json:"decoder"`
	Schema   json.RawMessage `json:"schema"`
	Fragment json.RawMessage `json:"fragment"`
}

// DecodedAnswer is one answer of a model, turned back into data of the original schema.
type DecodedAnswer struct {
	Outcome string          `json:"outcome"`
	Value   json.RawMessage `json:"value,omitempty"`
	Errors  json.RawMessage `json:"errors,omitempty"`
	Message string          `json:"message,omitempty"`
}

// Event is one change of the registry: a CloudEvent with the log's seq.
type Event struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Subject string          `json:"subject,omitempty"`
	Time    string          `json:"time"`
	Data    json.RawMessage `json:"data"`
	// Seq is the position to store once the event is handled, and to pass as WithAfter next time.
	Seq int64 `json:"-"`
}
