//! What a proxy on the page's own origin promises, whichever it is: the binary's own, nginx and Express as in the examples.

mod claims;
mod page;

/// Each claim of every kind of proxy.
macro_rules! of_every_kind {
    ($($claim:ident)*) => {
        of_every_kind!(binary Binary: $($claim)*);
        of_every_kind!(nginx Nginx: $($claim)*);
        of_every_kind!(express Express: $($claim)*);
    };
    ($module:ident $kind:ident: $($claim:ident)*) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $claim() -> anyhow::Result<()> {
                    let scene = crate::claims::Scene::of(logs_e2e::ProxyKind::$kind).await?;
                    crate::claims::$claim(scene).await
                }
            )*
        }
    };
}

of_every_kind! {
    the_first_event_comes_at_once_and_a_record_while_all_else_is_quiet
    records_come_in_order
    a_reader_that_comes_back_misses_nothing
    an_open_stream_is_changed_and_the_past_is_there
    a_browser_that_leaves_ends_the_gateways_stream
    a_gateway_that_ends_ends_the_browsers_stream
    a_gateway_that_is_down_is_a_clear_error
    nobody_is_who_they_say_they_are
    what_is_seen_is_what_the_sign_on_grants
    a_reader_that_does_not_read_costs_no_memory_and_misses_nothing
}
