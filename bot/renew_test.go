package bot

import (
	"testing"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

func TestExemptionsOfThePolicysBudget(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	e.rules.policy.ExemptCount, e.rules.policy.ExemptTotal, e.rules.policy.ExemptLongest = 2, 60*rotation.Day, 40*rotation.Day
	id := rotation.MakeID(account, "AIDAYOUNG")
	day := func(n int) string { return start.Add(days(n)).Format("2006-01-02") }
	wants(t, e.says(accountOwner, "exempt young@payments until "+day(30)+" vendor").Text, "is exempt until "+day(30))
	e.advance(days(25))
	v := templates.Value{ID: id}
	w := only(t, e.press(click{user: accountOwner, action: "renew", value: v.Encode()}), "OpenView").View
	is(t, w.CallbackID, "renew")
	wants(t, textOf(w.Blocks.BlockSet), "young", "Vendor")
	wants(t, only(t, e.press(click{user: other, action: "renew", value: v.Encode()}), "Respond").Text, "You are not among those")
	f := filledIn{user: accountOwner, action: "renew", value: v, why: "still the vendor", until: day(90)}
	wants(t, e.submit(f).Errors["until"], "until "+day(60)+" at most")
	f.until = day(50)
	wants(t, e.submit(f).Text, "is exempt until "+day(50))
	wants(t, e.submit(f).Text, "is exempt until "+day(50)) // the same once more, as Slack may send it
	if x := e.store.exemptions[id]; x.Why != "still the vendor" || x.Used.Count != 2 {
		t.Fatalf("%+v", x)
	}
	f.until = day(55)
	wants(t, e.submit(f).Errors["until"], "the policy allows no more")
	wants(t, e.says(accountOwner, "exempt young@payments until "+day(52)+" again").Text, "the policy allows no more")
	wants(t, e.says(other, "unexempt young@payments no need").Text, "You are not among those")
	wants(t, e.says(accountOwner, "unexempt young@payments the vendor is done").Text, "is not exempt any more")
	if x := e.store.exemptions[id]; x.InForce(e.clock()) || x.Why != "the vendor is done" || x.By.ID != accountOwner {
		t.Fatalf("%+v", x)
	}
	wants(t, e.says(accountOwner, "unexempt young@payments again").Text, "is not exempt, so there is nothing to end")
	wants(t, e.says(accountOwner, "unexempt in-group@payments x").Text, "exemption group of IAM")
}

// The window of an exemption offers what is left of today's policy, and none opens where nothing is.
func TestExemptWindowAndTheBudget(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	e.rules.policy.ExemptCount, e.rules.policy.ExemptTotal, e.rules.policy.ExemptLongest = 2, 60*rotation.Day, 40*rotation.Day
	e.store.exemptions[r.ID] = rotation.Exemption{Account: account, UserID: r.UserID, From: start.Add(-days(60)), Until: start.Add(-days(15)), Used: rotation.Spent{Count: 1, Total: days(45)}}
	c := click{user: owner, action: "exempt", value: value(r)}
	w := only(t, e.press(c), "OpenView").View
	in := w.Blocks.BlockSet[1].(*slack.InputBlock)
	is(t, in.Hint.Text, "At most until "+start.Add(days(15)).Format("2006-01-02"))
	is(t, in.Element.(*slack.DatePickerBlockElement).InitialDate, start.Add(days(15)).Format("2006-01-02"))
	f := filledIn{user: owner, action: "exempt", value: templates.ValueOf(r), why: "vendor", until: start.Add(days(20)).Format("2006-01-02")}
	wants(t, e.submit(f).Errors["until"], "until "+start.Add(days(15)).Format("2006-01-02")+" at most")
	is(t, e.store.get(t, r.ID).State, rotation.Awaiting)

	e.store.exemptions[r.ID] = rotation.Exemption{Account: account, UserID: r.UserID, From: start.Add(-days(60)), Until: start.Add(-days(15)), Used: rotation.Spent{Count: 2, Total: days(45)}}
	wants(t, only(t, e.press(c), "Respond").Text, "the policy allows no more")
	wants(t, e.submit(f).Errors["until"], "the policy allows no more")
	e.store.fail("GetExemption", errTest)
	wants(t, only(t, e.press(c), "Respond").Text, "Something went wrong")
	is(t, e.store.get(t, r.ID).State, rotation.Awaiting)
}

func TestRenewWhatIsNotThere(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	press := func(user rotation.UserID) string {
		v := templates.Value{ID: rotation.MakeID(account, user)}
		return only(t, e.press(click{user: accountOwner, action: "renew", value: v.Encode()}), "Respond").Text
	}
	wants(t, press("AIDAYOUNG"), "was never exempt")
	wants(t, press("AIDANOBODY"), "not there any more")
	is(t, len(e.store.exemptions), 0)
	// one that ended can be renewed late, and the window says that it is over
	e.store.exemptions[rotation.MakeID(account, "AIDAYOUNG")] = rotation.Exemption{Account: account, UserID: "AIDAYOUNG", UserName: "young", By: everybody()[1].Actor(), From: start.Add(-days(9)), Until: start.Add(-days(1)), Used: rotation.Spent{Count: 1, Total: days(8)}}
	w := only(t, e.press(click{user: accountOwner, action: "renew", value: templates.Value{ID: rotation.MakeID(account, "AIDAYOUNG")}.Encode()}), "OpenView")
	wants(t, w.Text, "was exempt until")
	e.rules.policy.ExemptCount = 1
	wants(t, press("AIDAYOUNG"), "the policy allows no more")
}

// Two people decide on an exemption at the same moment: one of them is told that the other was first, and nothing comes back.
func TestExemptionsMoveUnderneath(t *testing.T) {
	id := rotation.MakeID(account, "AIDAYOUNG")
	day := func(n int) string { return start.Add(days(n)).Format("2006-01-02") }
	for name, do := range map[string]func(e *bench) string{
		"renew": func(e *bench) string {
			return e.submit(filledIn{user: accountOwner, action: "renew", value: templates.Value{ID: id}, why: "longer", until: day(50)}).Text
		},
		"exempt": func(e *bench) string {
			return e.says(accountOwner, "exempt young@payments until "+day(50)+" longer").Text
		},
		"unexempt": func(e *bench) string { return e.says(accountOwner, "unexempt young@payments over").Text },
	} {
		t.Run(name, func(t *testing.T) {
			e := newBench(t)
			e.kept(opened(rotation.Awaiting))
			wants(t, e.says(accountOwner, "exempt young@payments until "+day(30)+" vendor").Text, "is exempt until")
			e.advance(days(1))
			moved := false
			e.store.before = func(method string) {
				if method == "SaveExemption" && !moved {
					moved = true
					e.store.mu.Lock()
					defer e.store.mu.Unlock()
					x := e.store.exemptions[id]
					x.Until, x.Why = e.clock(), "somebody else ended it"
					e.store.exemptions[id] = x
				}
			}
			wants(t, do(e), "changed by somebody else just now")
			is(t, e.store.exemptions[id].Why, "somebody else ended it")
		})
	}
}
