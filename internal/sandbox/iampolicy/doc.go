// Package iampolicy reads IAM policy documents and decides what they say to a request, as AWS's documentation has it: an
// explicit deny wins, and what is not allowed is denied. It owns the grammar, the patterns, the policy variables and the
// condition operators. It is pure: it knows no service, no account and no clock, and which condition keys there are it is
// told. What it does not understand is an error when the document is read, never a silent pass.
package iampolicy
