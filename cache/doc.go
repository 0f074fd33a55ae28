// Package cache is a durable map from (space, key) to a row of numbers, with named
// documents beside it, in one bbolt file. A space stands for a function, a key for the
// content it was applied to.
//
// A [Cache] reads. It has the index in memory and the file open only while it reads.
// A [Writer] adds; the lock file <cache>.lock makes it the only one and names it to
// others, and goes with the process. Rows and documents of a commit appear together or
// not at all, also after kill -9 or a power cut. [Verify] checks everything, [Remove] takes
// rows out, [Compact] gives room back, and with Salvage keeps what is sound of a damaged file.
//
//	icebox / document             the ledger: a document, see below
//	blocks / ID / seq / rowblock  a block: one value in a bucket of its own, so that no
//	                              commit copies it; seq is 8 bytes, big-endian
//	docs / name / document        a document
//
//	block     "ICEBLOCK" | version u32 | size of head u32 | seq u64 | rows u32 | dim u32
//	          | dtype u16 | size of ID u16 | size of producer u16 | 0 u16
//	          | ID | producer, JSON | 0… to 8 | keys, 32 bytes each | CRC of all this u32 | 0 u32
//	          | rows | 0… to 1,024 bytes | CRC of all before u32
//	document  "ICEDOCUM" | version u32 | size of name u32 | seq u64 | size of data u64
//	          | name | data | 0… to 1,024 bytes | CRC of all before u32
//
// Numbers are little-endian, CRCs CRC-32C; dtype is 1 for float32, 2 for float16. Every
// value has a sequence number that is never used again. There is no index on disk:
// opening reads the heads, several at a time. The head's own CRC lets keys be trusted
// before the rows are read; rows are checked each time they are used.
//
// bbolt has no checksums on its pages. The ledger, rewritten by each commit, says how
// many rows, blocks and documents there are and sums up their sequence numbers and
// CRCs, so that nothing can go missing or come back unnoticed.
//
// bbolt follows pointers through mapped memory and faults, panics or runs in circles on
// a damaged file. So it only writes here; reading (page.go, tree.go) goes through
// ReadAt, checks every page of the tree and the list of free pages before anything is
// believed or written, and leaves bbolt's lock protocol as it is.
//
// If one of bbolt's two meta pages is damaged the commit before the last counts, as
// after a power cut; [Cache.Recovered] says so and Verify calls it a fault.
package cache
