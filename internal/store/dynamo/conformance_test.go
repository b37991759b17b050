package dynamo_test

import (
	"testing"

	"github.com/keyturn/keyturn/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		s, _ := open(t, table(t))
		return s
	})
}
