package slackemu

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The bot's paths below BotURL.
const (
	PathCommands     = "/slack/commands"
	PathInteractions = "/slack/interactions"
	PathEvents       = "/slack/events"
)

const mostBotBody = 1 << 20

// ErrTimeout says that the bot did not answer within three seconds; Slack shows the person "operation_timeout".
var ErrTimeout = errors.New("operation_timeout")

// ErrStatus says that the bot answered with another status than 200; Slack shows the person an error.
var ErrStatus = errors.New("the bot's answer is an error")

// Result is what came of a request to the bot.
type Result struct {
	// Status is the bot's HTTP status, zero if there was no answer or nothing was sent.
	Status int
	// Took is how long the bot took to answer.
	Took time.Duration
	Body []byte
	// Ephemeral is the message in the answer to a command, also when the bot asked to show it to the whole channel.
	Ephemeral *Message
	// Errors are shown beside the inputs of a modal, by block_id. With Status zero they come from Slack itself: a required
	// input is empty or a text too short or long, and nothing was sent.
	Errors map[string]string
	// Action is the response_action of a submitted modal.
	Action string
	// Err is ErrTimeout, ErrStatus, or says what the person cannot do or Slack would not accept.
	Err error
}

// sent is the last request to the bot.
type sent struct {
	path   string
	header http.Header
	body   []byte
}

func botClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Sign returns the signature of a body as Slack writes it into X-Slack-Signature: v0, over timestamp and raw body.
func (s *Server) Sign(ts string, body []byte) string {
	h := hmac.New(sha256.New, []byte(s.opt.SigningSecret))
	fmt.Fprintf(h, "v0:%s:", ts)
	h.Write(body)
	return "v0=" + hex.EncodeToString(h.Sum(nil))
}

// SignedHeader returns the headers of a request signed at a given time.
func (s *Server) SignedHeader(contentType string, body []byte, at time.Time) http.Header {
	ts := strconv.FormatInt(at.Unix(), 10)
	return http.Header{
		"Content-Type":              {contentType},
		"X-Slack-Request-Timestamp": {ts},
		"X-Slack-Signature":         {s.Sign(ts, body)},
	}
}

// SendRaw posts anything to the bot, unsigned unless header carries a signature: to forge and to replay.
func (s *Server) SendRaw(path string, header http.Header, body []byte) Result {
	return s.send(path, header, body)
}

// LastRequest returns the last request that was sent to the bot.
func (s *Server) LastRequest() (path string, header http.Header, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.path, s.last.header.Clone(), bytes.Clone(s.last.body)
}

const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

func (s *Server) sendForm(path string, form url.Values) Result {
	body := []byte(form.Encode())
	return s.send(path, s.SignedHeader(typeForm, body, s.real()), body)
}

// sendPayload sends an interaction.
func (s *Server) sendPayload(payload node) Result {
	return s.sendForm(PathInteractions, url.Values{"payload": {string(encode(payload))}})
}

func (s *Server) sendEvent(event node, more http.Header) Result {
	body := encode(event)
	h := s.SignedHeader(typeJSON, body, s.real())
	maps.Copy(h, more)
	return s.send(PathEvents, h, body)
}

// send posts to the bot and reads its answer. It must be called without mu.
func (s *Server) send(path string, header http.Header, body []byte) Result {
	s.mu.Lock()
	base := s.botURL
	s.last = sent{path: path, header: header.Clone(), body: body}
	s.mu.Unlock()
	s.traffic.record(header.Get("Content-Type"), body)

	ctx, cancel := context.WithTimeout(context.Background(), s.ackWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return Result{Err: fmt.Errorf("send to the bot: %w", err)}
	}
	req.Header = header.Clone()
	start := time.Now()
	res := s.exchange(req)
	res.Took = time.Since(start)
	if ctx.Err() != nil {
		return Result{Took: res.Took, Err: ErrTimeout}
	}
	return res
}

func (s *Server) exchange(req *http.Request) Result {
	resp, err := s.client.Do(req)
	if err != nil {
		return Result{Err: fmt.Errorf("send to the bot: %w", err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBotBody+1))
	s.traffic.record(resp.Header.Get("Content-Type"), body)
	res := Result{Status: resp.StatusCode, Body: body}
	switch {
	case err != nil:
		res.Err = fmt.Errorf("read the bot's answer: %w", err)
	case len(body) > mostBotBody:
		res.Err = errors.New("the bot's answer is larger than 1 MiB")
	case resp.StatusCode != http.StatusOK:
		res.Err = fmt.Errorf("%w: status %d", ErrStatus, resp.StatusCode)
	}
	return res
}
