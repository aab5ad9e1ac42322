//! Who may publish, read and administer.
//!
//! [`ServiceTokens`] say who may publish where, [`ReadAccess`] how a reader is known and what it may see (its
//! [`ReadScope`]), [`AdminAccess`] who may administer, and [`Revoked`] who may no more, whatever it holds.

mod admin;
mod jwt;
mod proxy;
mod reading;
mod revoked;
mod scope;
mod secret;
mod service_tokens;

pub use self::{
    admin::AdminAccess,
    jwt::{JwtAccess, JwtSettings},
    proxy::ProxyAccess,
    reading::ReadAccess,
    scope::ReadScope,
    service_tokens::{Grant, ServiceTokens},
};
pub(crate) use self::{
    jwt::JwtError,
    proxy::{IdentityError, ProxyIdentity},
    reading::{Credential, Forbidden, ReaderIdentity},
    revoked::{Mark, NoMore, Revocation, Revoked},
    scope::TooManyPatterns,
    secret::{HashedToken, hash},
};
