"""The model card: what a model is for a person who has only its folder (after Mitchell et al., 2019).

Facts are computed once and written as a page and as Markdown. A card contains no messages, since it goes where the
model goes.
"""
