//! Blocks: neighbouring records of one channel as they lie in Redis and as they are published to the gateways.
