package aws

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/keyturn/keyturn/internal/rotation"
)

// administrators are AWS's own policies that let a user do nearly everything, or give itself the right to (IAM User Guide,
// "AWS managed policies for job functions").
var administrators = regexp.MustCompile(`^arn:aws[a-z-]*:iam::aws:policy/(AdministratorAccess|IAMFullAccess|PowerUserAccess)$`)

// AdminPolicies implements scheduler.IAM. It asks for the policies of the user and of each of its groups. Where that is refused
// Problem says so, and Names are those that were found before.
func (u users) AdminPolicies(ctx context.Context, name rotation.UserName) (rotation.AdminPolicies, error) {
	var out rotation.AdminPolicies
	found, err := u.attached(ctx, name)
	switch {
	case denied(err):
		out.Problem = "keyturn's role may not list policies"
	case err != nil:
		return out, failed(fmt.Sprintf("list the policies of user %s in %s", name, u.account), err, kindsOf(err)...)
	}
	for _, arn := range found {
		if m := administrators.FindStringSubmatch(arn); m != nil && !slices.Contains(out.Names, m[1]) {
			out.Names = append(out.Names, m[1])
		}
	}
	slices.Sort(out.Names)
	return out, nil
}

// attached lists the ARNs of the policies that are attached to a user or to one of its groups. With an error come those that
// it found.
func (u users) attached(ctx context.Context, name rotation.UserName) (arns []string, err error) {
	own := iam.NewListAttachedUserPoliciesPaginator(u.iam.ListAttachedUserPolicies, &iam.ListAttachedUserPoliciesInput{UserName: awssdk.String(string(name))})
	for own.HasMorePages() {
		page, err := own.NextPage(ctx)
		if err != nil {
			return arns, err
		}
		for _, p := range page.AttachedPolicies {
			arns = append(arns, awssdk.ToString(p.PolicyArn))
		}
	}
	groups := iam.NewListGroupsForUserPaginator(u.iam.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: awssdk.String(string(name))})
	for groups.HasMorePages() {
		page, err := groups.NextPage(ctx)
		if err != nil {
			return arns, err
		}
		for _, g := range page.Groups {
			of := iam.NewListAttachedGroupPoliciesPaginator(u.iam.ListAttachedGroupPolicies, &iam.ListAttachedGroupPoliciesInput{GroupName: g.GroupName})
			for of.HasMorePages() {
				page, err := of.NextPage(ctx)
				if err != nil {
					return arns, err
				}
				for _, p := range page.AttachedPolicies {
					arns = append(arns, awssdk.ToString(p.PolicyArn))
				}
			}
		}
	}
	return arns, nil
}
