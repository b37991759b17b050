//go:build functions

package app

import "errors"

// openSQLite is for builds that are functions alone: an embedded database would be a tenth of what they load.
func openSQLite(string) (Store, error) {
	return nil, errors.New("this build of keyturn is for Lambda functions and has no SQLite: set store.dynamodb, or take the usual build")
}
