//! An [`El`] as a view of Leptos.

use leptos::{
    prelude::*,
    tachys::{
        html::attribute::{Attribute, any_attribute::AnyAttribute},
        hydration::Cursor,
        view::{Position, PositionState},
    },
};
use send_wrapper::SendWrapper;

use super::El;

impl El {
    /// As a view.
    pub(crate) fn into_view(self) -> AnyView {
        Made(SendWrapper::new(self)).into_any()
    }
}

/// A node that is there already. It takes no attributes, and comes from no server.
struct Made(SendWrapper<El>);

/// Where it is.
struct MadeState(El);

impl Render for Made {
    type State = MadeState;

    fn build(self) -> MadeState {
        MadeState(self.0.take())
    }

    fn rebuild(self, state: &mut MadeState) {
        let new = self.0.take();
        state.0.put_before(&new);
        state.unmount();
        state.0 = new;
    }
}

impl AddAnyAttr for Made {
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self {
        self
    }
}

impl RenderHtml for Made {
    type AsyncOutput = Self;
    type Owned = Self;
    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {}

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> MadeState {
        self.build()
    }

    fn into_owned(self) -> Self {
        self
    }
}

impl Mountable for MadeState {
    fn unmount(&mut self) {
        self.0.remove();
    }

    fn mount(&mut self, parent: &web_sys::Element, marker: Option<&web_sys::Node>) {
        // Fails where the marker is no child of the parent.
        let _ = parent.insert_before(&self.0, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        let Some(parent) = self.0.parent_element() else {
            return false;
        };
        child.mount(&parent, Some(&self.0));
        true
    }

    fn elements(&self) -> Vec<web_sys::Element> {
        vec![self.0.clone().into()]
    }
}
