//! The statements of a `.env` file, as its readers divide it: most are a line, but a quoted value may go over several.

/// How a reader finds the end of a statement.
#[derive(Debug)]
pub(super) struct Reader {
    /// The quotes that it knows.
    quotes: &'static [char],
    /// The quotes in which a backslash takes the meaning from the next character.
    escaping: &'static [char],
    /// Whether it skips a line whose name has blanks in it.
    has_strict_names: bool,
    /// Whether quotes, comments and backslashes count anywhere in a statement, and not only where a value begins.
    is_shell: bool,
}

impl Reader {
    /// python-dotenv.
    pub(super) const PYTHON: Self =
        Self { quotes: &['\'', '"'], escaping: &['\'', '"'], has_strict_names: true, is_shell: false };
    /// `node --env-file`.
    pub(super) const NODE: Self =
        Self { quotes: &['\'', '"', '`'], escaping: &[], has_strict_names: false, is_shell: false };
    /// A shell that sources the file.
    pub(super) const SHELL: Self =
        Self { quotes: &['\'', '"', '`'], escaping: &['"', '`'], has_strict_names: false, is_shell: true };
}

/// A statement that sets the variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting<'a> {
    /// Where it begins in the file.
    pub(super) start: usize,
    /// The whole of it, with its line ending.
    pub(super) text: &'a str,
    pub(super) is_export: bool,
    /// What follows the `=`.
    after: &'a str,
    /// Whether it does more than to set this variable, or does it in another way than by `NAME=value`.
    pub(super) is_entangled: bool,
}

impl<'a> Setting<'a> {
    pub(super) fn ending(&self) -> &'a str {
        ["\r\n", "\n"].into_iter().find(|ending| self.text.ends_with(ending)).unwrap_or_default()
    }

    /// The value of a statement without quotes and without a comment.
    pub(super) fn value(&self) -> &'a str {
        self.after.trim_end_matches(['\r', '\n'])
    }

    /// The comment behind the value, without the blanks around it.
    pub(super) fn comment(&self) -> Option<&'a str> {
        let value = self.after.trim_start_matches(is_blank);
        let rest = closed(value, &Reader::SHELL).or_else(|| closed(value, &Reader::PYTHON)).unwrap_or(value);
        let mut before = ' ';
        for (at, c) in rest.char_indices() {
            if c == '#' && (before.is_whitespace() || at == 0) {
                return rest.get(at..).map(str::trim_end);
            }
            before = c;
        }
        None
    }
}

/// The statements that set a variable, as this reader finds them.
pub(super) fn settings<'a>(file: &'a str, name: &str, reader: &Reader) -> Vec<Setting<'a>> {
    let mut found = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let end = if reader.is_shell { shell_end(rest) } else { end(rest, reader) };
        let Some((text, after)) = rest.split_at_checked(end.max(1)) else { break };
        found.extend(setting(text, name, file.len() - rest.len()));
        rest = after;
    }
    found
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() && c != '\n' && c != '\r'
}

/// Where a line ends, with its line ending.
fn line_end(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

/// What follows the closing quote, if the text begins with a quote and has a closing one.
fn closed<'a>(text: &'a str, reader: &Reader) -> Option<&'a str> {
    let open = text.chars().next().filter(|c| reader.quotes.contains(c))?;
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' && reader.escaping.contains(&open) {
            chars.next();
        } else if c == open {
            return text.get(at + 1..);
        }
    }
    None
}

/// Where the first statement ends for a reader that takes a quote only where a value begins.
fn end(text: &str, reader: &Reader) -> usize {
    let line = line_end(text);
    let head = text.get(..line).unwrap_or_default();
    if head.trim_start().starts_with('#') {
        return line;
    }
    let Some((name, _)) = head.split_once('=') else { return line };
    if reader.has_strict_names {
        let name = name.trim();
        let name = name.strip_prefix("export").filter(|rest| rest.starts_with(is_blank)).unwrap_or(name).trim_start();
        let is_name = match name.strip_prefix('\'') {
            Some(quoted) => quoted.strip_suffix('\'').is_some_and(|name| !name.is_empty() && !name.contains('\'')),
            None => !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '#'),
        };
        if !is_name {
            return line;
        }
    }
    let value = text.get(name.len() + 1..).unwrap_or_default().trim_start_matches(is_blank);
    match closed(value, reader) {
        Some(rest) => text.len() - rest.len() + line_end(rest),
        None => line,
    }
}

/// Where the first statement ends for a shell.
fn shell_end(text: &str) -> usize {
    Words::new(text).last().map_or(text.len(), |word| word.statement_end)
}

/// A word of a shell statement, or the end of the statement.
struct Word<'a> {
    /// From here to the end of the statement and further.
    rest: &'a str,
    /// What separates it from the word before, as far as it is not a blank.
    is_after_operator: bool,
    /// Where the statement ends, as far as it is known.
    statement_end: usize,
}

