//! [`TimeStyle`]: how times are written.

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimeStyle {
    /// As the reader's clock shows it.
    #[default]
    Local,
}
