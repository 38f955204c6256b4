# SPDX-License-Identifier: GPL-2.0-only
"""What can be changed in a C file, and the file that holds all these changes.

A change deletes a statement or negates a condition. A statement is one that ends in a semicolon, or a loop or if with
several of those in it. A condition is what controls an if, a loop or ?:, each operand of && and ||, each comparison and
each expression that begins with !. Declarations stay; so does a return at the end of a function that returns
something, or a loop without a condition there, and what the compiler asserts: without these nothing compiles, or
nothing changes. What is in front of ?: with nothing in between is a value.

All changes are compiled at once; a number in the compiled file says which of them is in force, 0 none.
"""

import dataclasses
import re

# Where the number of the change in force is, in a compiled module.
MARK = b"<number of mutant>\0"

HEADER = f"""\
static const volatile struct {{
	char mark[{len(MARK)}];
	unsigned char number[2];
}} mutants = {{ "{MARK[:-1].decode()}" }};

#define mutant (mutants.number[0] << 8 | mutants.number[1])
#define mutant_not(which, condition) (!!(condition) ^ (mutant == (which)))
"""

TOKEN = re.compile(r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<number>\.?\d[\w.]*)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.VERBOSE | re.DOTALL | re.MULTILINE)

CLOSING = {"(": ")", "[": "]", "{": "}"}
TYPES = set("struct union enum const static unsigned signed void bool char short int long gfp_t size_t".split())
COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}
ASSERTIONS = {"BUILD_BUG_ON", "static_assert"}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}


def in_force(module, number):
    """A compiled module with another change in force."""
    assert module.count(MARK) == 1
    at = module.index(MARK) + len(MARK)
    return module[:at] + number.to_bytes(2, "big") + module[at + 2:]


