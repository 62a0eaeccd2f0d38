"""The model card: what a model is, for a person who has only its folder (after Mitchell et al., 2019)."""
