// Package page shows a stage in a browser: an emulated Slack client, the inbox, the accounts of the organization, the clock
// and what goes wrong, all on one page that the server renders. It owns places (what one browser looks at, all of it in the
// address) and what people click; it must not know how the product works, nor change the world but as a person would.
package page
