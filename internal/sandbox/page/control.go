package page

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/sandbox/stage"
)

type switchView struct {
	Name, Title, Text string
	On                bool
}

type clockView struct {
	At     string
	Now    string
	ISO    string
	Passes []string
	Job    stage.Job
	Part   int // of 100
}

type troubleView struct {
	At       string
	Switches []switchView
	Life     string // alive, doomed, dead
	After    string
	Any      bool
}

// troubles are the switches as people read them.
var troubles = map[stage.Trouble][2]string{
	stage.SlackDown:      {"Slack is down", "Every call of Slack's API is answered with 503. What keyturn cannot say now it says later."},
	stage.IAMThrottled:   {"IAM is throttled", "Every call of IAM is refused as too many. Nothing is decided on what could not be read."},
	stage.SecretsFailing: {"Secrets Manager fails", "Every call of Secrets Manager is answered with 500. No key is made that could not be stored."},
}

func (p *Server) clockView(at place) clockView {
	now := p.stage.Clock.Now().UTC()
	out := clockView{At: at.Str(), Now: now.Format("Mon 2 Jan 2006, 15:04"), ISO: now.Format("2006-01-02T15:04Z"), Job: p.stage.Job()}
	for _, x := range passes {
		out.Passes = append(out.Passes, x.Name)
	}
	if out.Job.Total > 0 {
		out.Part = 100 * out.Job.Done / out.Job.Total
	}
	return out
}

func (p *Server) troubleView(at place) troubleView {
	out := troubleView{At: at.Str(), Life: "alive"}
	for _, t := range stage.Troubles {
		s := switchView{string(t), troubles[t][0], troubles[t][1], p.stage.Switched(t)}
		out.Any = out.Any || s.On
		out.Switches = append(out.Switches, s)
	}
	switch life, after := p.stage.Life(); life {
	case stage.Doomed:
		out.Life, out.Any = "doomed", true
	case stage.Dead:
		out.Life, out.After, out.Any = "dead", after, true
	}
	return out
}

// jobSaid is what came of the last long action.
func jobSaid(j stage.Job) string {
	switch {
	case j.Running || j.Name == "":
		return ""
	case j.Err != nil:
		return j.Name + ": " + sentence(j.Err)
	default:
		return fmt.Sprintf("%s %s: %d.", j.Said, "Calls of AWS", j.AWS)
	}
}
