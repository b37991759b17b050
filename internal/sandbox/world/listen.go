package world

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// addresses are where the emulators listen. The product remembers Slack's: messages and response URLs name it.
type addresses struct {
	AWS   string `json:"aws"`
	Slack string `json:"slack"`
}

func (w *World) addresses() addresses {
	return addresses{AWS: strings.TrimPrefix(w.AWS.URL(), "http://"), Slack: strings.TrimPrefix(w.Slack.URL(), "http://")}
}

// listen starts both emulators. If one cannot, the other one does not run on.
func (w *World) listen(at addresses) (*World, error) {
	err := listenAt(w.AWS, at.AWS)
	if err != nil {
		err = fmt.Errorf("start the AWS emulator: %w", err)
	} else if err = listenAt(w.Slack, at.Slack); err != nil {
		err = fmt.Errorf("start the Slack emulator: %w", err)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

type starter interface {
	Start() (string, error)
	StartAt(addr string) (string, error)
}

// listenAt listens on an address of the loopback interface, or else on any free port of it.
func listenAt(s starter, addr string) error {
	if a, err := netip.ParseAddrPort(addr); err == nil && a.Addr().IsLoopback() {
		if _, err := s.StartAt(addr); err == nil {
			return nil
		}
	}
	_, err := s.Start()
	return err
}
