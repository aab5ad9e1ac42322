//! What is promised of records on disk, with the real binary.

mod folder;
mod full_disk;
mod restart;
mod retention;
mod stop;
