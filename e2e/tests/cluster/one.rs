//! What concerns a stream works whichever gateway is asked.
