package schemaregistry_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	schemaregistry "github.com/llm/schema-registry-go"
)

// nowhere is an address of this machine at which nothing listens.
func nowhere(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func TestRefusesWhatNoCallCouldBeMadeWith(t *testing.T) {
	for address, options := range map[string][]schemaregistry.Option{
		"localhost:8080":  nil,
		"://":             nil,
		"ftp://localhost": nil,
		"http://a":        {schemaregistry.WithTimeout(0)},
		"http://b":        {schemaregistry.WithAttemptTimeout(-time.Second)},
		"http://c":        {schemaregistry.WithMaxAttempts(0)},
		"http://d":        {schemaregistry.WithHeadLifetime(5*time.Minute + time.Millisecond)},
		"http://e":        {schemaregistry.WithApp("billing\n2")},
		"http://f":        {schemaregistry.WithApp(strings.Repeat("x", 65))},
		"http://g":        {schemaregistry.WithCacheSize(-1, 0)},
	} {
		if _, err := schemaregistry.NewClient(address, options...).Health(context.Background()); !errors.Is(err, schemaregistry.ErrConfiguration) {
			t.Errorf("%s gave %v", address, err)
		}
	}
}

func TestTakesOptionsAtTheirLimits(t *testing.T) {
	client := schemaregistry.NewClient(nowhere(t)+"/base/", schemaregistry.WithApp(strings.Repeat("x", 64)), schemaregistry.WithHeadLifetime(5*time.Minute), schemaregistry.WithMaxAttempts(1))
	if _, err := client.Health(context.Background()); !errors.Is(err, schemaregistry.ErrConnectionLost) {
		t.Errorf("gave %v", err)
	}
}

func TestRefusesATokenThatIsNone(t *testing.T) {
	client := schemaregistry.NewClient(nowhere(t))
	for _, token := range []string{"1.2", "1.2.3", "a.b.c", "1.1234567890123456.0"} {
		if _, err := client.GetSchema(context.Background(), "a", schemaregistry.WithMinToken(token)); !errors.Is(err, schemaregistry.ErrConfiguration) {
			t.Errorf("%s gave %v", token, err)
		}
	}
}

func TestSaysThatNothingWasSentWhereNoConnectionWasMade(t *testing.T) {
	client := schemaregistry.NewClient(nowhere(t), schemaregistry.WithMaxAttempts(1))
	var lost *schemaregistry.ClientError

	_, err := client.Health(context.Background())

	if !errors.As(err, &lost) || lost.MayHaveBeenSent || lost.Unwrap() == nil {
		t.Errorf("gave %+v", err)
	}
}

func TestSurvivesAMetricsHookThatPanics(t *testing.T) {
	client := schemaregistry.NewClient(nowhere(t), schemaregistry.WithMaxAttempts(1), schemaregistry.WithOnEvent(func(schemaregistry.ClientEvent) { panic("mine") }))
	if _, err := client.Health(context.Background()); !errors.Is(err, schemaregistry.ErrConnectionLost) {
		t.Errorf("gave %v", err)
	}
}

func TestWarnsOfAKeyThatCrossesTheNetworkInPlainText(t *testing.T) {
	var lines []string
	debug := schemaregistry.WithDebug(func(line string) { lines = append(lines, line) })
	for _, address := range []string{"http://registry.test", "http://127.0.0.1", "http://[::1]", "http://localhost", "https://registry.test"} {
		schemaregistry.NewClient(address, schemaregistry.WithAPIKey("llmsr_default_k1_s"), debug).Close()
	}
	if len(lines) != 1 || strings.Contains(lines[0], "llmsr_") {
		t.Errorf("said %q", lines)
	}
}

func TestWaitsEndWithTheContext(t *testing.T) {
	client := schemaregistry.NewClient(nowhere(t), schemaregistry.WithRandom(func() float64 { return 0.999 }))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()

	if _, err := client.Health(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("gave %v", err)
	}
	stream := client.Events(ctx, schemaregistry.WithSubjects("a*", "b"), schemaregistry.WithTypes("schema.*"))
	if stream.Next() || !errors.Is(stream.Err(), context.DeadlineExceeded) {
		t.Errorf("the stream ended with %v", stream.Err())
	}
}

type countingTransport struct{ requests atomic.Int32 }

func (c *countingTransport) RoundTrip(*http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return nil, errors.New("refused by the test")
}

func TestUsesTheHTTPClientItIsGiven(t *testing.T) {
	transport := &countingTransport{}
	client := schemaregistry.NewClient("https://registry.test", schemaregistry.WithHTTPClient(&http.Client{Transport: transport}), schemaregistry.WithMaxAttempts(1), schemaregistry.WithBreaker(1, time.Hour))

	for i := 0; i < 2; i++ {
		_, _ = client.Health(context.Background())
	}

	if transport.requests.Load() != 1 || client.CacheStats().Breaker != "open" {
		t.Errorf("%d requests, breaker %s", transport.requests.Load(), client.CacheStats().Breaker)
	}
}

func TestReportsARefusedEventStreamThoughItsBodyNeverEnds(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("{"))
		w.(http.Flusher).Flush()
		<-stop
	}))
	defer server.Close()
	defer close(stop)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	events := schemaregistry.NewClient(server.URL, schemaregistry.WithAttemptTimeout(200*time.Millisecond)).Events(ctx)

	var refused *schemaregistry.APIError
	if events.Next() || !errors.As(events.Err(), &refused) || refused.Status != http.StatusUnauthorized || ctx.Err() != nil {
		t.Errorf("gave %v, with the context's %v", events.Err(), ctx.Err())
	}
}
