package dynamo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Every item of the table. PART is a name as part() writes it; EP an episode, SEQ a number and TIME a time as they sort.
//
//	kind       pk                    sk                       what it is
//	rotation   rotation#PART(id)     head                     the present rotation of a user; in all four indexes
//	history    rotation#PART(id)     head#EP#FIRST#HASH       older lines of its history
//	episode    rotation#PART(id)     past#EP                  an earlier, closed rotation of the user
//	history    rotation#PART(id)     past#EP#FIRST#HASH       older lines of its history
//	key        key#PART(key)         PART(id)                 a rotation that names the key, or once did
//	snapshot   snapshot#PART(acct)   head                     what the last scan knew of an account; in index list
//	chunk      snapshot#PART(acct)   part#GENERATION#N        a piece of a large one
//	exemption  exemption#PART(acct)  PART(user)               the exemption of a user; in index list
//	request    request               PART(acct)#PART(user)    a request that nobody has served yet
//	chain      chain#PART(name)      chain                    says that there is such a chain of entries; in index list
//	entry      entry#PART(name)      SEQ                      an entry of it
//	state      state#PART(name)      state                    a note that the process keeps
//	run        run#PART(id)          head                     a scan over many messages: what it began with, what is done
//	part       run#PART(id)          part#N                   what one of its messages has done
//	chunk      run#PART(id)          part#N#HASH#N            a piece of it, if it is large
//
//	index      partition key            sort key        items
//	list       rotation#SHARD           PART(id)        rotations
//	           snapshot                 PART(acct)      snapshots
//	           exemption                A#U             exemptions; A and U as in request
//	           chain                    PART(name)      chains
//	owner      owner#PART(owner)        PART(id)        rotations that have an owner
//	account    account#PART(acct)       PART(id)        rotations that have an account
//	due        due#SHARD                TIME#PART(id)   rotations whose next_at is set
//
// A head sorts before what belongs to it. A query reads in that order, so whatever a head names was written before it was
// read.

// The attributes that whoever reads the table's stream may rely on.
const (
	AttrKind = "kind" // S, on every item
	AttrID   = "id"   // S, the rotation's ID, on rotations and the pointers to them; the account, on snapshots; the name, on chains
	AttrWake = "wake" // S "1" on a rotation that the stream's consumer should look at, absent otherwise
	AttrBody = "body" // S, the record as package record writes it, on rotations, exemptions and requests
	AttrTTL  = "ttl"  // N, epoch seconds, on runs alone

	KindRotation = "rotation"
	KindRequest  = "request"
)

// The other kinds.
const (
	kindHistory   = "history"
	kindEpisode   = "episode"
	kindKey       = "key"
	kindSnapshot  = "snapshot"
	kindChunk     = "chunk"
	kindExemption = "exemption"
	kindState     = "state"
	kindRun       = "run"
	kindPart      = "part"
	kindChain     = "chain"
	kindEntry     = "entry"
)

// The other attributes.
const (
	attrPK      = "pk"
	attrSK      = "sk"
	attrSchema  = "schema"  // N, of the record: what a newer version wrote stays
	attrVersion = "version" // N, of a rotation or an episode
	attrEpisode = "episode" // N
	attrState   = "state"   // S, for people who look at the table
	attrToken   = "token"   // S, random: who wrote this
	attrPieces  = "pieces"  // L of S, the history that lies elsewhere
	attrWoken   = "woken"   // S, when somebody last woke the rotation
	attrLeaked  = "leaked"  // S, the key that a request reports as leaked
	attrValue   = "value"   // B, of a state
	attrGen     = "gen"     // S, the generation of a snapshot's chunks
	attrChunks  = "chunks"  // N, how many there are
	attrLength  = "length"  // N, bytes of the snapshot's record
	attrParts   = "parts"   // N, of a run
	attrDone    = "done"    // NS, the parts that are done
	attrClosed  = "closed"  // S, the token of who closed it
	attrCloser  = "closer"  // S, the token of who is about to
	attrUntil   = "until"   // N, epoch seconds: when somebody else may
)

const (
	skHead  = "head"
	skPast  = "past"
	skPart  = "part"
	skState = "state"
	skChain = "chain"

	// shards spread what every save writes over partitions of an index: one takes about 1,000 writes a second.
	shards = 8
)

