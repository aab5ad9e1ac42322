//! [`misspelt`]: variables that look like settings.

use clap::Command;

/// The longest way from a name to another that somebody may have meant, in letters added, taken, changed or swapped.
const FARTHEST: usize = 1;
/// Among shorter names, other programs have neighbours: `PORT` and `SORT`.
const SHORTEST: usize = 6;

/// A sentence for each of these variables that nothing reads and that is one slip away from a setting of the command: what is
/// misspelt would otherwise be silent.
pub fn misspelt(command: &Command, given: impl IntoIterator<Item = String>) -> Vec<String> {
    let settings = command
        .get_arguments()
        .filter_map(|setting| setting.get_env()?.to_str());
    let settings: Vec<&str> = settings.collect();
    let sentence = |name: String| {
        if name.len() < SHORTEST || settings.contains(&name.as_str()) {
            return None;
        }
        let is_near = |setting: &&&str| strsim::damerau_levenshtein(setting, &name) <= FARTHEST;
        let meant = settings.iter().find(is_near)?;
        Some(format!(
            "{name} is set, and nothing reads it: is it meant as {meant}?"
        ))
    };
    given.into_iter().filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn said(names: &[&str]) -> Vec<String> {
        misspelt(&Cli::command(), names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn a_slip_is_told_with_what_is_meant() {
        let said = said(&["SERVICE_TOKEN", "ADMIN_TOKNE", "RETENTION_AGES"]);
        for (sentence, meant) in said
            .iter()
            .zip(["SERVICE_TOKENS?", "ADMIN_TOKEN?", "RETENTION_AGE?"])
        {
            assert!(sentence.ends_with(meant), "{sentence}");
        }
        assert_eq!(said.len(), 3);
    }

    #[test]
    fn settings_and_variables_of_others_are_none() {
        let names = [
            "SERVICE_TOKENS",
            "ADMIN_TOKEN",
            "PATH",
            "SORT",
            "HOSTS",
            "HOSTNAME",
            "LANG",
            "NODE_OPTIONS",
        ];
        assert_eq!(said(&names), Vec::<String>::new());
    }
}
