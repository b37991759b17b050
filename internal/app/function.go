package app

import "fmt"

// Function is one of the three Lambda functions.
type Function string

// The functions.
const (
	Bot       Function = "bot"
	Scheduler Function = "scheduler"
	Rotator   Function = "rotator"
)

// ParseFunction reads the value of KEYTURN_ROLE.
func ParseFunction(s string) (Function, error) {
	switch f := Function(s); f {
	case Bot, Scheduler, Rotator:
		return f, nil
	case "":
		return "", fmt.Errorf("KEYTURN_ROLE is not set: it says which function this is: %s, %s or %s", Bot, Scheduler, Rotator)
	default:
		return "", fmt.Errorf("KEYTURN_ROLE is %q: it is %s, %s or %s", s, Bot, Scheduler, Rotator)
	}
}
