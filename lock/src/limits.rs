//! Every bound of the library, with its reason. A bound is the network's where the network has one,
//! because a message that it takes must be taken here, and one that it refuses must not.

/// The largest message that is read, in bytes: the largest answer that a node takes from the
/// control server. A checkpoint that uses every other bound to the full is a thirtieth of it.
pub const MAX_MESSAGE: usize = 10 << 20;

/// How deep arrays and maps may lie in each other, the outermost counting as one.
pub const MAX_DEPTH: usize = 16;
/// Elements of one array.
pub const MAX_ELEMENTS: u64 = 4096;
/// Pairs of one map.
pub const MAX_PAIRS: u64 = 1024;

/// Votes of one key.
pub const MAX_VOTES: u64 = 4096;
/// Bytes of the names and values of a key's metadata, together.
pub const MAX_META: usize = 512;
/// Keys of a checkpoint. A chain of additions may pass it; its next checkpoint cannot.
pub const MAX_KEYS: usize = 512;
/// Disablement values of a checkpoint.
pub const MAX_DISABLEMENT_VALUES: usize = 32;
/// The length of a disablement value, in bytes: the output of the key derivation.
pub const DISABLEMENT_LENGTH: usize = 32;

/// Updates that are walked, back or forward, to find a state. A chain of 2,000 updates without a
/// checkpoint opens, one more and the network's nodes refuse it.
pub const MAX_SCAN: usize = 2000;
/// Updates walked back from the head to make or to use a sync offer.
pub const MAX_OFFER_SCAN: usize = 1000;
/// Updates after which a batch is closed with a checkpoint.
pub const CHECKPOINT_EVERY: usize = 50;
/// Updates that compaction keeps at least.
pub const COMPACTION_MIN_CHAIN: usize = 24;
/// How long compaction keeps an update at least: two weeks, in seconds.
pub const COMPACTION_MIN_AGE: i64 = 14 * 24 * 60 * 60;

/// Node keys that a node-key signature lists before the oldest are trimmed: one more rotation over
/// them, with the signature they began with, is just as deep as `MAX_DEPTH` lets it be.
pub const MAX_ROTATIONS: usize = 15;

/// The longest pre-signed auth key, in bytes. Ordinary ones have about 340; the daemon takes a
/// request of 12 KiB to make one.
pub const MAX_AUTH_KEY: usize = 12 << 10;
/// The longest deep link, in bytes. One is read off a screen or a QR code, which holds 3 KiB at most.
pub const MAX_DEEP_LINK: usize = 8 << 10;

/// Files in a store's folder, more than a chain can ever open with, so that a folder that is
/// something else is noticed before it is read whole.
pub const MAX_RECORDS: usize = 100_000;
