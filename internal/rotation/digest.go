package rotation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Digest identifies what an approver was shown: what happens to which keys, for whom, and how long the periods are. An
// approval counts only for the digest that it was given for.
func (r Rotation) Digest() string {
	var b strings.Builder
	put := func(parts ...any) {
		for _, p := range parts {
			s := fmt.Sprint(p)
			fmt.Fprintf(&b, "%d:%s,", len(s), s)
		}
	}
	put(r.ID, r.Episode, r.Kind, r.Old.ID, r.LastActive, r.Owner)
	if r.Evict != nil {
		put("evict", r.Evict.ID)
	}
	for _, c := range r.Choices {
		put("choice", c.Remove, c.Rotate)
	}
	put(day(r.DueAt), r.Policy.InstallGrace, r.Policy.RecoveryGrace, r.Policy.QuietPeriod)
	switch {
	case r.Policy.Mode == ModeAuto:
		put("auto", r.Policy.Notice)
	case r.Policy.OnTimeout == TimeoutApprove:
		put("approved after", r.Policy.AnswerWithin)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}
