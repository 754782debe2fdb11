"""Numbers that a person gives on the command line."""

import click


class Number(click.IntRange):
    """A whole number within bounds; what is none is said in words."""

    name = "whole number"