/// The words of the first statement of a text, in the way of a shell: quotes, backslashes and comments count anywhere.
struct Words<'a> {
    text: &'a str,
    at: usize,
    is_over: bool,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, is_over: false }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        if self.is_over {
            return None;
        }
        let is_operator = |c: char| ";&|()".contains(c);
        let mut is_after_operator = false;
        let rest = self.text.get(self.at..)?;
        let start = self.at
            + rest
                .find(|c| {
                    is_after_operator |= is_operator(c);
                    !is_blank(c) && !is_operator(c)
                })
                .unwrap_or(rest.len());
        let word = self.text.get(start..)?;
        if word.starts_with(['#', '\n', '\r']) || word.is_empty() {
            self.is_over = true;
            let statement_end = start + line_end(word);
            return Some(Word { rest: "", is_after_operator, statement_end });
        }
        let mut quote = None;
        let mut chars = word.char_indices().peekable();
        let mut length = word.len();
        while let Some((at, c)) = chars.next() {
            match quote {
                Some('\'') if c == '\\' => {}
                _ if c == '\\' => {
                    chars.next();
                }
                Some(open) if c == open => quote = None,
                Some(_) => {}
                None if Reader::SHELL.quotes.contains(&c) => quote = Some(c),
                // `$(command)` and `${NAME:-value}` may go over several lines, too.
                None if c == '$' => {
                    quote = chars
                        .next_if(|(_, next)| "({".contains(*next))
                        .map(|(_, open)| if open == '(' { ')' } else { '}' });
                }
                None if c.is_whitespace() || is_operator(c) => {
                    length = at;
                    break;
                }
                None => {}
            }
        }
        self.at = start + length;
        Some(Word { rest: word, is_after_operator, statement_end: self.text.len() })
    }
}

/// Reads a statement that sets the variable.
fn setting<'a>(text: &'a str, name: &str, start: usize) -> Option<Setting<'a>> {
    let begin = text.trim_start_matches(is_blank);
    let exported = begin.strip_prefix("export").filter(|rest| rest.starts_with(is_blank));
    let own = exported.map_or(begin, |rest| rest.trim_start_matches(is_blank));
    let after_name = match own.strip_prefix('\'') {
        // python-dotenv takes a quoted name.
        Some(quoted) => quoted.strip_prefix(name).and_then(|rest| rest.strip_prefix('\'')),
        None => own.strip_prefix(name),
    };
    let is_name = |rest: &&str| !rest.starts_with(|c: char| c.is_alphanumeric() || "_-.".contains(c));
    let after_name = after_name.filter(is_name);
    let rest = after_name.map(|rest| rest.trim_start_matches(is_blank));
    let is_export = exported.is_some();
    let made = |after, is_entangled| Some(Setting { start, text, is_export, after, is_entangled });
    let own_at = text.len() - own.len();
    // A line of a JSON file.
    if own.strip_prefix('"').and_then(|own| own.strip_prefix(name)).is_some_and(|rest| rest.starts_with('"')) {
        return made("", true);
    }
    match (rest, rest.and_then(|rest| rest.strip_prefix('='))) {
        (_, Some(after)) => made(after, does_more(text, own_at)),
        (Some(rest), None) if rest.trim_end().is_empty() || rest.starts_with('#') => made(rest, false),
        // `NAME+=value`, `NAME[0]=value`, `NAME: value`, `export NAME OTHER`
        (Some(rest), None) if is_export || rest.starts_with(['+', '[', ':']) => made("", true),
        _ if mentions(text, name) => made("", true),
        _ => None,
    }
}

/// Whether a shell does more by the statement than to set the variable at this place.
fn does_more(text: &str, own: usize) -> bool {
    Words::new(text).any(|word| {
        let is_later = text.len() - word.rest.len() > own && !word.rest.is_empty();
        let sets = word.rest.split_once('=').is_some_and(|(name, _)| self::is_name(name));
        word.is_after_operator || is_later && sets
    })
}

fn is_name(text: &str) -> bool {
    super::name(text).is_ok()
}

/// Whether a statement that begins with something else has the variable for one of its words, and so may set it in a shell.
fn mentions(text: &str, name: &str) -> bool {
    let declares = ["export", "declare", "typeset", "readonly", "local", "unset", "read"];
    let mut is_declaration = false;
    Words::new(text).enumerate().any(|(n, word)| {
        if n == 0 || word.is_after_operator {
            let first = word.rest.split(char::is_whitespace).next().unwrap_or_default();
            is_declaration = declares.contains(&first);
        }
        let rest = word.rest.strip_prefix(name);
        let is_set = rest.is_some_and(|rest| rest.starts_with('=') || rest.starts_with("+="));
        let is_named = rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        is_set || is_declaration && n > 0 && is_named
    })
}
