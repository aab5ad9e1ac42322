//! What `publishers/README.md` says, of the publisher of every language, against the real gateway.

mod crowded;
mod ending;
mod restart;
mod stored;
mod strangers;
mod trouble;

/// Each claim of every language.
macro_rules! of_every_language {
    ($($topic:ident: $($claim:ident)*;)*) => {
        of_every_language!(rust Rust: $($($topic $claim)*)*);
        of_every_language!(python Python: $($($topic $claim)*)*);
        of_every_language!(node Node: $($($topic $claim)*)*);
    };
    ($module:ident $language:ident: $($topic:ident $claim:ident)*) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $claim() -> anyhow::Result<()> {
                    crate::$topic::$claim(logs_e2e::publishers::Language::$language).await
                }
            )*
        }
    };
}

of_every_language! {
    stored:
        every_call_is_stored_as_the_vectors_say
        what_the_gateway_will_not_take_is_counted
        records_are_in_the_order_of_their_calls
        a_record_has_the_time_of_its_call
        large_batches_are_packed_and_small_ones_are_not;
    trouble:
        a_record_whose_answer_is_lost_is_stored_once
        a_gateway_that_comes_back_gets_everything_once
        a_gateway_that_hangs_gets_everything_once_when_it_answers_again
        retry_after_is_obeyed
        a_flush_begins_with_short_waits_again
        a_token_that_is_put_right_is_enough
        a_batch_over_the_rate_is_sent_in_parts
        a_token_is_in_nothing_that_is_said;
    strangers:
        what_no_gateway_answers_is_no_answer
        an_answer_that_drips_takes_no_longer_than_a_request_may
        who_is_told_to_come_back_at_once_does_not_ask_without_end
        what_may_be_stored_is_not_sent_again_in_halves
        a_channel_too_many_holds_nothing_up
        a_name_with_a_colon_is_no_way_into_another_channel
        a_password_in_the_address_is_for_a_proxy_and_in_nothing_that_is_said;
    crowded:
        what_there_is_no_room_for_is_the_oldest_of_the_lowest_level
        what_is_of_a_lower_level_than_all_that_waits_finds_no_room
        bytes_are_bounded_too
        a_call_costs_as_much_whatever_the_gateway_does;
    ending:
        the_end_of_a_program_sends_what_is_left
        a_gateway_that_hangs_does_not_hold_the_end_of_a_program
        a_gateway_that_is_down_does_not_hold_the_end_of_a_program
        close_says_what_was_left;
    restart:
        a_hundred_thousand_records_through_a_crash_are_stored_once_each_or_counted;
}
