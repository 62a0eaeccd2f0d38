"""Pages for people: templates, the style sheet, charts, and the pages of batches with their entry page.

Callers hand over plain documents (dicts and lists), so this room imports no pipeline: neither training, inference nor
monitoring. Pages need no network and no scripts, and the same facts give the same bytes.
"""
