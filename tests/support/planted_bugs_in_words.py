"""Mistakes to plant in messages and secrets, and in the building of the zip."""

from __future__ import annotations

from tests.support.planted_bug import Bug

BUGS = [
    Bug(
        "a secret in an exception",
        "handler.py",
        "raise WatchFailed(invocation.redact(failure))",
        "raise WatchFailed(failure)",
        "run/test_handler.py::test_an_unforeseen_error_is_redacted_too",
    ),
    Bug(
        "of a key only the beginning is looked for",
        "redaction.py",
        "return frozenset(self._cut(RUN))",
        "return frozenset(secret[:RUN] for secret in self._secrets)",
        "unit/test_redaction.py::test_the_quoted_form_does_not_hide_the_beginning_alone",
    ),
    Bug(
        "a key is hidden only as it is",
        "redaction.py",
        """return "%" in text or "\\\\" in text or "&" in text""",
        "return False",
        "unit/test_redaction.py::test_a_secret_is_hidden_in_every_form",
    ),
    Bug(
        "a subject cut within a character",
        "messages/compose.py",
        '[:MAX_SUBJECT].decode(errors="ignore")',
        '[:MAX_SUBJECT].decode("latin-1")',
        "unit/messages/test_compose.py::test_any_text_from_outside_fits_every_limit",
    ),
    Bug(
        "an outage is told with the wrong tasks when it is told in parts",
        "messages/paragraphs.py",
        "return paragraph(self.items[:number], self.telling)",
        "return paragraph(self.items[-number:], self.telling)",
        "unit/messages/test_grouping.py::test_an_outage_that_is_too_large_for_a_message_is_told_in_parts",
    ),
    Bug(
        "tasks whose restarts were refused are told as restarted",
        "messages/paragraphs.py",
        "return (item.rank(), item.title(telling), item.said(telling), common)",
        "return (item.rank(), common)",
        "unit/messages/test_grouping.py::test_only_what_is_told_in_the_same_words_is_told_together",
    ),
    Bug(
        "of two authorities with one hash the last stays",
        "../packaging_zip/roots.py",
        'while f"{beginning}.{number}" in files:',
        "while False:",
        "adapters/test_roots.py::test_roots_with_one_hash_are_all_found",
    ),
    Bug(
        "what git ignores gets into the zip",
        "../packaging_zip/checkout.py",
        "    if not is_checkout(root):\n        return [root",
        "    if True:\n        return [root",
        "repository/test_zip_refusals.py::test_what_git_ignores_is_in_no_zip",
    ),
    Bug(
        "a message that was refused for its words is composed again as it is",
        "messages/draft.py",
        "return (replace(self, form=Form.LEAN),)",
        "return (self,)",
        "run/test_publishing.py::test_a_name_that_smn_never_takes_silences_no_task_for_days",
    ),
    Bug(
        "a name commands a mail program",
        "text.py",
        "    if not text.isprintable():\n",
        "    if False:\n",
        "proof/test_soak.py::test_the_promises_hold[13-]",
    ),
    Bug(
        "a guess is told as if it were sure",
        "messages/forecasts.py",
        "if doubt <= max(SURE * (end.at - now), LEAST_DOUBT):",
        "if doubt:",
        "unit/messages/test_forecasts.py::test_doubts_are_told_where_they_are_great",
    ),
]
