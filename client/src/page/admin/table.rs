//! [`Table`]: rows that can be sorted and searched, of which so many are shown.

use std::cmp::Ordering;

use leptos::prelude::*;

/// How many rows are shown at first, and how many more at a time.
const PORTION: usize = 50;

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Numbers stand at the right, but in the first column, and the largest comes first.
    pub(super) is_number: bool,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Tells it apart from the others.
    pub(super) key: String,
    /// A cell a column.
    pub(super) cells: Vec<Cell>,
}

/// What stands in a column, and what it is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// By this, and then by the text.
    pub(super) number: f64,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::number(0.0, text.into())
    }

    pub(super) const fn number(number: f64, text: String) -> Self {
        Self { text, number }
    }
}

/// By which column, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    column: usize,
    is_descending: bool,
}

/// The rows in which the text occurs, in this order.
fn chosen(mut rows: Vec<Row>, text: &str, order: Order) -> Vec<Row> {
    let text = text.trim().to_lowercase();
    if !text.is_empty() {
        rows.retain(|row| {
            row.cells
                .iter()
                .any(|cell| cell.text.to_lowercase().contains(&text))
        });
    }
    let compare = |one: &Row, other: &Row| -> Ordering {
        let (Some(a), Some(b)) = (one.cells.get(order.column), other.cells.get(order.column)) else {
            return Ordering::Equal;
        };
        let by_cell = a.number.total_cmp(&b.number).then_with(|| a.text.cmp(&b.text));
        let by_cell = if order.is_descending {
            by_cell.reverse()
        } else {
            by_cell
        };
        by_cell.then_with(|| one.key.cmp(&other.key))
    };
    rows.sort_unstable_by(compare);
    rows
}

/// Rows that can be sorted by each column and searched. However many there are, so many are shown and the others counted.
#[component]
pub(super) fn Table(
    /// Its heading.
    title: &'static str,
    /// A word without spaces that is its own.
    id: &'static str,
    columns: &'static [Column],
    /// All rows there are.
    rows: Signal<Vec<Row>>,
    /// By which column they are sorted at first.
    #[prop(default = 0)]
    sorted_by: usize,
    /// What is said where there is none.
    nothing: &'static str,
    /// How many more there are, which the gateway did not tell of.
    #[prop(optional, into)]
    untold: Signal<usize>,
    /// Whether it is never so long that it has to be searched.
    #[prop(optional)]
    is_short: bool,
    /// What can be done with a row.
    #[prop(optional)]
    actions: Option<fn(&Row) -> AnyView>,
    /// What stands beside the heading.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let order = RwSignal::new(Order {
        column: sorted_by,
        is_descending: columns[sorted_by].is_number,
    });
    let most = RwSignal::new(PORTION);
    let found = Memo::new(move |_| chosen(rows.get(), &text.read(), order.get()));
    let keys = move || {
        let keys = |found: &Vec<Row>| {
            found
                .iter()
                .take(most.get())
                .map(|row| row.key.clone())
                .collect::<Vec<_>>()
        };
        found.with(keys)
    };
    let count = Memo::new(move |_| found.with(Vec::len));
    let all = Memo::new(move |_| rows.with(Vec::len));
    let hidden = Memo::new(move |_| count.get().saturating_sub(most.get()));
    let row_of = move |key: String| {
        let row = Memo::new(move |_| found.with(|found| found.iter().find(|row| row.key == key).cloned()));
        let cells = columns.iter().enumerate().map(|(place, column)| {
            let text = move || {
                row.with(|row| {
                    row.as_ref()
                        .and_then(|row| Some(row.cells.get(place)?.text.clone()))
                })
            };
            match place {
                0 => view! { <th scope="row">{text}</th> }.into_any(),
                _ => view! { <td class:logs-number=column.is_number>{text}</td> }.into_any(),
            }
        });
        let actions = actions.map(|actions| {
            let of_row = row.get_untracked().as_ref().map(actions);
            view! { <td class="logs-ends">{of_row}</td> }
        });
        view! { <tr>{cells.collect_view()} {actions}</tr> }
    };
    let heads = columns
        .iter()
        .enumerate()
        .map(|(place, column)| view! { <Head column place order /> });
    let filter = format!("logs-filter-{id}");
    let search = (!is_short).then(|| {
        view! {
            <label class="logs-unseen" for=filter.clone()>{format!("Search the {}", title.to_lowercase())}</label>
            <input
                    id=filter
                    class="logs-input"
                    type="search"
                    placeholder="Search"
                    autocomplete="off"
                    prop:value=text
                    on:input=move |event| text.set(event_target_value(&event))
                />
        }
    });
    let heading = format!("logs-heading-{id}");
    view! {
        <section class="logs-table-section" data-name=id aria-labelledby=heading>
            <div class="logs-table-head">
                <h2 id=heading.clone() class="logs-heading">{title} " " <span class="logs-table-count">{move || all.get() + untold.get()}</span></h2>
                {search}
                {children.map(|children| children())}
            </div>
            <div class="logs-table-scroll" tabindex="0" role="group" aria-labelledby=heading.clone()>
                <table class="logs-table">
                    <thead>
                        <tr>
                            {heads.collect_view()}
                            {actions.map(|_| view! { <th scope="col"><span class="logs-unseen">"Actions"</span></th> })}
                        </tr>
                    </thead>
                    <tbody>
                        <For each=keys key=String::clone let:key>{row_of(key)}</For>
                    </tbody>
                </table>
            </div>
            <Show when=move || count.get() == 0>
                <p class="logs-hint">{move || if all.get() == 0 { nothing } else { "None of them has this text." }}</p>
            </Show>
            <Show when=move || untold.get() != 0>
                <p class="logs-hint">{move || format!("{} more are not listed: less happens with them.", untold.get())}</p>
            </Show>
            <Show when=move || hidden.get() != 0>
                <p class="logs-hint">
                    {move || format!("{} more. ", hidden.get())}
                    <button type="button" class="logs-button" on:click=move |_| most.update(|most| *most += PORTION)>
                        {format!("Show {PORTION} more")}
                    </button>
                </p>
            </Show>
        </section>
    }
}

