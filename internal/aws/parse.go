package aws

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

// The columns of the credential report that keyturn reads (IAM User Guide, "Get credential reports"). Others are ignored, so
// that AWS may add some anywhere.
const (
	columnUser     = "user"
	columnARN      = "arn"
	columnCreated  = "user_creation_time"
	columnPassword = "password_enabled"
	columnActive1  = "access_key_1_active"
	columnChanged1 = "access_key_1_last_rotated"
	columnUsed1    = "access_key_1_last_used_date"
	columnActive2  = "access_key_2_active"
	columnChanged2 = "access_key_2_last_rotated"
	columnUsed2    = "access_key_2_last_used_date"
)

var reportColumns = []string{
	columnUser, columnARN, columnCreated, columnPassword,
	columnActive1, columnChanged1, columnUsed1, columnActive2, columnChanged2, columnUsed2,
}

// parseReport reads a credential report by the names of its columns. A report that it does not wholly understand is an
// error: a user who is not seen would never be asked about.
func parseReport(content []byte) ([]scheduler.ReportRow, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))))
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the report is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	at := map[string]int{}
	for i, name := range header {
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("the report has two columns %q", name)
		}
		at[name] = i
	}
	for _, name := range reportColumns {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("the report has no column %q", name)
		}
	}
	var rows []scheduler.ReportRow
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row, err := parseRow(func(column string) string { return fields[at[column]] })
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

func parseRow(get func(column string) string) (scheduler.ReportRow, error) {
	row := scheduler.ReportRow{User: rotation.UserName(get(columnUser)), ARN: get(columnARN)}
	if row.User == "" {
		return row, errors.New("the report has a row without a user")
	}
	bad := func(column string, err error) error {
		return fmt.Errorf("user %q, column %s: %w", get(columnUser), column, err)
	}
	var err error
	if row.Created, err = reportDate(get(columnCreated)); err != nil {
		return row, bad(columnCreated, err)
	}
	if row.Console, err = reportBool(get(columnPassword)); err != nil {
		return row, bad(columnPassword, err)
	}
	for _, slot := range []struct{ active, changed string }{{columnActive1, columnChanged1}, {columnActive2, columnChanged2}} {
		active, err := reportBool(get(slot.active))
		if err != nil {
			return row, bad(slot.active, err)
		}
		changed, err := reportDate(get(slot.changed))
		if err != nil {
			return row, bad(slot.changed, err)
		}
		if active {
			row.Active++
		}
		if active || !changed.IsZero() {
			row.Keys++
		}
	}
	row.Sum = rowSum(get)
	return row, nil
}

// rowSum is the digest by which a scan sees that a user must be read again. Of the last use it has whether there was one and
// not when: keys in constant use would be read by every scan, and whoever decides on a key reads its last use live. The ARN is
// in, because a user who moved to another path may meet another rule.
func rowSum(get func(column string) string) string {
	h := sha256.New()
	for _, column := range reportColumns[1:] {
		v := get(column)
		if (column == columnUsed1 || column == columnUsed2) && !none(v) {
			v = "used"
		}
		fmt.Fprintf(h, "%d:%s;", len(v), v)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// none reports whether AWS says with a word that there is no value.
func none(s string) bool {
	switch strings.ToLower(s) {
	case "", "n/a", "no_information", "not_supported":
		return true
	default:
		return false
	}
}

func reportBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"), none(s):
		return false, nil
	default:
		return false, fmt.Errorf("%q is neither true nor false", s)
	}
}

// reportDate returns zero where there is no date.
func reportDate(s string) (time.Time, error) {
	if none(s) {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date", s)
	}
	return t.UTC(), nil
}
