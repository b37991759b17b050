package templates

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Would says in one plain line what keyturn would ask for or report, for a dry run on the command line.
func Would(p rotation.Policy, q rotation.Proposal) string {
	f := FindingView{Policy: p, Proposal: q}
	ask := "keyturn would ask to "
	if p.Mode == rotation.ModeAudit {
		ask = "keyturn would only report it (mode audit); in mode approve it would ask to "
	}
	return fmt.Sprintf("%s: %s %s%s.", Clean(string(q.Old)), reason(q.Reason, p), ask, f.would())
}
