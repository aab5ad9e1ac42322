//! Publishes log records to a logs gateway.
