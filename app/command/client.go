package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// client calls the public HTTP surface, as any other program would.
type client struct{ base, token string }

// do sends a request and answers the body, or an error that carries what the
// server said about its refusal. Further headers come in pairs.
func (c *client) do(ctx context.Context, method, path, mediaType string, body []byte, headers ...string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", mediaType)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		refused := &refusedError{status: answer.StatusCode, text: fmt.Sprintf("%s %s answered %s: %s", method, path, answer.Status, refusal(data))}
		var p struct{ Code string }
		if json.Unmarshal(data, &p) == nil {
			refused.code = p.Code
		}
		return nil, refused
	}
	return data, nil
}

// refusedError is what a server answered instead of doing what it was asked.
type refusedError struct {
	status     int
	code, text string
}

// Error implements error.
func (e *refusedError) Error() string { return e.text }

// refusal is what a problem document says, or the body as it is where it is none.
// RFC 9457, 3.1 (Members of a Problem Details Object).
func refusal(body []byte) string {
	var p struct {
		Title, Detail string
		Errors        []struct{ Pointer, Detail, Remedy string }
	}
	if json.Unmarshal(body, &p) != nil || p.Title == "" {
		return string(body)
	}
	text := p.Title
	if p.Detail != "" {
		text += " " + p.Detail
	}
	for _, e := range p.Errors {
		text += fmt.Sprintf("\n  %s: %s %s", e.Pointer, e.Detail, e.Remedy)
	}
	return text
}

func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	return c.do(ctx, http.MethodGet, path, "", nil)
}

func (c *client) getJSON(ctx context.Context, path string, into any) error {
	data, err := c.get(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (c *client) post(ctx context.Context, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.send(ctx, http.MethodPost, path, "application/json", data, into)
}

func (c *client) send(ctx context.Context, method, path, mediaType string, body []byte, into any) error {
	data, err := c.do(ctx, method, path, mediaType, body)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// serving are the flags of commands that ask a running server.
type serving struct{ server, tokenFile string }

func (s *serving) flags(cmd *cobra.Command, scope string) {
	cmd.Flags().StringVar(&s.tokenFile, "token-file", "", "file with a token of the scope "+scope+"; - reads standard input")
	cmd.Flags().StringVar(&s.server, "server", "", "address of the server; that of this configuration when not given")
	_ = cmd.MarkFlagRequired("token-file") // fails only for a flag that does not exist
}

func (s *serving) client(cmd *cobra.Command) (*client, error) {
	secret, err := read(cmd, s.tokenFile)
	if err != nil {
		return nil, err
	}
	if s.server == "" {
		if s.server, err = ownAddress(); err != nil {
			return nil, err
		}
	}
	return &client{base: strings.TrimRight(s.server, "/"), token: strings.TrimSpace(string(secret))}, nil
}
