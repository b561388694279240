"""Out-of-sample scores and the forecasts they have to beat."""
