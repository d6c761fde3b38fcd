"""The objects of a served model, by what they are for."""
