// Package browser drives Debian's chromium for tests of a page that this machine serves: it clicks, types and reads as a person
// does, watches what the page does wrong meanwhile, and audits how it looks. It knows chromium and nothing of the pages. No
// request leaves the machine: the browser resolves no name and reaches no address but the loopback. It does not look into
// frames, shadow roots, workers, or generated content.
package browser