class ParseError(Exception):
    """The source has something that this file does not know."""


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of a source: what is at start..end is deleted, or negated. Its name is unique in the file."""
    start: int
    end: int
    line: int
    negates: bool
    name: str


@dataclasses.dataclass
class Token:
    text: str
    start: int
    end: int
    kind: str
    partner: int = -1   # of a bracket: index of the other one


class Source:
    """A C file in the kernel's style, and its changes."""

    def __init__(self, name, text):
        self.name = name
        self.text = text
        self.tokens = [Token(m.group(), m.start(), m.end(), m.lastgroup)
                       for m in TOKEN.finditer(text) if m.lastgroup != "space"]
        self.function = None
        self.spans = {}     # (first, last, negates), of tokens: function it is in
        self._match_brackets()
        self._functions()
        self.changes = []
        for span, function in sorted(self.spans.items()):
            self.changes.append(self._change(*span, function))

    def changed(self, change):
        """The text with one change."""
        old = self.text[change.start:change.end]
        return self.text[:change.start] + (f"!({old})" if change.negates else ";") + self.text[change.end:]

    def with_all(self, first):
        """The text with all changes in it, numbered from first; line numbers stay."""
        inserts = []
        for number, change in enumerate(self.changes, first):
            if change.negates:
                before, after = f"mutant_not({number}, ", ")"
            else:
                before, after = f"{{ if (mutant != {number}) {{ ", " } }"
            # What encloses opens first and closes last.
            inserts += [(change.start, 1, -change.end, change.negates, before),
                        (change.end, 0, -change.start, not change.negates, after)]
        parts, at = [], 0
        for offset, *_, text in sorted(inserts):
            parts += [self.text[at:offset], text]
            at = offset
        return "".join(parts) + self.text[at:]

    def _change(self, first, last, negates, function):
        start, end = self.tokens[first].start, self.tokens[last].end
        shown, rest = end, ""
        head = self._head(first)
        if not negates and head and not self._is(head + 1, ";"):
            shown, rest = self.tokens[head].end, " ..."
        text = " ".join(re.sub(r"/\*.*?\*/", " ", self.text[start:shown], flags=re.DOTALL).split()) + rest
        name = f"{function}() {'negate' if negates else 'delete'}: {text}"
        before = sum(change.name.split(" #")[0] == name for change in self.changes)
        return Change(start, end, self.text.count("\n", 0, start) + 1, negates, name + f" #{before + 1}" * bool(before))

    def _is(self, at, text):
        return at < len(self.tokens) and self.tokens[at].text == text

    def _fail(self, at):
        token = self.tokens[min(at, len(self.tokens) - 1)]
        line = self.text.count("\n", 0, token.start) + 1
        raise ParseError(f"{self.name}:{line}: cannot make sense of {token.text}")

    def _match_brackets(self):
        stack = []
        for at, token in enumerate(self.tokens):
            if token.kind != "sign":
                continue
            if token.text in CLOSING:
                stack.append(at)
            elif token.text in CLOSING.values():
                if not stack or CLOSING[self.tokens[stack[-1]].text] != token.text:
                    self._fail(at)
                token.partner = stack.pop()
                self.tokens[token.partner].partner = at

    def _functions(self):
        """Every NAME(...) {...} outside of any bracket."""
        at = begin = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.text == "{" and self._is(at - 1, ")"):
                name = self.tokens[at - 1].partner - 1
                self.function = self.tokens[name].text
                returns = "void" not in (t.text for t in self.tokens[begin:name]) or self._is(name - 1, "*")
                self._block(at, returns)
            if token.partner > at:
                at = token.partner
            at += 1
            if token.text in (";", "{"):
                begin = at

    def _block(self, at, tail):
        """The statements of {...}; tail: a return at its end ends the function. Returns how many there are."""
        end, count = self.tokens[at].partner, 0
        at += 1
        while at < end:
            if self._declares(at):
                at = self._declaration(at)
                continue
            after = self._after(at)
            count += self._statement(at, tail and after == end)
            at = after
        return count

    def _declares(self, at):
        token = self.tokens[at]
        if token.kind != "word" or token.text in ("return", "goto"):
            return False
        following = self.tokens[at + 1]
        return token.text in TYPES or following.kind == "word" or \
            (following.text == "*" and self.tokens[at + 2].kind == "word" and self.tokens[at + 3].text in ("=", ";", ","))

    def _declaration(self, at):
        end = self._until(at, ";")
        if self.tokens[at].text != "static":
            self._values(at, end)
        return end + 1

    def _until(self, at, *texts):
        """The first of these tokens that is in no bracket."""
        while self.tokens[at].text not in texts:
            partner = self.tokens[at].partner
            if partner != -1 and partner < at:
                self._fail(at)
            at = max(at, partner) + 1
        return at

    def _labelled(self, at):
        """The statement behind labels."""
        while True:
            if self.tokens[at].text in ("case", "default"):
                at = self._until(at, ":") + 1
            elif self.tokens[at].kind == "word" and self._is(at + 1, ":"):
                at += 2
            else:
                return at

    def _head(self, at):
        """For if, loops and macros that loop, the index of their closing parenthesis; otherwise None."""
        if self.tokens[at].kind != "word" or self._is(at, "return") or not self._is(at + 1, "("):
            return None
        close = self.tokens[at + 1].partner
        if self.tokens[at].text in ("if", "while", "for", "switch"):
            return close
        return close if self._is(close + 1, "{") or self.tokens[close + 1].kind == "word" else None

    def _after(self, at):
        """The index behind a statement."""
        at = self._labelled(at)
        if self._is(at, "{"):
            return self.tokens[at].partner + 1
        if self._is(at, "do"):
            return self._until(self._after(at + 1), ";") + 1
        close = self._head(at)
        if close is None:
            return self._until(at, ";") + 1
        after = self._after(close + 1)
        if self._is(at, "if") and self._is(after, "else"):
            after = self._after(after + 1)
        return after

    def _statement(self, at, tail):
        """Notes what can be changed in a statement. Returns how many simple ones it holds."""
        at = self._labelled(at)
        if self._is(at, "{"):
            return self._block(at, tail)
        if self._is(at, "do"):
            while_ = self._after(at + 1) - 1
            count = self._statement(at + 1, False)
            self._condition(while_ + 2, self.tokens[while_ + 1].partner)
            return count
        close, last = self._head(at), self._after(at) - 1
        if close is None:
            return self._simple(at, last, tail)
        word = self.tokens[at].text
        stays = tail and "".join(t.text for t in self.tokens[at:close + 1]) == "for(;;)"
        tail = tail and word == "if"
        if word == "for":
            first, second = self._until(at + 2, ";"), self._until(self._until(at + 2, ";") + 1, ";")
            self._values(at + 2, first)
            self._condition(first + 1, second)
            self._values(second + 1, close)
        elif word in ("if", "while"):
            self._condition(at + 2, close)
        else:
            self._values(at + 2, close)
        count = self._statement(close + 1, tail)
        after = self._after(close + 1)
        if word == "if" and self._is(after, "else"):
            count += self._statement(after + 1, tail)
        if count > 1 and not tail and not stays:
            self._note(at, last, False)
        return count

    def _simple(self, at, last, tail):
        if at == last or self.tokens[at].text in ASSERTIONS:
            return 0
        if not (tail and self._is(at, "return")):
            self._note(at, last, False)
        self._values(at + (self.tokens[at].text in ("return", "goto")), last)
        return 1

    def _note(self, first, last, negates):
        self.spans.setdefault((first, last, negates), self.function)

    def _operators(self, first, last, wanted):
        """Indices of operators in first..last that are in no bracket."""
        found, at = [], first
        while at < last:
            if self.tokens[at].kind == "sign" and self.tokens[at].text in wanted:
                found.append(at)
            at = max(at, self.tokens[at].partner) + 1
        return found

    def _condition(self, first, last):
        """An expression whose negation is a change, without what only wraps it."""
        if first >= last:
            return
        wraps = self.tokens[first].text in ("likely", "unlikely")
        if self._is(first + wraps, "(") and self.tokens[first + wraps].partner == last - 1:
            self._condition(first + wraps + 1, last - 1)
            return
        self._note(first, last - 1, True)
        self._parts(first, last)

    def _values(self, first, last):
        """Expressions, separated by commas; comparisons in them are conditions."""
        at = first
        for comma in self._operators(first, last, {","}) + [last]:
            self._value(at, comma)
            at = comma + 1

    def _value(self, first, last):
        if first >= last:
            return
        assignments = self._operators(first, last, ASSIGNMENTS)
        if assignments:
            self._inside(first, assignments[0])
            self._value(assignments[0] + 1, last)
        elif self._operators(first, last, {"?"}):
            self._choice(first, last)
        elif self._operators(first, last, {"&&", "||"}):
            self._parts(first, last)
        elif self._operators(first, last, COMPARISONS) or self._is(first, "!"):
            self._condition(first, last)
        else:
            self._inside(first, last)

    def _choice(self, first, last):
        question = self._operators(first, last, {"?"})[0]
        if self._is(question + 1, ":"):
            self._value(first, question)
        else:
            self._condition(first, question)
        depth, at = 0, question
        for at in self._operators(question, last, {"?", ":"}):
            depth += 1 if self._is(at, "?") else -1
            if not depth:
                break
        self._value(question + 1, at)
        self._value(at + 1, last)

    def _parts(self, first, last):
        """What is in a condition, or in the negation of one."""
        for operators in ({"?"}, {"||"}, {"&&"}):
            found = self._operators(first, last, operators)
            if not found:
                continue
            if "?" in operators:
                self._choice(first, last)
                return
            at = first
            for operator in found + [last]:
                self._condition(at, operator)
                at = operator + 1
            return
        if self._is(first, "!") and not self._operators(first, last, COMPARISONS):
            first += 1
            if self._is(first, "(") and self.tokens[first].partner == last - 1:
                self._parts(first + 1, last - 1)
                return
        self._inside(first, last)

    def _inside(self, first, last):
        """What is in brackets."""
        at = first
        while at < last:
            partner = self.tokens[at].partner
            if partner > at:
                self._values(at + 1, partner)
                at = partner
            at += 1
