package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/notify"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// meteredStore writes figures of what is saved: the history says what happened.
type meteredStore struct {
	Store
	meter *metric.Meter
	now   func() time.Time

	mu   sync.Mutex
	last map[rotation.ID]int // the last line of each history as it was read here
}

// mostRemembered bounds last. What is forgotten is counted when it is read again.
const mostRemembered = 10_000

func meter(s Store, m *metric.Meter, now func() time.Time) *meteredStore {
	return &meteredStore{Store: s, meter: m, now: now, last: map[rotation.ID]int{}}
}

// GetRotation implements Store.
func (m *meteredStore) GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error) {
	r, err := m.Store.GetRotation(ctx, id)
	if m.failed(err); err == nil {
		m.read(r)
	}
	return r, err
}

// RotationByKey implements Store.
func (m *meteredStore) RotationByKey(ctx context.Context, key rotation.KeyID) (rotation.Rotation, error) {
	r, err := m.Store.RotationByKey(ctx, key)
	if m.failed(err); err == nil {
		m.read(r)
	}
	return r, err
}

// RotationsByAccount implements Store.
func (m *meteredStore) RotationsByAccount(ctx context.Context, a rotation.AccountID, p store.Page) ([]rotation.Rotation, string, error) {
	rs, next, err := m.Store.RotationsByAccount(ctx, a, p)
	m.failed(err)
	for _, r := range rs {
		m.read(r)
	}
	return rs, next, err
}

// SaveRotation implements Store.
func (m *meteredStore) SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	saved, err := m.Store.SaveRotation(ctx, r)
	m.failed(err)
	if err != nil {
		return saved, err
	}
	before, known := m.read(saved)
	for _, line := range saved.History {
		if line.Seq > before && (known || saved.Version == 1) {
			m.line(saved, line)
		}
	}
	return saved, nil
}

// read remembers the last line of a rotation's history, and returns the one that was known.
func (m *meteredStore) read(r rotation.Rotation) (before int, known bool) {
	seq := 0
	if n := len(r.History); n > 0 {
		seq = r.History[n-1].Seq
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before, known = m.last[r.ID]
	if before > seq {
		before = 0 // another episode
	}
	if len(m.last) >= mostRemembered {
		clear(m.last)
	}
	m.last[r.ID] = seq
	return before, known
}

func (m *meteredStore) line(r rotation.Rotation, line rotation.Entry) {
	switch line.Event {
	case rotation.Failed{}.Name():
		step := "look"
		if r.Trouble != nil && r.Trouble.Op != "" {
			step = string(r.Trouble.Op)
		}
		m.meter.Put(metric.StepFailures, 1, metric.Dimension{Name: "Step", Value: step})
		if r.Stuck != nil {
			m.meter.Put(metric.StuckRotations, 1)
		}
	case rotation.GotStuck{}.Name(), rotation.ReplacementLost{}.Name():
		m.meter.Put(metric.StuckRotations, 1)
	case rotation.Denied{}.Name():
		m.meter.Put(metric.Refusals, 1)
	case rotation.Issued{}.Name():
		m.meter.Put(metric.DueToRotatedHours, m.now().Sub(r.DueAt).Hours())
	}
}

// failed counts a failure of the store. That something is not there, or was changed by somebody else, is none.
func (m *meteredStore) failed(err error) {
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict), errors.Is(err, context.Canceled):
	case errors.Is(err, store.ErrNewer):
		m.meter.Put(metric.UnknownRecords, 1)
	default:
		m.meter.Put(metric.StoreErrors, 1)
	}
}

// delivered counts a message that was taken, or was not. That its reader is not there is no failure of the delivery.
func delivered(m *metric.Meter, target string, err error) {
	switch {
	case err == nil:
		m.Put(metric.Deliveries, 1, metric.Dimension{Name: "Target", Value: target})
	case errors.Is(err, notify.ErrNoUser), errors.Is(err, notify.ErrGone):
	default:
		m.Put(metric.DeliveryFailures, 1, metric.Dimension{Name: "Target", Value: target})
	}
}

type meteredSlack struct {
	notify.Slack
	meter *metric.Meter
}

// Post implements notify.Slack.
func (s meteredSlack) Post(ctx context.Context, channel, text string, blocks []slack.Block) (in, ts string, err error) {
	in, ts, err = s.Slack.Post(ctx, channel, text, blocks)
	delivered(s.meter, "slack", err)
	return in, ts, err
}

// Update implements notify.Slack.
func (s meteredSlack) Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error {
	err := s.Slack.Update(ctx, channel, ts, text, blocks)
	delivered(s.meter, "slack", err)
	return err
}

type meteredMail struct {
	notify.Mailer
	meter *metric.Meter
}

// Send implements notify.Mailer.
func (s meteredMail) Send(ctx context.Context, to string, m templates.Mail) error {
	err := s.Mailer.Send(ctx, to, m)
	delivered(s.meter, "mail", err)
	return err
}
