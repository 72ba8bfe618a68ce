"""The report: from the lines of the journal to facts, and from facts to one page of HTML."""