// mostPart bounds a name within a key, in bytes. A sort key may have 1,024, a partition key 2,048 (DynamoDB's quotas).
const mostPart = 400

// part writes a name so that it may stand between "#" in a key, and so that different names stay different, whatever bytes
// they consist of. A name that is too long is written as its hash; no other name looks like that.
func part(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-_.@+=,:/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() > mostPart {
		sum := sha256.Sum256([]byte(name))
		return "%~" + hex.EncodeToString(sum[:])
	}
	return b.String()
}

// key is the primary key of an item.
type key struct{ pk, sk string }

func rotationPK(id rotation.ID) string { return "rotation#" + part(string(id)) }
func headKey(id rotation.ID) key       { return key{rotationPK(id), skHead} }
func pastKey(id rotation.ID, episode int) key {
	return key{rotationPK(id), skPast + "#" + sortable(episode)}
}
func pointerPK(k rotation.KeyID) string { return "key#" + part(string(k)) }
func snapshotKey(account rotation.AccountID) key {
	return key{"snapshot#" + part(string(account)), skHead}
}
func stateKey(name string) key { return key{"state#" + part(name), skState} }
func runKey(id string) key     { return key{"run#" + part(id), skHead} }

// historyKey is where a piece of the history of an episode lies, beside the present rotation or beside the earlier ones. It
// carries the hash of what it holds, so that two savers never write different lines to one place.
func historyKey(id rotation.ID, beside string, episode int, p piece) key {
	return key{rotationPK(id), fmt.Sprintf("%s#%s#%010d#%s", beside, sortable(episode), p.first, p.hash)}
}

func exemptionPK(account rotation.AccountID) string { return "exemption#" + part(string(account)) }

func exemptionKey(account rotation.AccountID, user rotation.UserID) key {
	return key{exemptionPK(account), part(string(user))}
}

const requestPK = "request"

func requestKey(account rotation.AccountID, user rotation.UserID) key {
	return key{requestPK, accountUser(account, user)}
}

func accountUser(account rotation.AccountID, user rotation.UserID) string {
	return part(string(account)) + "#" + part(string(user))
}

func chunkKey(account rotation.AccountID, gen string, n int) key {
	return key{snapshotKey(account).pk, fmt.Sprintf("%s#%s#%05d", skPart, gen, n)}
}

func runPartKey(id string, n int) key { return key{runKey(id).pk, fmt.Sprintf("%s#%010d", skPart, n)} }

func runChunkKey(id string, n int, gen string, chunk int) key {
	return key{runKey(id).pk, fmt.Sprintf("%s#%s#%05d", runPartKey(id, n).sk, gen, chunk)}
}

// A chain and its entries lie apart, so that each kind has a partition of its own: the last entry is the last item.
func chainKey(name string) key     { return key{"chain#" + part(name), skChain} }
func entriesPK(name string) string { return "entry#" + part(name) }

func entryKey(chain string, seq int) key { return key{entriesPK(chain), sortable(seq)} }

// The partitions of the indexes.
const (
	listSnapshots  = "snapshot"
	listExemptions = "exemption"
	listChains     = "chain"
)

func listPK(shard int) string                     { return fmt.Sprintf("rotation#%d", shard) }
func duePK(shard int) string                      { return fmt.Sprintf("due#%d", shard) }
func ownerPK(owner string) string                 { return "owner#" + part(owner) }
func accountPK(account rotation.AccountID) string { return "account#" + part(string(account)) }
func dueSK(at time.Time, id rotation.ID) string   { return sortableTime(at) + "#" + part(string(id)) }
func dueUntil(now time.Time) string               { return sortableTime(now) + "#~" } // no part begins with "~"
func shardOf(id rotation.ID) int {
	h := fnv.New32a()
	h.Write([]byte(id)) //nolint:errcheck // a hash takes everything
	return int(h.Sum32() % shards)
}

// sortable writes a number so that text sorts as numbers do.
func sortable[T int | int64](n T) string { return fmt.Sprintf("%016x", uint64(n)^(1<<63)) }

// sortableTime writes any time so that text sorts as times do.
func sortableTime(t time.Time) string {
	return fmt.Sprintf("%s%08x", sortable(t.Unix()), t.Nanosecond())
}
