"""The embedding of a message's text, by one of four backends behind one interface (`embedder`).

`factory` chooses the backend; a new one is entered there. The room must not import `step` where only fingerprints are
needed: it brings scikit-learn, and runs that find nothing new do without.
"""
