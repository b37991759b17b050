package stage

import (
	"net/http"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// Trouble is something that goes wrong until it is switched off.
type Trouble string

// The switches.
const (
	SlackDown      Trouble = "slack-down"
	IAMThrottled   Trouble = "iam-throttled"
	SecretsFailing Trouble = "secrets-failing"
)

// Troubles lists the switches.
var Troubles = []Trouble{SlackDown, IAMThrottled, SecretsFailing}

// Switched says whether a trouble is on.
func (s *Stage) Switched(t Trouble) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches[t]
}

// Switch switches a trouble on or off.
func (s *Stage) Switch(t Trouble, on bool) {
	s.mu.Lock()
	s.switches[t] = on
	s.Slack.ClearFaults()
	s.AWS.ClearFaults()
	if s.switches[SlackDown] {
		s.Slack.SetFault(slackemu.Fault{Kind: slackemu.FaultStatus, Status: http.StatusServiceUnavailable, Times: -1})
	}
	if s.switches[IAMThrottled] {
		s.AWS.SetFault(awsemu.Fault{Service: "iam", Kind: awsemu.FaultThrottle, Times: -1})
	}
	if s.switches[SecretsFailing] {
		s.AWS.SetFault(awsemu.Fault{Service: "secretsmanager", Kind: awsemu.FaultError, Times: -1})
	}
	s.mu.Unlock()
	s.Changed()
}

// Life is how the product is.
type Life int

// The product lives, will be killed in the middle of its next change of AWS, or was killed.
const (
	Alive Life = iota
	Doomed
	Dead
)

// Life returns how the product is, and the call after which it died.
func (s *Stage) Life() (Life, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.process != nil && s.process.dead.Load():
		return Dead, s.killed
	case s.armed:
		return Doomed, ""
	default:
		return Alive, ""
	}
}

// Kill kills the product at the worst moment: its next call that changes AWS is performed, and it dies before the answer
// comes. It must be started again, or the clock must go on, for anything to happen after that.
func (s *Stage) Kill(on bool) {
	s.mu.Lock()
	s.armed = on && !s.process.dead.Load()
	s.mu.Unlock()
	s.Changed()
}

// watch sees every call of the emulators.
func (s *Stage) watch() {
	s.AWS.OnCall(func(c awsemu.Call) awsemu.Action {
		if c.Phase != awsemu.After || c.Service == "s3" {
			return awsemu.Proceed // the workloads' own
		}
		s.trail.called(c)
		s.jobs.called()
		defer s.Changed()
		if !(Operation{c.Service, c.Operation}).Changes() || c.Failed || c.Role != world.MemberRole || c.Service == "sesv2" {
			return awsemu.Proceed // nothing was changed in a member account, or not by keyturn
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.armed {
			return awsemu.Proceed
		}
		s.armed, s.killed = false, c.Service+":"+c.Operation
		s.die()
		return awsemu.Abort
	})
	s.Slack.OnCall(func(c slackemu.Call) slackemu.Action {
		if life, _ := s.Life(); life == Dead {
			return slackemu.Abort // what is left of a dead process
		}
		if c.Phase == slackemu.After {
			s.Changed()
		}
		return slackemu.Proceed
	})
}

// die kills the process, whose remains end by themselves. It needs mu.
func (s *Stage) die() {
	p := s.process
	p.dead.Store(true)
	s.bot.serve(nil)
	s.dead.Go(func() { _ = p.app.Close() }) // a dead process has nothing to say
}
