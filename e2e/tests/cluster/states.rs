//! What is wrong with Redis is said.