/// The head of a column: pressed, the rows are sorted by it; pressed again, the other way round.
#[component]
fn Head(column: &'static Column, place: usize, order: RwSignal<Order>) -> impl IntoView {
    let is_right = column.is_number && place > 0;
    let is_sorted = move || order.get().column == place;
    let sort = move |_| {
        order.update(|order| {
            *order = Order {
                column: place,
                is_descending: match order.column == place {
                    true => !order.is_descending,
                    false => column.is_number,
                },
            };
        });
    };
    let sorted = move || {
        is_sorted().then(|| match order.get().is_descending {
            true => "descending",
            false => "ascending",
        })
    };
    let mark = move || match (is_sorted(), order.get().is_descending) {
        (false, _) => "",
        (true, true) => "↓",
        (true, false) => "↑",
    };
    view! {
        <th scope="col" aria-sort=sorted class:logs-number=is_right>
            <button type="button" class="logs-sort" on:click=sort>
                {column.name} <span class="logs-sort-mark" aria-hidden="true">{mark}</span>
            </button>
        </th>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, number: f64) -> Row {
        Row {
            key: key.to_owned(),
            cells: vec![Cell::text(key), Cell::number(number, number.to_string())],
        }
    }

    #[test]
    fn rows_are_found_by_any_cell_and_sorted_by_one() {
        let rows = || vec![row("Beta", 2.0), row("alpha", 10.0), row("gamma", 2.0)];
        let keys = |text: &str, column, is_descending| {
            let order = Order {
                column,
                is_descending,
            };
            let rows = chosen(rows(), text, order).into_iter();
            rows.map(|row| row.key).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys("", 1, true), "alpha Beta gamma");
        assert_eq!(keys("", 1, false), "Beta gamma alpha");
        assert_eq!(keys("", 0, true), "gamma alpha Beta");
        assert_eq!(keys("beta ", 0, false), "Beta");
        assert_eq!(keys("10", 0, false), "alpha");
        assert_eq!(keys("x", 0, false), "");
    }
}
