package slackemu

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

func TestGroups(t *testing.T) {
	s, api := start(t, &bot{})
	of := func(id string, want ...string) {
		t.Helper()
		got, err := api.GetUserGroupMembers(id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	gone := func(id string) {
		t.Helper()
		_, err := api.GetUserGroupMembers(id)
		wantCode(t, err, "no_such_subteam")
	}
	s.PutGroup(Group{ID: "S0SEC", Handle: "secops", Members: []string{ann, ben}})
	of("S0SEC", ann, ben)
	s.LeaveGroup("S0SEC", ben)
	of("S0SEC", ann)
	if got := s.Render(Message{Channel: keys, Text: "ask <!subteam^S0SEC> or <!subteam^S0NONE> or <!subteam^S0NONE|@label>"}); got != "ask @secops or @S0NONE or @label" {
		t.Errorf("it reads %q", got)
	}
	s.RemoveGroup("S0SEC")
	gone("S0SEC")
	if got := must(api.GetUserGroupMembers("S0SEC", slack.GetUserGroupMembersOptionIncludeDisabled(true))); len(got) != 1 {
		t.Errorf("a disabled group, asked for, has %v", got)
	}
	s.AddGroup("S0SEC", ben)
	of("S0SEC", ben)
	s.LeaveGroup("S0SEC", ben)
	of("S0SEC", []string{}...)
	s.RemoveGroup("S0NONE")
	s.LeaveGroup("S0NONE", ann)
	gone("S0NONE")
	_, err := api.GetUserGroupMembers("")
	wantCode(t, err, "invalid_arguments")
}
