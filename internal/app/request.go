package app

import (
	"context"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// offer has a rotation worked on soon.
func (a *App) offer(id rotation.ID) { a.queue.Offer(id) }

// offerRequest has a request served soon. One that is lost with the process is served by the next scan.
func (a *App) offerRequest(q rotation.Request) {
	a.requests.Offer(rotation.MakeID(q.Account, q.UserID))
}

// ServeRequest finds the saved request of a user and lets the scheduler serve it. A request that is gone was served.
func (a *App) ServeRequest(ctx context.Context, id rotation.ID) error {
	page := store.Page{Limit: store.MaxPage}
	for {
		qs, next, err := a.Store.ListRequests(ctx, page)
		if err != nil {
			return err
		}
		for _, q := range qs {
			if rotation.MakeID(q.Account, q.UserID) == id {
				return a.Scheduler.Requested(ctx, q)
			}
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}
