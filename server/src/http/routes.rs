//! [`Routes`]: paths with what is behind them, and the list of them.

use axum::{
    Router,
    handler::Handler,
    http::Method,
    routing::{self, MethodRouter},
};

/// One thing that can be asked of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// With which method. A path that takes `GET` takes `HEAD` too.
    pub method: Method,
    /// Where. `{name}` stands for one segment that is not empty, `{*name}` for all that is left.
    pub path: String,
    /// By whom.
    pub access: Access,
}

/// Who may ask. What it says is what the handler's extractors refuse: it is for who tests and describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Who holds a service's token.
    Publish,
    /// Who may read, as `AUTH` says.
    Read,
    /// Who holds `ADMIN_TOKEN`.
    Admin,
    /// Everybody, and in production nobody: the path is then not there.
    Development,
}

/// Paths with what is behind them. Nothing gets into the router without being on the list.
pub(crate) struct Routes<S> {
    router: Router<S>,
    list: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(crate) fn new() -> Self {
        Self {
            router: Router::new(),
            list: Vec::new(),
        }
    }

    pub(crate) fn get<T: 'static>(self, path: &str, access: Access, handler: impl Handler<T, S>) -> Self {
        self.add(Method::GET, path, access, routing::get(handler))
    }

    pub(crate) fn post<T: 'static>(self, path: &str, access: Access, handler: impl Handler<T, S>) -> Self {
        self.add(Method::POST, path, access, routing::post(handler))
    }

    pub(crate) fn patch<T: 'static>(self, path: &str, access: Access, handler: impl Handler<T, S>) -> Self {
        self.add(Method::PATCH, path, access, routing::patch(handler))
    }

    fn add(mut self, method: Method, path: &str, access: Access, handler: MethodRouter<S>) -> Self {
        self.router = self.router.route(path, handler);
        self.list.push(Route {
            method,
            path: path.to_owned(),
            access,
        });
        self
    }

    /// These and others.
    pub(crate) fn merge(mut self, others: Self) -> Self {
        self.router = self.router.merge(others.router);
        self.list.extend(others.list);
        self
    }

    /// Puts something around all that are here by now.
    pub(crate) fn around(mut self, wrap: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        self.router = wrap(self.router);
        self
    }

    pub(crate) fn into_router(self) -> Router<S> {
        self.router
    }

    pub(crate) fn into_list(self) -> Vec<Route> {
        self.list
    }
}
