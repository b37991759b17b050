// Package audit walks every chain of entries that keyturn keeps: the history of each rotation, and the chains of what
// belongs to none. It verifies them, anchors their heads outside, and writes them out.
//
// A chain shows a changed, missing or reordered entry by itself. That its end was cut off, or that all of it was written
// anew, only an anchor shows: a digest of all heads, signed daily by a key that whoever can write the store cannot use.
//
// It must not know any database, AWS, or how its results are shown.
package audit
