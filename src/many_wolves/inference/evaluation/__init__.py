"""Evaluation of fits and of the method behind them."""
