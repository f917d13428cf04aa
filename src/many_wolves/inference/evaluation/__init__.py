"""Evaluation: how good fits and the method behind them are."""
