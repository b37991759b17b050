package templates

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// overAge says how far the old key is past the age of the policy, or how long it has until then.
func overAge(r rotation.Rotation, v View) string {
	age := span(r.Policy.RotateAfter)
	if r.Policy.RotateAfter <= 0 || r.Old.Created.IsZero() {
		return ""
	}
	switch d := v.Now.Sub(r.Old.Created.Add(r.Policy.RotateAfter)).Truncate(rotation.Day); {
	case d >= rotation.Day:
		return fmt.Sprintf(", *%s over* the %s of the policy", days(int(d/rotation.Day)), age)
	case d <= -rotation.Day:
		return fmt.Sprintf(", %s below the %s of the policy", days(int(-d/rotation.Day)), age)
	default:
		return fmt.Sprintf(", at the %s of the policy", age)
	}
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// newUse says whether the new key has been used by somebody else than keyturn.
func newUse(n rotation.NewKey, v View) string {
	switch {
	case n.InUse.Kind == rotation.UseSeen:
		return fmt.Sprintf("in use: %s in %s, %s", short(n.InUse.Service), short(n.InUse.Region), v.when(n.InUse.At))
	default:
		return "*not used yet*"
	}
}

// access says what else the user can do: it decides how much a key is worth to a thief.
func access(r rotation.Rotation) string {
	console := "no console password"
	if r.Console {
		console = "has a console password"
	}
	switch a := r.Admin; {
	case a == nil:
		return console
	case a.Problem != "" && len(a.Names) > 0:
		return console + "; *administrator* by " + esc(strings.Join(a.Names, ", "), 200) + "; others not known (" + esc(a.Problem, 100) + ")"
	case a.Problem != "":
		return console + "; administrator policies not known (" + esc(a.Problem, 100) + ")"
	case len(a.Names) > 0:
		return console + "; *administrator* by " + esc(strings.Join(a.Names, ", "), 200)
	default:
		return console + "; no administrator policy attached"
	}
}
