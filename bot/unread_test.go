package bot

import (
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// A record that cannot be read hides no other, and every list says that it is there.
func TestUnreadRotations(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	e.store.unread = e.store.unread.Add("111122223333/AIDANEWER", store.ErrNewer)
	for _, command := range []string{"mine", "list", "status", "due", "report", "list state:awaiting"} {
		t.Run(command, func(t *testing.T) {
			m := e.says(owner, command)
			wants(t, m.Text, "1 rotation cannot be read")
			wants(t, textOf(m.Blocks.BlockSet), "1 rotation cannot be read", "The log of the bot names them")
		})
	}
	wants(t, e.says(owner, "mine").Text, string(oldKey))
	wants(t, textOf(e.opensHome(owner)), "1 rotation cannot be read", string(oldKey))
}
